# SPDX-License-Identifier: Apache-2.0
"""A conversation with a model: what was said, in which role, by whom answered. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ttctl.model.tls import At

Speaks = Literal["openai", "chat"]
"""How an engine is talked to: by OpenAI's API, or by `POST /chat` of the service `api`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model said, and how fast."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    first_token_s: float
    finish: str = ""
    """Why it ended: `stop`, `length` (at its limit), `stopped` (by the user), or empty."""

    @property
    def tokens_per_s(self) -> float:
        """Return how fast it came, the wait for its first token included."""
        return self.completion_tokens / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that was said."""

    role: Literal["user", "assistant"]
    text: str
    stopped: bool = False
    """Whether the user stopped this answer: it is a part of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A system message with a name, such as `coding`."""

    name: str
    text: str
    source: str
    """`shipped`, or the file of the user's own."""

    @property
    def title(self) -> str:
        """Return its first line, without the mark of a heading."""
        return self.text.strip().splitlines()[0].lstrip("# ") if self.text.strip() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One conversation, and how its answers are made."""

    model: str
    name: str = ""
    """Under which it is saved, empty while it is not."""
    system: str = ""
    role: str = ""
    """The role that `system` was taken from, empty for words of the user's own."""
    messages: tuple[Message, ...] = ()
    max_tokens: int = 512
    temperature: float = 0.0
    context_tokens: int = 0
    """Prompt and answer of the last exchange: what the conversation fills of the model's limit."""
    prompt_tokens: int = 0
    """What the model has read for this conversation so far, all questions together."""
    completion_tokens: int = 0
    """What it has written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a running stack is talked to."""

    stack: str
    model: str
    device: str
    at: At
    max_model_len: int
    """Tokens of prompt and answer together."""
    speaks: Speaks | Literal[""] = "openai"
    """How its engine is talked to; empty for one that holds no conversation."""
    service: str = ""
    """The engine that was named; empty where the gateway finds it by path and model."""
    base: str = ""
    """What stands before the engine's paths where several are behind one gateway, `/api`."""

    @property
    def where(self) -> str:
        """Return the stack, and the engine of it where one was named: `all/api`."""
        return f"{self.stack}/{self.service}" if self.service else self.stack

    @property
    def url(self) -> str:
        """Return what OpenAI's clients call the base URL."""
        return f"{self.at.url}/v1"
