# SPDX-License-Identifier: Apache-2.0
"""Is a conversation that the tokenizer does not take told to the client, and the model kept?"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from ttctl_direct.asked import BadAskedError

if TYPE_CHECKING:
    from pathlib import Path


class Tokenizer:
    """Stands for one of transformers: takes letters of ASCII."""

    eos_token_id = 0
    chat_template = "a template"

    @classmethod
    def from_pretrained(cls, _folder: object, *, local_files_only: bool) -> Tokenizer:
        assert local_files_only
        return cls()

    def apply_chat_template(self, messages: list[dict[str, str]], **_how: object) -> str:
        if messages[0]["role"] == "system":
            raise ValueError("a secret prompt")
        return "".join(one["content"] for one in messages)

    def get_vocab(self) -> dict[str, int]:
        return {"a": 97, "<end>": 0}

    def __call__(self, text: str, **_how: object) -> dict[str, list[int]]:
        return {"input_ids": list(text.encode("ascii"))}


class NoConfig:
    @staticmethod
    def from_pretrained(_folder: object, *, local_files_only: bool) -> None:
        assert local_files_only
        raise OSError


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401
    transformers = ModuleType("transformers")
    vars(transformers).update(AutoTokenizer=Tokenizer, GenerationConfig=NoConfig)
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    monkeypatch.delitem(sys.modules, "ttctl_direct.words", raising=False)
    yield import_module("ttctl_direct.words").HubWords(tmp_path)
    sys.modules.pop("ttctl_direct.words", None)


def test_a_conversation_becomes_tokens(words: Any) -> None:  # noqa: ANN401
    assert words.tokens_of([("user", "a"), ("assistant", "b")]) == [97, 98]
    assert words.stops == {0}
    assert words.longest_token == len("<end>")


@pytest.mark.parametrize("template", [None, "a template"])
def test_a_text_that_has_no_tokens_is_refused(words: Any, template: str | None) -> None:  # noqa: ANN401
    words._tokenizer.chat_template = template  # noqa: SLF001
    with pytest.raises(BadAskedError, match=r"takes no such conversation \(UnicodeEncodeError\)"):
        words.tokens_of([("user", "é")])


def test_a_template_that_says_no_is_told_without_what_was_asked(words: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadAskedError) as caught:
        words.tokens_of([("system", "a")])
    assert caught.value.param == "messages"
    assert "(ValueError)" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_without_a_template_only_a_prompt_is_taken(words: Any) -> None:  # noqa: ANN401
    words._tokenizer.chat_template = None  # noqa: SLF001
    assert words.tokens_of([("user", "a")]) == [97]
    with pytest.raises(BadAskedError, match="send a prompt"):
        words.tokens_of([("user", "a"), ("user", "b")])
