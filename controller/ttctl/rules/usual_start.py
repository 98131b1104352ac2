# SPDX-License-Identifier: Apache-2.0
"""How long does a start usually take here, by those that were seen? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.spec import ModelSpec
    from ttctl.model.starts import Started

MOST_OF_ONE = 8
"""Starts of one kind that are kept: the last ones, as a machine changes."""
MOST = 256
"""Starts that are kept of all kinds."""
MINUTE_S = 60.0
NOT_SEEN = "how long that usually takes is not known: no such start was seen here"


def start_key(spec: ModelSpec, contract: str) -> str:
    """Return what starts have in common that take about as long as each other.

    Args:
        spec: The entry.
        contract: How its image is launched: one that we built starts in its own way.
    """
    pins = (spec.pins.tt_metal, spec.pins.vllm) if spec.pins else ()
    words = (spec.model, spec.device, spec.engine, spec.implementation, contract, *pins)
    return " ".join(word for word in words if word)


def alike(earlier: Sequence[Started], key: str, *, first: bool) -> tuple[float, ...]:
    """Return the seconds that starts of a kind took; those without a cache are a kind of theirs."""
    return tuple(one.seconds for one in earlier if (one.key, one.first) == (key, first))


def usual_of(earlier: Sequence[Started], model: str, device: str) -> tuple[float, ...]:
    """Return the seconds that starts of a model on a device took, of whichever kind."""
    return tuple(one.seconds for one in earlier if one.key.startswith(f"{model} {device} "))


def with_one_more(earlier: Sequence[Started], started: Started) -> tuple[Started, ...]:
    """Return what is to be kept after one more start, bounded in number."""
    same = [one for one in earlier if (one.key, one.first) == (started.key, started.first)]
    gone = {id(one) for one in same[: len(same) + 1 - MOST_OF_ONE] if len(same) >= MOST_OF_ONE}
    return (*(one for one in earlier if id(one) not in gone), started)[-MOST:]


def middle(seconds: Sequence[float]) -> float:
    """Return the median; the library's own would load more than a listing needs."""
    ordered, half = sorted(seconds), len(seconds) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def usual_text(seconds: Sequence[float]) -> str:
    """Return `usually 12 min (from 3 earlier starts here)`, empty where there was none."""
    if not seconds:
        return ""
    starts = "start" if len(seconds) == 1 else "starts"
    return f"usually {_said(middle(seconds))} (from {len(seconds)} earlier {starts} here)"


def _said(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / MINUTE_S)} min"
