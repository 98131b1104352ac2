# SPDX-License-Identifier: Apache-2.0
"""Which value is out of line with those of its siblings? Pure.

Siblings are the same model on other devices. A factor of ten too many, once typed, is validated as
nobody runs out of memory at once: 900000000 for Llama-3.1-8B on p150, where the change that brought
it speaks of 90000000 (tenstorrent/tt-inference-server#4112).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.rules.tt_options import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.spec import ModelSpec

SIZES = ("trace_region_size", "worker_l1_size", "l1_small_size")
"""Bytes on a chip: they follow model and mesh, but no mesh needs many times another's."""
FACTOR = 4
"""So many times the largest of the siblings. The built-in catalog's next one is at 2.2."""
FEWEST = 2
"""Siblings that must have the value."""


def with_suspects(specs: Iterable[ModelSpec]) -> tuple[ModelSpec, ...]:
    """Return the specs, with what is out of line added to those that have it."""
    all_specs = tuple(specs)
    sizes: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for spec in all_specs:
        for option, value in _sizes(spec):
            sizes[spec.model, option].append((value, spec.device))
    return tuple(
        replace(spec, suspect=(*spec.suspect, *found)) if (found := _found(spec, sizes)) else spec
        for spec in all_specs
    )


def _sizes(spec: ModelSpec) -> list[tuple[str, int]]:
    options = options_of(spec.engine_args)
    return [
        (name, value)
        for name in SIZES
        if isinstance(value := options.get(name), int) and not isinstance(value, bool)
    ]


def _found(spec: ModelSpec, sizes: dict[tuple[str, str], list[tuple[int, str]]]) -> tuple[str, ...]:
    lines: list[str] = []
    for option, value in _sizes(spec):
        others = [one for one in sizes[spec.model, option] if one[1] != spec.device]
        if len(others) < FEWEST:
            continue
        largest, device = max(others)
        if value >= FACTOR * largest > 0:
            lines.append(
                f"{option} {value} is {value / largest:.1f} times the largest of this model's other"
                f" devices ({largest} on {device})"
            )
    return tuple(lines)
