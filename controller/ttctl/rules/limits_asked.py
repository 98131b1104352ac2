# SPDX-License-Identifier: Apache-2.0
"""Are the limits that a user asks for within what was validated, and what do they change? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec, Request

LOWEST = {"max_model_len": 16, "max_num_seqs": 1}
"""Limits of which less may be asked for than was validated, and the least; a block has sizes."""
NAMES = ("max_model_len", "max_num_seqs", "block_size")


def refuse_beyond(spec: ModelSpec, request: Request) -> None:
    """Refuse a limit beyond the one that an entry with pins was validated with.

    An entry that does not say a limit, or is of our own images, is no bound.

    Raises:
        UsageError: One is; the evidence has the validated one.
    """
    if spec.pins is None:
        return
    for name, lowest in LOWEST.items():
        value, validated = getattr(request, name), getattr(spec.limits, name)
        if value is None or not validated or lowest <= value <= validated or value == validated:
            continue
        flag = name.replace("_", "-")
        raise UsageError(
            f"--{flag} {value} is beyond what was validated.",
            why=f"From {lowest} up to the validated limit it may be any; more was never tried.",
            evidence=f"Validated for {spec.model} on {spec.device}: up to {validated}.",
            next_step=f"ttctl models show {spec.model}",
            mistyped=str(value),
            meant=str(validated if value > validated else min(lowest, validated)),
        )


def yours(validated: ModelSpec, changed: ModelSpec) -> tuple[str, ...]:
    """Say each limit that the user changed, with the validated one."""
    return tuple(
        f"{name.replace('_', '-')} {now}, in place of the validated {before}"
        for name in NAMES
        if (now := getattr(changed.limits, name)) != (before := getattr(validated.limits, name))
    )
