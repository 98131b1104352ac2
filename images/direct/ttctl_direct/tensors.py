# SPDX-License-Identifier: Apache-2.0
"""The little of torch that stands between tokens and a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch

from ttctl_direct.backend import CANDIDATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl_direct.backend import Candidates


class Tensors(Protocol):
    """Makes and reads tensors of a batch of one."""

    def row(self, tokens: Sequence[int]) -> Any:  # noqa: ANN401 - a tensor
        """Return tokens in the shape (1, length)."""

    def numbers(self, values: Sequence[int]) -> Any:  # noqa: ANN401 - a tensor
        """Return numbers in the shape (length,)."""

    def candidates(self, found: Any, *, vocabulary: int) -> Candidates:  # noqa: ANN401
        """Return what a step gave: logits over the vocabulary, or the token itself."""


class Torch:
    """By torch."""

    def row(self, tokens: Sequence[int]) -> torch.Tensor:
        """Return tokens in the shape (1, length)."""
        return torch.tensor([list(tokens)], dtype=torch.long)

    def numbers(self, values: Sequence[int]) -> torch.Tensor:
        """Return numbers in the shape (length,)."""
        return torch.tensor(list(values), dtype=torch.long)

    def candidates(self, found: torch.Tensor, *, vocabulary: int) -> Candidates:
        """Return the likeliest for the first user, or the token that was chosen for that one."""
        if found.shape[-1] < vocabulary:
            # Chosen where it was computed: a token for each user, and the batch may be padded.
            return [(int(found.reshape(-1)[0]), 0.0)]
        logits = found.reshape(-1, found.shape[-1])[0, :vocabulary].float()
        values, tokens = torch.topk(logits, min(CANDIDATES, vocabulary))
        return list(zip(tokens.tolist(), values.tolist(), strict=True))
