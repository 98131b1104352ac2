# SPDX-License-Identifier: Apache-2.0
"""Are boards judged by their health, and a mesh by its wiring?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ttctl.model.device import Board, System, Topology
from ttctl.rules.device_health import board_checks, stale_checks, topology_check

BOARD = Board(
    id="1", family="n300", nodes=("/dev/tenstorrent/0",), pci_addresses=("0000:01:00.0",), chips=2,
    firmware="19.13.1.0", verdict="healthy",
)  # fmt: skip
MACHINE = System(device="t3k", cores=1, memory_bytes=1, machine="x86_64")


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
    ("device", "kind", "verdict"),
    [
        pytest.param("t3k", "mesh", "ok", id="meshed"),
        pytest.param("t3k", "isolated", "failed", id="isolated"),
        pytest.param("n150x4", "linear/torus", "failed", id="a line"),
        pytest.param("n150x4", "unknown", "warning", id="not known"),
        pytest.param("t3k", None, "warning", id="nobody looked"),
        pytest.param("p150x4", None, "skipped", id="needs none"),
        pytest.param("", "mesh", "skipped", id="no device"),
    ],
)
def test_a_device_that_needs_a_mesh_is_judged_by_its_wiring(
    device: str,
    kind: Any,  # noqa: ANN401
    verdict: str,
) -> None:
    topology = Topology(kind=kind, reason="why", source="a test") if kind else None
    boards = (replace(BOARD, family="n150" if device == "n150x4" else "n300"),) * 4
    check = topology_check(replace(MACHINE, device=device, topology=topology, boards=boards))
    assert check.verdict == verdict
    assert check.fix.startswith(
        {"failed": "tt-topology -l mesh", "warning": "tt-topology -ls"}.get(verdict, "")
    )


@pytest.mark.parametrize("boards", [(), (BOARD,), (replace(BOARD, family="p150"),) * 4])
def test_boards_that_make_up_no_mesh_are_not_told_to_be_set_up(boards: tuple[Board, ...]) -> None:
    topology = Topology(kind="isolated", reason="why", source="a test")
    check = topology_check(replace(MACHINE, boards=boards, topology=topology))
    assert (check.verdict, check.fix) == ("skipped", "")
