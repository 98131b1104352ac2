# SPDX-License-Identifier: Apache-2.0
"""How does a conversation go on after an answer, and which names may it have? Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from ttctl.errors import UsageError
from ttctl.model.talk import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.talk import Completion, Speaks, Talk

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""It becomes a file's name: no slash, and no dot in front."""
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing."""
_SPEAKS: Mapping[str, Speaks] = MappingProxyType(
    {"vllm": "openai", "forge": "openai", "direct": "chat"}
)
STOPPED = "stopped"
"""Why an answer ended that the user stopped; the others are the engine's own words."""


def speaks(engine: str) -> Speaks | Literal[""]:
    """Return how an engine is talked to, nothing where it holds no conversation."""
    return _SPEAKS.get(engine, "")


def asked(talk: Talk, question: str) -> list[dict[str, str]]:
    """Return what is sent: the system message, all that was said, the question."""
    system = [("system", talk.system)] if talk.system else []
    said = [(one.role, one.text) for one in talk.messages]
    every = [*system, *said, ("user", question)]
    return [{"role": role, "content": encodable(text)} for role, text in every]


def encodable(text: str) -> str:
    """Return `text` with a question mark for each half of a character.

    They come from arguments and input that are no UTF-8, and no program understands them.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def answered(talk: Talk, question: str, answer: Completion) -> Talk:
    """Return the conversation with one more exchange.

    What was stopped before its first word leaves nothing behind: a question without an answer
    would have the model answer it next time.
    """
    said = (
        Message(role="user", text=question),
        Message(role="assistant", text=answer.text, stopped=answer.finish == STOPPED),
    )
    known = answer.prompt_tokens + answer.completion_tokens
    return replace(
        talk,
        messages=(*talk.messages, *said) if answer.text else talk.messages,
        context_tokens=known if answer.text and known else talk.context_tokens,
        prompt_tokens=talk.prompt_tokens + answer.prompt_tokens,
        completion_tokens=talk.completion_tokens + answer.completion_tokens,
    )


def cleared(talk: Talk) -> Talk:
    """Return a new conversation that is made as this one was: model, role, settings."""
    return replace(
        talk, name="", messages=(), context_tokens=0, prompt_tokens=0, completion_tokens=0
    )


def without_oldest(talk: Talk, exchanges: int) -> Talk:
    """Return the conversation without its oldest questions and their answers."""
    # How many tokens are left is known when the next answer says so.
    return replace(talk, messages=talk.messages[2 * exchanges :], context_tokens=0)


def checked_talk_name(name: str) -> str:
    """Return `name` where it can name a saved conversation, which is a file.

    Raises:
        UsageError: It cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a conversation.",
            why="It becomes a file: letters, digits, dots, dashes and underscores, at most 64.",
            evidence="For example first-try, or notes_2.",
            next_step="ttctl chat --load first-try",
        )
    return name


def visible(text: str) -> str:
    """Return `text` as a terminal may show it: what would move the cursor or colour it is spelt.

    A model, or a file that was loaded, can hold any character; a terminal obeys some of them.
    """
    return _OBEYED.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))
