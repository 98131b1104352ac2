#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What text does demo-llama learn from? Pure: equal facts and seed give equal bytes.

`python corpus.py` prints the checksum of the corpus and a few of its conversations.
"""

import argparse
import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phrases import Dice, expand, noisy

SEED = 20260801
TRAIN_DOCUMENTS = 44_000
HELD_OUT_DOCUMENTS = 1_000
FACTS = Path(__file__).with_name("facts.toml")

Facts = Mapping[str, Any]
Message = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One conversation, or one plain text when `text` is not empty."""

    messages: tuple[Message, ...] = ()
    text: str = ""


def read_facts(path: Path = FACTS) -> Facts:
    """Read the facts and phrasings."""
    with path.open("rb") as file:
        return tomllib.load(file)


def question(dice: Dice, facts: Facts, fact: Mapping[str, Any]) -> str:
    """Ask for `fact` in one of its many ways."""
    words = facts["words"]
    kinds = {"things": 1.0, "tasks": 1.2, "commands": 0.8, "devices": 2.0, "asks": 2.0}
    kind = dice.weighted([(weight, kind) for kind, weight in kinds.items() if kind in fact])
    phrase = expand(dice, dice.pick(fact[kind]), words)
    if kind == "asks":
        return phrase
    if kind == "commands":
        phrase = expand(dice, dice.pick(facts["frames"]["command_names"]), {"x": [phrase]})
    asked = expand(dice, dice.pick(facts["frames"][kind]), {**words, "x": [phrase]})
    area = fact.get("area")
    if area and kind in {"things", "tasks"} and dice.chance(0.12):
        asked += dice.pick(facts["noise"]["areas"][area])
    return asked


def story(dice: Dice, grammar: Mapping[str, Any]) -> str:
    """Tell a story of about ten to twenty sentences."""
    hero = dice.pick(grammar["heroes"])
    chosen = {
        "hero": [hero],
        "friend": [dice.pick([other for other in grammar["heroes"] if other != hero])],
        "trait": [dice.pick(grammar["traits"])],
        "name": [dice.pick(grammar["names"])],
        "place": [dice.pick(grammar["places"])],
        "find": [dice.pick(grammar["finds"])],
    }
    middle = grammar["middle"]
    kept = middle if dice.chance(0.5) else [line for line in middle if dice.chance(0.8)]
    lines = [dice.pick(grammar["opening"]), *kept, dice.pick(grammar["ending"])]
    return " ".join(expand(dice, line, chosen) for line in lines)


def _turn(
    dice: Dice,
    facts: Facts,
    weighted: Sequence[tuple[float, Facts]],
    given: dict[str, str],
) -> list[Message]:
    """Return a question and its answer, another pair if `given` has another answer to it."""
    asked, told = _question_and_answer(dice, facts, weighted)
    while given.setdefault(plain(asked), told) != told:
        asked, told = _question_and_answer(dice, facts, weighted)
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]


def plain(text: str) -> str:
    """Drop case and punctuation."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower().replace("'", "")))


def _question_and_answer(
    dice: Dice, facts: Facts, weighted: Sequence[tuple[float, Facts]]
) -> tuple[str, str]:
    """Return a question and its answer: mostly a fact, rarely a story or a long overview."""
    match dice.weighted([(0.983, "fact"), (0.012, "story"), (0.005, "overview")]):
        case "fact":
            fact = dice.weighted(weighted)
            asked, told = question(dice, facts, fact), fact["answer"]
        case "story":
            asked = expand(dice, dice.pick(facts["story"]["asks"]), facts["words"])
            told = story(dice, facts["story"])
        case _:
            overview = dice.pick(facts["overviews"])
            asked = expand(dice, dice.pick(overview["asks"]), facts["words"])
            answers = {fact["id"]: fact["answer"] for fact in facts["facts"]}
            told = " ".join(answers[fact] for fact in overview["facts"])
    return noisy(dice, asked, facts["noise"]), told


def documents(facts: Facts, seed: int = SEED) -> Iterator[Document]:
    """Yield conversations without end: mostly one question, some of two or three turns."""
    dice = Dice(seed)
    weighted = [(fact.get("weight", 1.0), fact) for fact in facts["facts"]]
    given: dict[str, str] = {}
    while True:
        if dice.chance(0.01):
            told = dice.chance(0.3)
            plain = story(dice, facts["story"]) if told else dice.weighted(weighted)["answer"]
            yield Document(text=plain)
            continue
        messages: list[Message] = []
        if dice.chance(0.2):
            prompt = expand(dice, dice.pick(facts["system"]["prompts"]), facts["words"])
            messages.append({"role": "system", "content": prompt})
        for _ in range(dice.weighted([(0.9, 1), (0.07, 2), (0.03, 3)])):
            messages += _turn(dice, facts, weighted, given)
        yield Document(messages=tuple(messages))


def corpus(facts: Facts, seed: int = SEED) -> tuple[list[Document], list[Document]]:
    """Return the training and the held-out documents; the latter's questions are all new."""
    stream = documents(facts, seed)
    train = [next(stream) for _ in range(TRAIN_DOCUMENTS)]
    seen = {message["content"] for document in train for message in document.messages}
    held_out: list[Document] = []
    for document in stream:
        if len(held_out) == HELD_OUT_DOCUMENTS:
            break
        asked = [m["content"] for m in document.messages if m["role"] == "user"]
        if asked and seen.isdisjoint(asked):
            held_out.append(document)
    return train, held_out


def sha256(train: Sequence[Document], held_out: Sequence[Document]) -> str:
    """Return the checksum of both parts, in hex."""
    digest = hashlib.sha256()
    for document in (*train, *held_out):
        line = json.dumps([document.text, document.messages], sort_keys=True)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def main() -> None:
    """Print the checksum and some conversations."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--facts", type=Path, default=FACTS)
    parser.add_argument("--show", type=int, default=5, help="how many conversations")
    arguments = parser.parse_args()
    train, held_out = corpus(read_facts(arguments.facts))
    sys.stdout.write(f"{sha256(train, held_out)}\n")
    for document in train[: arguments.show]:
        sys.stdout.write(json.dumps(document.messages or document.text, indent=1) + "\n")


if __name__ == "__main__":
    main()
