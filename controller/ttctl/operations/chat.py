# SPDX-License-Identifier: Apache-2.0
"""Talk with a running model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.protocols import Completion, World

Message = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Talk:
    """One conversation: what was said, and how answers are made."""

    stack: str
    model: str
    port: int
    key: str = field(repr=False)
    max_tokens: int
    temperature: float
    messages: list[Message]

    def remember(self, question: str, answer: str) -> None:
        """Keep a question and its answer for the next one."""
        self.messages.append({"role": "user", "content": question})
        self.messages.append({"role": "assistant", "content": answer})


def open_talk(
    world: World, stack: str, *, system: str, max_tokens: int, temperature: float
) -> Talk:
    """Begin a conversation with a stack's model.

    Raises:
        EngineError: The stack does not run.
    """
    lock = world.store.lock(stack)
    if lock is None or not world.engine.containers(stack):
        raise EngineError(
            f"The stack {stack!r} does not run.",
            why="No container of it is here.",
            next_step=f"ttctl up {lock.requested} --name {stack}" if lock else "ttctl models ls",
        )
    return Talk(
        stack=stack,
        model=lock.model,
        port=lock.port,
        key=world.keys.key(stack),
        max_tokens=max_tokens,
        temperature=temperature,
        messages=[{"role": "system", "content": system}] if system else [],
    )


def ask(world: World, talk: Talk, question: str, *, on_text: Callable[[str], None]) -> Completion:
    """Ask within a conversation; the answer's pieces go to `on_text` as they come.

    Raises:
        UsageError: The question is empty.
    """
    if not question.strip():
        raise UsageError(
            "There is no question.",
            why="It is empty.",
            next_step='ttctl chat "What is Tenstorrent?"',
        )
    return world.gateway.chat(
        talk.port,
        talk.key,
        model=talk.model,
        messages=[*talk.messages, {"role": "user", "content": question}],
        max_tokens=talk.max_tokens,
        temperature=talk.temperature,
        on_text=on_text,
    )
