# SPDX-License-Identifier: Apache-2.0
"""How large a model's trace region is, and with what words it is made larger. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.rules.tt_options import options_of, spelled

if TYPE_CHECKING:
    from ttctl.model.pins import Flag
    from ttctl.model.spec import ModelSpec

FLAG, OPTION = "trace-region-size", "trace_region_size"
"""A word of ours behind `--`, and the Tenstorrent option that it becomes, in bytes."""
Arguments = tuple[tuple[str, str], ...]


def with_trace_region(arguments: Arguments, flag: Flag, *, model: str) -> Arguments:
    """Return the arguments with the size that the user asked for among the Tenstorrent options.

    Raises:
        UsageError: What serves the model has no trace region, or no place to say so.
    """
    asked = dict(arguments).get(FLAG)
    if asked is None:
        return arguments
    rest = tuple(one for one in arguments if one[0] != FLAG)
    if not flag:
        raise UsageError(
            f"{model!r} has no trace region that can be set.",
            why="Only vLLM on a card takes this Tenstorrent option.",
            evidence=f"--{FLAG} {asked}",
            next_step=f"ttctl models show {model}",
        )
    return spelled(rest, flag, options_of(rest) | {OPTION: int(asked)})


def way_out(spec: ModelSpec, *, needed: int, up: str) -> tuple[str, str]:
    """Return how a trace region of `needed` bytes is had: what is known, and what to type.

    Args:
        spec: What was started.
        needed: Bytes that the engine asked for.
        up: The line that brings the stack up.
    """
    later = _later(spec)
    if later >= needed:
        known = f"the newest release sets {later} for this entry"
        return known, f"{up} --values latest"
    known = f"the newest release sets {later}, which is too small, too" if later else ""
    return known, f"{up} -- --{FLAG} {needed}"


def _later(spec: ModelSpec) -> int:
    """Return what the newest release sets, 0 where it is the same or nothing."""
    named = (one.latest for one in spec.changed if one.option and one.name == OPTION)
    return next((int(text) for text in named if text.isdecimal()), 0)
