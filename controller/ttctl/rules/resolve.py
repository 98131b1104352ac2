# SPDX-License-Identifier: Apache-2.0
"""Pick the model spec for a request. Pure: equal arguments give equal answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, UsageError
from ttctl.rules.find import is_meant, unknown_model
from ttctl.rules.limits_said import with_said
from ttctl.rules.trace_region import with_trace_region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.spec import ModelSpec, Request

LARGEST_MODEL_LEN = 1 << 20
LARGEST_NUM_SEQS = 1024
BLOCK_SIZES = (16, 32, 64, 128)


def resolve(specs: Sequence[ModelSpec], *, model: str, device: str) -> ModelSpec:
    """Return the spec of `model` (a name, its last part, or an alias) that fits `device`.

    Raises:
        UsageError: No entry has such a name; the evidence lists the nearest ones.
        NothingFitsError: The model is known, but not validated on `device`.
    """
    found = known(specs, model)
    fitting = [spec for spec in found if spec.device == device]
    if not fitting:
        devices = ", ".join(sorted({spec.device for spec in found}))
        raise NothingFitsError(
            f"No spec of {model!r} is validated on {device!r}.",
            why="The catalog has this model for other devices only.",
            evidence=f"Validated on: {devices}.",
            next_step=f"ttctl up {model} --device {found[0].device}",
            mistyped=device,
            meant=found[0].device,
            added=f"--device {found[0].device}",
        )
    return min(fitting, key=lambda spec: (spec.model != model, not spec.default, spec.model))


def known(specs: Sequence[ModelSpec], model: str) -> tuple[ModelSpec, ...]:
    """Return the specs that `model` names, on whatever device.

    Raises:
        UsageError: There is none; the evidence lists the nearest names.
    """
    found = is_meant(specs, model)
    if not found:
        raise unknown_model(specs, model)
    return found


def with_settings(spec: ModelSpec, request: Request) -> ModelSpec:
    """Return `spec` with the limits and flags that the request names, where its engine reads them.

    Raises:
        UsageError: A limit is out of its range, or its engine reads it nowhere.
    """
    wanted = {
        "max_model_len": (request.max_model_len, range(16, LARGEST_MODEL_LEN + 1)),
        "max_num_seqs": (request.max_num_seqs, range(1, LARGEST_NUM_SEQS + 1)),
        "block_size": (request.block_size, BLOCK_SIZES),
    }
    changes: dict[str, int] = {}
    for name, (value, allowed) in wanted.items():
        if value is None or value == getattr(spec.limits, name):
            # What the entry says itself was validated, and may be 0 where it does not say it.
            continue
        if value not in allowed:
            flag = "--" + name.replace("_", "-")
            raise UsageError(
                f"{flag} {value} is out of range.",
                why="The engine would refuse it, or the machine could not hold it.",
                evidence=f"Allowed: {_range_text(allowed)}.",
                next_step=f"ttctl config show up.{name}",
                mistyped=str(value),
                meant=str(_nearest_allowed(value, allowed)),
            )
        changes[name] = value
    said = with_said(spec, changes, request.engine_args or ())
    flag = spec.pins.flag if spec.pins else ""
    return replace(said, engine_args=with_trace_region(said.engine_args, flag, model=spec.model))


def _nearest_allowed(value: int, allowed: Sequence[int]) -> int:
    if isinstance(allowed, range):
        return min(max(value, allowed[0]), allowed[-1])
    return min(allowed, key=lambda one: abs(one - value))


def _range_text(allowed: Sequence[int]) -> str:
    if isinstance(allowed, range):
        return f"{allowed[0]} to {allowed[-1]}"
    return ", ".join(str(value) for value in allowed)
