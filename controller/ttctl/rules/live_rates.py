# SPDX-License-Identifier: Apache-2.0
"""How fast does a counter go up between two looks? Pure."""

from __future__ import annotations

SHORTEST_S = 0.05
"""Two looks that are nearer to each other say nothing of a rate."""


def rate(before: float | None, after: float | None, *, seconds: float | None) -> float | None:
    """Return by how much a counter grew in a second; None where that cannot be told.

    Whoever counts was started anew where a counter went back: what it has counted since is what
    was added, as Prometheus has it. A rate is never negative.

    Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
    """
    if before is None or after is None or seconds is None or not seconds >= SHORTEST_S:
        return None
    return (after - before if after >= before else after) / seconds
