# SPDX-License-Identifier: Apache-2.0
"""Is each board's health told with its reason, and never better than it is?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ttctl.model.device import Board
from ttctl.model.telemetry import ChipReading
from ttctl.rules.board_health import judged, readings_by_board, with_holders

BOARD = Board(
    id="0000014031900000",
    family="n300",
    nodes=("/dev/tenstorrent/0",),
    pci_addresses=("0000:01:00.0",),
    asic_ids=("aa", "bb"),
    chips=2,
    firmware="19.13.1.0",
)
WELL = ChipReading(
    pci_address="0000:01:00.0",
    asic_id="aa",
    temperature_c=40,
    throttle_c=90,
    shutdown_c=110,
    heartbeat=4000,
    trips=0,
    dram_ok=True,
)


def verdict(reading: ChipReading | None, board: Board = BOARD) -> tuple[str, tuple[str, ...]]:
    [found] = judged([board], [reading] if reading else [])
    return found.verdict, found.reasons


@pytest.mark.parametrize(
    ("changes", "expected", "reason"),
    [
        pytest.param({}, "healthy", "", id="well"),
        pytest.param({"temperature_c": 89.9}, "healthy", "", id="warm enough"),
        pytest.param({"temperature_c": 90.0}, "warning", "slows down from 90 C", id="hot"),
        pytest.param({"temperature_c": 110.0}, "error", "its limit is 110 C", id="too hot"),
        pytest.param({"dram_ok": False}, "error", "its memory was not trained", id="no memory"),
        pytest.param({"dram_ok": None}, "healthy", "", id="memory not told"),
        pytest.param({"beats": False}, "error", "heart does not beat", id="dead"),
        pytest.param({"beats": True}, "healthy", "", id="alive"),
        pytest.param({"heartbeat": 0}, "error", "heart never beat", id="never alive"),
        pytest.param({"heartbeat": None}, "unknown", "shows no heartbeat", id="no heart"),
        pytest.param({"trips": 1}, "warning", "for its temperature once", id="tripped"),
        pytest.param({"trips": 3}, "warning", "3 times", id="tripped often"),
        pytest.param({"trips": 2, "beats": False}, "error", "heart", id="the worst counts"),
        pytest.param({"trips": 2, "heartbeat": None}, "warning", "2 times", id="bad and unknown"),
    ],
)
def test_a_chip_decides_how_its_board_is(
    changes: dict[str, Any], expected: str, reason: str
) -> None:
    found, reasons = verdict(replace(WELL, **changes))
    assert found == expected
    assert reason in " ".join(reasons[:1])
    assert bool(reasons) == (expected != "healthy")


@pytest.mark.parametrize(
    ("changes", "expected", "reason"),
    [
        ({"firmware": ""}, "warning", "no version of the firmware is told"),
        ({"firmware": "banana"}, "unknown", "its firmware 'banana' is not understood"),
        ({"firmware": "19.1, 18.2"}, "error", "its chips have different firmware: 19.1, 18.2"),
        ({"nodes": ()}, "error", "it shows 0 of 1 device nodes"),
        ({"family": ""}, "unknown", "the driver does not say what kind of card it is"),
        ({"family": "", "nodes": ()}, "error", "the driver does not show it"),
    ],
)
def test_a_board_by_itself_can_be_wrong(
    changes: dict[str, Any], expected: str, reason: str
) -> None:
    found, reasons = verdict(WELL, replace(BOARD, **changes))
    assert found == expected
    assert any(reason in one for one in reasons)


@pytest.mark.parametrize("reading", [None, ChipReading(pci_address="0000:01:00.0")])
def test_a_board_whose_values_cannot_be_read_is_unknown(reading: ChipReading | None) -> None:
    found, reasons = verdict(reading)
    assert found == "unknown"
    assert "its chips' values cannot be read" in reasons


def test_a_chip_is_warm_from_one_limit_and_too_hot_from_the_other() -> None:
    wormhole = replace(WELL, throttle_c=75, shutdown_c=83)
    assert verdict(replace(wormhole, temperature_c=80))[0] == "warning"
    assert verdict(replace(wormhole, temperature_c=83))[0] == "error"


def test_a_remote_chip_belongs_to_its_board() -> None:
    remote = ChipReading(remote=True, board_id=BOARD.id.upper(), heartbeat=1, dram_ok=False)
    other = replace(remote, board_id="1")
    assert readings_by_board((BOARD,), [WELL, remote, other]) == ((WELL, remote),)
    [found] = judged([BOARD], [WELL, remote, other])
    assert found.reasons == ("remote chip: its memory was not trained",)


def test_a_chip_that_tt_smi_does_not_show_is_missed() -> None:
    [found] = judged([BOARD], [WELL], complete=True)
    assert (found.verdict, found.reasons) == ("error", ("tt-smi shows 1 of its 2 chips",))


@pytest.mark.parametrize(
    ("seen", "free"),
    [
        pytest.param({"/a": ((), True), "/b": ((), True)}, "free", id="nobody"),
        pytest.param({"/a": (("pid 1 (x)",), True), "/b": ((), False)}, "held", id="somebody"),
        pytest.param({"/a": ((), True), "/b": ((), False)}, "unknown", id="perhaps"),
        pytest.param({"/a": ((), True)}, "unknown", id="one was not looked at"),
    ],
)
def test_a_board_is_free_only_where_nobody_can_have_any_of_its_nodes(
    seen: dict[str, tuple[tuple[str, ...], bool]], free: str
) -> None:
    [found] = with_holders([replace(BOARD, nodes=("/a", "/b"))], seen)
    assert found.free == free
    assert bool(found.holders) == (free == "held")


def test_firmware_is_compared_with_boards_of_the_same_kind_only() -> None:
    other = replace(BOARD, id="2", family="p150", firmware="18.0.0.0", pci_addresses=("b",))
    old = replace(BOARD, id="3", firmware="18.0.0.0", pci_addresses=("c",))
    readings = [replace(WELL, asic_id="", pci_address=one) for one in ("0000:01:00.0", "b", "c")]
    found = judged([BOARD, other, old], readings)
    assert [one.verdict for one in found] == ["healthy", "healthy", "warning"]
    assert found[2].reasons == ("firmware 18.0.0.0, other boards have 19.13.1.0",)
