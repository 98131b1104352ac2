# SPDX-License-Identifier: Apache-2.0
"""Turn a conversation into tokens, and does it fit? Never on the thread that owns the model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ttctl_direct.asked import BadAskedError

if TYPE_CHECKING:
    from ttctl_direct.asked import Asked
    from ttctl_direct.backend import Backend, Words

SHORT = 4096
"""Characters that are turned into tokens at once: it takes milliseconds."""


class Prompts:
    """One tokenizer for all who ask; a long text takes its turn among long ones."""

    def __init__(self, words: Words, backend: Backend) -> None:
        """Remember how much fits."""
        self._words = words
        self._longest = min(backend.longest_prompt, backend.context - 1)
        self._one = asyncio.Semaphore(1)

    async def tokens_of(self, asked: Asked) -> list[int]:
        """Return the tokens of a conversation; who leaves meanwhile cancels it.

        Raises:
            BadAskedError: It does not fit, or the tokenizer does not take it.
        """
        characters = sum(len(text) for _, text in asked.messages)
        most = self._longest * self._words.longest_token
        if characters > most:
            message = f"The prompt has {characters} characters; {most} at most fit here."
            raise BadAskedError(message, "messages")
        if characters <= SHORT:
            tokens = self._words.tokens_of(asked.messages)
        else:
            tokens = await self._long(asked)
        if len(tokens) > self._longest:
            message = f"The prompt has {len(tokens)} tokens; {self._longest} fit here."
            raise BadAskedError(message, "messages")
        return tokens

    async def _long(self, asked: Asked) -> list[int]:
        await self._one.acquire()
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(None, self._words.tokens_of, asked.messages)
        # The next one begins when this one has ended, not when its client has left.
        running.add_done_callback(lambda _: self._one.release())
        try:
            return await asyncio.shield(running)
        finally:
            # What it raised would hold this frame, and this frame what raised it.
            del running
