# SPDX-License-Identifier: Apache-2.0
"""Which value is out of line with those of its siblings? Pure.

Siblings are the same model on other devices that have as many chips or more: a Galaxy may well need
more than a T3K. A factor of ten too many, once typed, is validated as
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
"""So many times the largest of the siblings, 5.8 for the known one."""
FEWEST = 2
"""Siblings that must have the value."""
CHIPS = {
    "n150": 1, "n150x4": 4, "n300": 2, "t3k": 8, "p100": 1, "p150": 1, "p150x4": 4, "p150x8": 8,
    "p300": 2, "p300x2": 4, "galaxy": 32, "galaxy_t3k": 8, "blackhole_galaxy": 32,
    "dual_galaxy": 64, "quad_galaxy": 128,
}  # fmt: skip
"""Source: tenstorrent/tt-inference-server@v0.20.0: workflows/device_utils.py, and for several
Galaxies the mesh shapes of workflows/workflow_types.py.
"""


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
        least = CHIPS.get(spec.device, 0)
        others = [
            one
            for one in sizes[spec.model, option]
            if one[1] != spec.device and CHIPS.get(one[1], 0) >= least
        ]
        if len(others) < FEWEST:
            continue
        largest, device = max(others)
        if value >= FACTOR * largest > 0:
            lines.append(
                f"{option} {value} is {value / largest:.1f} times the largest of this model's other"
                f" devices of its size and above ({largest} on {device})"
            )
    return tuple(lines)
