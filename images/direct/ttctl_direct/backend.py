# SPDX-License-Identifier: Apache-2.0
"""What computes: one sequence at a time, a token a step. Two kinds: a card, and the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

Candidates = list[tuple[int, float]]
"""(token, logit) of the likeliest next tokens, the likeliest first; one where it was chosen."""

CANDIDATES = 1024
"""Of so many at most a token is drawn: what is less likely than these is never said."""


class Backend(Protocol):
    """A model that is loaded; all calls come from one thread."""

    context: int
    """Tokens of prompt and answer together, at most."""
    longest_prompt: int
    """Tokens of a prompt at most."""
    survives: bool
    """Whether it may be asked again after a step has failed; a card may not."""

    def prefill(self, tokens: Sequence[int], *, greedy: bool) -> Candidates:
        """Begin a sequence, the last one is forgotten; return what may come next."""

    def decode(self, token: int, *, greedy: bool) -> Candidates:
        """Append a token to the sequence; return what may come next."""

    def close(self) -> None:
        """Give the device back."""


class Words(Protocol):
    """Text to tokens and back."""

    stops: frozenset[int]
    """Tokens that end an answer."""
    longest_token: int
    """Characters that one token stands for at most."""

    def tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """Return the tokens of a conversation, (role, text), that waits for an answer.

        Raises:
            BadAskedError: The model's tokenizer takes no such conversation.
        """

    def text_of(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens; a character that is not whole yet ends as U+FFFD."""
