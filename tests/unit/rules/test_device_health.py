# SPDX-License-Identifier: Apache-2.0
"""Are boards judged by their health, and a mesh by its chips' places?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.standins.machines import KINDS, chips_of

from ttctl.model.device import Board, System
from ttctl.model.telemetry import ChipReading
from ttctl.rules.device_health import board_checks, stale_checks, topology_check

BOARD = Board(
    id="1", family="n300", nodes=("/dev/tenstorrent/0",), pci_addresses=("0000:01:00.0",), chips=2,
    firmware="19.13.1.0", verdict="healthy",
)  # fmt: skip
MACHINE = System(device="t3k", cores=1, memory_bytes=1, machine="x86_64")
MESHED = [ChipReading(coords=chip.coords) for chip in chips_of(KINDS["t3k"])]


@pytest.mark.parametrize(
    ("health", "verdict"),
    [("healthy", "ok"), ("warning", "warning"), ("error", "failed"), ("unknown", "warning")],
)
def test_a_boards_health_is_a_verdict(health: str, verdict: str) -> None:
    board = replace(BOARD, verdict=health, reasons=("why",) if health != "healthy" else ())  # type: ignore[arg-type]
    [check] = board_checks([board])
    assert check.verdict == verdict
    assert check.evidence == ("" if verdict == "ok" else "why")


def test_a_board_that_was_left_in_disorder_needs_a_reset_however_well_it_seems() -> None:
    dirty = replace(BOARD, dirty="container box was killed (exit code 137)")
    [check] = board_checks([dirty])
    assert (check.verdict, check.fix) == ("warning", "ttctl devices reset")
    assert check.evidence == "container box was killed (exit code 137)"
    [check] = board_checks([replace(dirty, verdict="error", reasons=("its heart stands still",))])
    assert check.verdict == "failed"
    assert "its heart stands still" in check.evidence


def test_no_stale_file_is_no_line() -> None:
    assert stale_checks(()) == ()
    [check] = stale_checks(("device_0_tenstorrent",))
    assert (check.verdict, check.fix) == ("warning", "ttctl devices clear")


def test_boards_with_different_firmware_fail_together() -> None:
    *_, check = board_checks([BOARD, replace(BOARD, id="2", firmware="18.5.0")])
    assert (check.name, check.verdict) == ("same firmware", "failed")
    assert "18.5.0, 19.13.1.0" in check.evidence


def test_boards_of_another_kind_may_have_another_firmware() -> None:
    other = replace(BOARD, id="2", family="p150", firmware="18.5.0")
    assert [one.name for one in board_checks([BOARD, other])] == ["board 0", "board 1"]


@pytest.mark.parametrize(
    ("device", "readings", "verdict"),
    [
        pytest.param("t3k", MESHED, "ok", id="meshed"),
        pytest.param("t3k", MESHED[:1] * 8, "failed", id="isolated"),
        pytest.param("t3k", [*MESHED[:7], ChipReading()], "warning", id="one says nothing"),
        pytest.param("n150x4", [], "warning", id="nobody says"),
        pytest.param("p150x4", [], "skipped", id="needs none"),
        pytest.param("", MESHED, "skipped", id="no device"),
    ],
)
def test_a_mesh_is_known_by_places_of_its_own(
    device: str, readings: list[ChipReading], verdict: str
) -> None:
    check = topology_check(replace(MACHINE, device=device), readings)
    assert check.verdict == verdict
    assert bool(check.fix) == (verdict in {"failed", "warning"})
