# SPDX-License-Identifier: Apache-2.0
"""Which of the candidates is the next token? Pure: a chance comes with its generator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from ttctl_direct.asked import Sampling


def chosen(candidates: Sequence[tuple[int, float]], sampling: Sampling, chance: Random) -> int:
    """Return a token.

    Args:
        candidates: (token, logit), the likeliest first; at least one.
        sampling: How it is chosen.
        chance: Seeded, where the answer has to come out again.
    """
    if sampling.greedy or len(candidates) == 1:
        return candidates[0][0]
    kept = candidates[: sampling.top_k or None]
    weights = _nucleus(_weights(kept, sampling.temperature), sampling.top_p)
    at = chance.random() * sum(weights)
    for (token, _), weight in zip(kept, weights):  # noqa: B905 - the nucleus is the shorter one
        at -= weight
        if at < 0:
            return token
    return kept[len(weights) - 1][0]


def _weights(candidates: Sequence[tuple[int, float]], temperature: float) -> list[float]:
    """Return each one's probability in relation to the likeliest's."""
    highest = candidates[0][1]
    return [math.exp((logit - highest) / temperature) for _, logit in candidates]


def _nucleus(weights: list[float], top_p: float) -> list[float]:
    """Return the likeliest that make up so much probability; at least one."""
    if top_p >= 1:
        return weights
    limit, reached = top_p * sum(weights), 0.0
    for count, weight in enumerate(weights, start=1):
        reached += weight
        if reached >= limit:
            return weights[:count]
    return weights
