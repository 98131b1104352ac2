# SPDX-License-Identifier: Apache-2.0
"""Is the wiring of boards told by their chips' places, as tt-topology tells it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

from ttctl.adapters.tt_smi_snapshot import parse_snapshot
from ttctl.model.device import System
from ttctl.rules.replay import replayed
from ttctl.rules.topology import topology_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.device import Topology
    from ttctl.model.telemetry import Telemetry

NOTHING = System(device="cpu", cores=1, memory_bytes=1, machine="x86_64")


def said(device: str, layout: str, year: int = 2026) -> Telemetry:
    return parse_snapshot(machines.printed(machines.laid_out(device, layout, year)), "tt-smi")


def of(telemetry: Telemetry) -> Topology | None:
    return replayed(telemetry, NOTHING).topology


@pytest.mark.parametrize("year", machines.FORMATS)
@pytest.mark.parametrize("layout", list(machines.LAYOUTS))
@pytest.mark.parametrize("device", ["t3k", "n150x4"])
def test_each_layout_is_told_by_the_places(device: str, layout: str, year: int) -> None:
    found = of(said(device, layout, year))
    assert found is not None
    assert (found.kind, found.source.partition(" (")[0]) == (layout, "tt-smi")
    assert found.reason


@pytest.mark.parametrize("device", ["n150", "n300", "p150x4", "p300x2", "galaxy", "galaxy_t3k"])
def test_a_device_that_needs_no_mesh_has_no_topology(device: str) -> None:
    assert of(parse_snapshot(machines.printed(machines.snapshot(device)), "tt-smi")) is None


def without_one(telemetry: Telemetry) -> Telemetry:
    first, *rest = telemetry.chips
    return replace(telemetry, chips=(replace(first, coords=""), *rest))


def zeros(telemetry: Telemetry) -> Telemetry:
    chips = tuple(replace(one, coords="(0, 0, 0, 0)") for one in telemetry.chips)
    return replace(telemetry, chips=chips)


def two_pairs(telemetry: Telemetry) -> Telemetry:
    places = ("(0, 0, 0, 0)", "(1, 0, 0, 0)") * 2 + ("(0, 1, 0, 0)", "(1, 1, 0, 0)") * 2
    chips = zip(telemetry.chips, places, strict=True)
    return replace(telemetry, chips=tuple(replace(one, coords=at) for one, at in chips))


@pytest.mark.parametrize(
    ("change", "kind", "why"),
    [
        pytest.param(without_one, "unknown", "7 of 8 are known", id="one says nothing"),
        pytest.param(zeros, "unknown", "both chips of board", id="places that were not read"),
        pytest.param(two_pairs, "isolated", "2 chips have the place", id="two meshes of two"),
    ],
)
def test_places_that_are_none_are_not_believed(
    change: Callable[[Telemetry], Telemetry], kind: str, why: str
) -> None:
    found = of(change(said("t3k", "mesh")))
    assert found is not None
    assert found.kind == kind
    assert why in found.reason


def test_no_chip_has_no_topology() -> None:
    assert topology_of((), (), source="a test").kind == "unknown"


@pytest.mark.parametrize("device", ["p150", "n300", "galaxy"])
def test_a_mesh_that_was_only_named_is_not_looked_for(device: str) -> None:
    telemetry = parse_snapshot(machines.printed(machines.snapshot(device)), "tt-smi")
    found = replayed(telemetry, replace(NOTHING, mesh_device="(4, 8)"))
    assert found.topology is None
    found = replayed(telemetry, replace(NOTHING, mesh_device="N150x4"))
    assert (found.device, found.topology) == ("n150x4", None)
