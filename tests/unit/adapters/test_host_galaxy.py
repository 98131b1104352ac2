# SPDX-License-Identifier: Apache-2.0
"""Is a Galaxy known by the driver's files alone, whatever the driver calls it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.standins import machines

from ttctl.adapters.host import LocalHost

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import System

UPI = {"galaxy": "35", "blackhole_galaxy": "47", "galaxy_t3k": "35"}
VIRTUAL = 0x51
"""First bus number of a virtual machine: no tray's."""


def found(root: Path, device: str, **more: Any) -> System:  # noqa: ANN401
    return LocalHost(machines.tree(root, device, **more), affinity=8).system()


@pytest.mark.parametrize("device", list(UPI))
@pytest.mark.parametrize("card", ["", "unknown", "board-x"])
def test_a_galaxy_is_known_by_its_cards_word_or_else_by_its_boards_numbers(
    tmp_path: Path, device: str, card: str
) -> None:
    system = found(tmp_path, device, card=card)
    assert system.device == device
    assert [one.device for one in system.forms] == list(machines.KINDS[device].forms)
    assert {board.verdict for board in system.boards} == {"healthy"}


@pytest.mark.parametrize("device", list(UPI))
def test_one_number_for_all_boards_is_told_apart_by_the_trays(tmp_path: Path, device: str) -> None:
    number = f"01000{UPI[device]}100000000"
    system = found(tmp_path, device, card="unknown", serial=number)
    assert system.device == device
    assert [board.chips for board in system.boards] == [8] * machines.KINDS[device].boards
    assert len({board.id for board in system.boards}) == machines.KINDS[device].boards


@pytest.mark.parametrize("serial", ["", "0" * 16])
@pytest.mark.parametrize("device", ["galaxy", "blackhole_galaxy"])
def test_where_the_buses_do_not_tell_the_trays_it_is_said(
    tmp_path: Path, device: str, serial: str
) -> None:
    one = serial or f"01000{UPI[device]}100000000"
    system = found(tmp_path, device, serial=one, buses=VIRTUAL)
    assert system.device == device
    assert [(form.device, form.reason.partition("; ")[2]) for form in system.forms] == [
        (device, "which chips share a tray is not told")
    ]
    assert [board.chips for board in system.boards] == [32]


def test_eight_chips_of_a_galaxy_are_a_t3k_and_their_tray_is_not_made_up(tmp_path: Path) -> None:
    system = found(tmp_path, "galaxy_t3k", serials=False, buses=VIRTUAL)
    assert system.device == "galaxy_t3k"
    assert "that they share a tray is not told" in system.forms[0].reason


@pytest.mark.parametrize("skip", [(3,), (0, 1, 2)])
def test_a_part_of_a_galaxy_forms_its_trays_only(tmp_path: Path, skip: tuple[int, ...]) -> None:
    system = found(tmp_path, "galaxy", skip=skip)
    assert system.device == ("galaxy_t3k" if len(skip) == 3 else "")
    assert [one.device for one in system.forms] == ["galaxy_t3k"] * (4 - len(skip))


def test_the_carriers_of_a_four_unit_galaxy_are_named_and_make_up_nothing(tmp_path: Path) -> None:
    root = machines.tree(tmp_path, "n150x4", card="unknown")
    for at in range(4):
        serial = root / f"sys/class/tenstorrent/tenstorrent!{at}/tt_serial"
        serial.write_text(f"010000810000000{at}\n")
    system = LocalHost(root, affinity=8).system()
    assert (system.device, system.forms) == ("", ())
    assert "carriers of a four-unit Galaxy" in system.reason
    assert "tt-smi" in system.reason
