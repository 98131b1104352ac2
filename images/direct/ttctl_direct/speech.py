# SPDX-License-Identifier: Apache-2.0
"""Which text may be said after each token: whole characters, and nothing of a stop word. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UNFINISHED = "\N{REPLACEMENT CHARACTER}"
LONGEST_CHARACTER = 8
"""Tokens after which what is no character is said as it is; UTF-8 has 4 bytes at most."""


class Speech:
    """The text of one answer, as it grows."""

    def __init__(self, text_of: Callable[[Sequence[int]], str], stop: Sequence[str]) -> None:
        """Begin an answer that ends before any of the texts `stop`."""
        self._decoded = text_of
        self._stop = stop
        self._tokens: list[int] = []
        self._before = self._said = 0
        self._held = ""
        self.stopped = False
        """Whether a stop word came."""

    def add(self, token: int) -> str:
        """Return what may be said now."""
        self._tokens.append(token)
        # A word's first space depends on what is before it: so the tokens before come along.
        before = self._text_of(self._tokens[self._before : self._said])
        after = self._text_of(self._tokens[self._before :])
        waits = len(self._tokens) - self._said < LONGEST_CHARACTER
        if after.endswith(UNFINISHED) and waits:
            return ""
        self._before, self._said = self._said, len(self._tokens)
        return self._until_stop(after[len(before) :])

    def end(self) -> str:
        """Return what was held back, now that nothing comes any more."""
        if self.stopped:
            return ""
        before = self._text_of(self._tokens[self._before : self._said])
        rest = self._text_of(self._tokens[self._before :])[len(before) :]
        self._before = self._said = len(self._tokens)
        text = self._until_stop(rest) + self._held
        self._held = ""
        return text

    def _text_of(self, tokens: Sequence[int]) -> str:
        return whole(self._decoded(tokens))

    def _until_stop(self, text: str) -> str:
        text = self._held + text
        found = [at for at in map(text.find, self._stop) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((_begun(text, one) for one in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def whole(text: str) -> str:
    """Return a text with the halves of a character put together, and U+FFFD for a lone one.

    A vocabulary may hold halves (surrogates); no strict reader of JSON takes a lone one.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _begun(text: str, stop: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a stop word."""
    longest = min(len(stop) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
