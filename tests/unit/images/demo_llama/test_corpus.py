# SPDX-License-Identifier: Apache-2.0
"""What the demo model learns from, and what lies in its folder. No torch is needed here."""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MAX_BYTES = 5_000_000
Documents = tuple[list[Any], list[Any]]


def plain(text: str) -> str:
    """Drop case and punctuation."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower().replace("'", "")))


def asked(documents: list[Any]) -> list[str]:
    return [m["content"] for d in documents for m in d.messages if m["role"] == "user"]


def held_out_questions(folder: Path) -> list[dict[str, Any]]:
    questions = tomllib.loads((folder / "questions.toml").read_text())["questions"]
    return list(questions)


def test_the_corpus_is_the_one_that_the_model_was_trained_on(
    corpus: ModuleType, documents: Documents, folder: Path
) -> None:
    record = json.loads((folder / "model" / "training.json").read_text())
    assert corpus.sha256(*documents) == record["corpus_sha256"]
    assert record["seed"] == corpus.SEED


def test_another_seed_gives_another_corpus(corpus: ModuleType, facts: dict[str, Any]) -> None:
    first = next(corpus.documents(facts, seed=1))
    assert first == next(corpus.documents(facts, seed=1))
    assert first != next(corpus.documents(facts, seed=2))


def test_no_question_of_the_score_stands_in_the_corpus(documents: Documents, folder: Path) -> None:
    train, held_out = documents
    seen = {plain(text) for text in asked([*train, *held_out])}
    questions = [plain(item["ask"]) for item in held_out_questions(folder)]
    assert len(set(questions)) == 20
    assert seen.isdisjoint(questions)


def test_no_held_out_question_is_trained_on(documents: Documents) -> None:
    train, held_out = documents
    assert set(asked(train)).isdisjoint(asked(held_out))


def test_every_fact_is_asked_for_and_answered_often(
    documents: Documents, facts: dict[str, Any]
) -> None:
    answers = Counter(m["content"] for d in documents[0] for m in d.messages)
    rare = [fact["id"] for fact in facts["facts"] if answers[fact["answer"]] < 100]
    assert rare == []


def test_a_question_has_one_answer(documents: Documents, facts: dict[str, Any]) -> None:
    single = {fact["answer"] for fact in facts["facts"]}
    answers: dict[str, set[str]] = {}
    for document in documents[0]:
        for one, other in zip(document.messages, document.messages[1:], strict=False):
            if one["role"] == "user" and other["content"] in single:
                answers.setdefault(plain(one["content"]), set()).add(other["content"])
    assert {text for text, given in answers.items() if len(given) > 1} == set()


def test_the_answer_of_a_fact_holds_its_keywords(facts: dict[str, Any]) -> None:
    without = [
        fact["id"]
        for fact in facts["facts"]
        if not any(keyword.lower() in fact["answer"].lower() for keyword in fact["keywords"])
    ]
    assert without == []


def test_every_held_out_question_has_a_fact_that_answers_it(
    facts: dict[str, Any], folder: Path
) -> None:
    answers = " ".join(fact["answer"] for fact in facts["facts"]).lower()
    for item in held_out_questions(folder):
        assert any(keyword.lower() in answers for keyword in item["keywords"]), item["ask"]


def test_conversations_have_system_messages_and_several_turns(documents: Documents) -> None:
    roles = Counter(tuple(m["role"] for m in d.messages) for d in documents[0])
    turn = ("user", "assistant")
    assert roles[turn] > roles[("system", *turn)] > roles[(*turn, *turn)] > 100


@pytest.mark.parametrize(
    ("phrase", "sentences"),
    [
        pytest.param("(a|b) c", {"a c", "b c"}, id="one-of"),
        pytest.param("a [b] c", {"a c", "a b c"}, id="perhaps"),
        pytest.param("a {x}", {"a y", "a z"}, id="words"),
        pytest.param("(a [b|c]|d)", {"a", "a b", "a c", "d"}, id="nested"),
    ],
)
def test_a_phrase_expands_to_its_sentences(
    corpus: ModuleType, phrase: str, sentences: set[str]
) -> None:
    dice = corpus.Dice(1)
    assert {corpus.expand(dice, phrase, {"x": ["y", "z"]}) for _ in range(200)} == sentences


def test_the_folder_is_small_and_readable_for_everyone(folder: Path) -> None:
    files = [
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert [path.name for path in files if not path.stat().st_mode & 0o004] == []


def test_the_model_folder_is_a_hugging_face_one_with_a_chat_template(folder: Path) -> None:
    model = folder / "model"
    config = json.loads((model / "config.json").read_text())
    tokenizer = json.loads((model / "tokenizer_config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["dtype"] == "bfloat16"
    assert config["max_position_embeddings"] == 2048
    assert "add_generation_prompt" in tokenizer["chat_template"]
    assert "<|end|>" in tokenizer["chat_template"]
    assert (model / "tokenizer.json").is_file()
    assert (model / "model.safetensors").is_file()
    assert (model / "generation_config.json").is_file()
