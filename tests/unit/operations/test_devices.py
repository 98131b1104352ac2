# SPDX-License-Identifier: Apache-2.0
"""Is tt-smi asked only where it disturbs nobody, and is everything of a board told?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.standins import machines
from tests.unit.fakes import Scene

from ttctl.adapters.chip_sensors import sensors
from ttctl.adapters.host import LocalHost
from ttctl.adapters.tt_smi_snapshot import parse_snapshot
from ttctl.errors import BadFileError, UsageError
from ttctl.model.device import Topology
from ttctl.model.telemetry import Answered, Listed, Telemetry
from ttctl.operations.devices import Looked, Wish, info, look

FILE = Path("case.json")
ISOLATED = Topology(kind="isolated", reason="it lists so", source="tt-topology -ls")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def with_cards(scene: Scene, root: Path, device: str) -> Scene:
    """Put a made-up machine's cards into a scene."""
    machines.tree(root, device)
    return again(scene, root)


def again(scene: Scene, root: Path) -> Scene:
    scene.host.found = LocalHost(root, affinity=8).system()
    scene.telemetry.own = sensors(root)
    return scene


def said(device: str, year: int = 2026, **changes: dict[str, object]) -> Telemetry:
    return parse_snapshot(machines.printed(machines.snapshot(device, year, **changes)), "tt-smi")


def looked(scene: Scene, **wish: object) -> Looked:
    return look(scene.world, Wish(**wish))  # type: ignore[arg-type]


def test_a_machine_without_cards_asks_nobody(scene: Scene) -> None:
    found = looked(scene, ask=True)
    assert (found.system.device, found.readings, found.notes) == ("cpu", (), ())
    assert scene.calls == []


def test_free_boards_are_asked_and_their_values_completed(scene: Scene, tmp_path: Path) -> None:
    with_cards(scene, tmp_path, "t3k").telemetry.answer = Answered(telemetry=said("t3k"))
    found = looked(scene, ask=True)
    assert scene.calls == ["tt-smi -s"]
    assert len(found.readings) == 8
    first = found.readings[0]
    assert (first.temperature_c, first.dram_ok, first.power_limit_w) == (39.062, True, 550.0)
    assert {board.verdict for board in found.system.boards} == {"healthy"}
    one = info(found, None).boards[0]
    assert [chip.remote for chip in one.chips] == [False, True]
    assert info(found, None).source.startswith("tt-smi")


@pytest.mark.parametrize("serials", [True, False])
@pytest.mark.parametrize("numbers", [True, False])
def test_remote_chips_find_their_boards_also_where_no_number_is_told(
    scene: Scene,
    tmp_path: Path,
    serials: bool,  # noqa: FBT001
    numbers: bool,  # noqa: FBT001
) -> None:
    machines.tree(tmp_path, "t3k", serials=serials)
    quiet: dict[str, object] = {} if numbers else {"BOARD_ID_HIGH": None, "BOARD_ID_LOW": None}
    shown: dict[str, object] = {} if numbers else {"board_id": "N/A"}
    last = said("t3k", smbus_telem=quiet, board_info=shown)
    again(scene, tmp_path).telemetry.last = last
    found = looked(scene)
    assert [len(one.chips) for one in info(found, None).boards] == [2, 2, 2, 2]
    assert {one.verdict for one in found.system.boards} == {"healthy"}


def test_listing_takes_what_was_kept_and_asks_nobody(scene: Scene, tmp_path: Path) -> None:
    with_cards(scene, tmp_path, "n300").telemetry.last = said(
        "n300", board_info={"dram_status": False}
    )
    found = looked(scene)
    assert scene.calls == []
    assert found.system.boards[0].verdict == "error"


@pytest.mark.parametrize("seen", [True, False])
def test_boards_that_somebody_may_hold_are_left_alone(
    scene: Scene,
    tmp_path: Path,
    seen: bool,  # noqa: FBT001
) -> None:
    machines.tree(tmp_path, "p300x2")
    if seen:
        machines.opened(tmp_path, 3, 120)
    else:
        machines.unreadable_pids(tmp_path, 3)
        machines.blind(tmp_path, 1)
    found = looked(again(scene, tmp_path), ask=True)
    assert scene.calls == []
    who = "held by pid 120 (python3)" if seen else "perhaps held by another user's process"
    assert found.system.boards[1].free == ("held" if seen else "unknown")
    assert found.notes == (f"tt-smi is not asked: board {found.system.boards[1].id} is {who}.",)


def test_why_there_is_no_telemetry_is_said(scene: Scene, tmp_path: Path) -> None:
    found = looked(with_cards(scene, tmp_path, "n150"), ask=True)
    assert found.notes == ("No telemetry: tt-smi is not installed.",)
    assert found.system.boards[0].verdict == "healthy"


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_a_snapshot_stands_in_for_cards_that_are_not_here(scene: Scene, device: str) -> None:
    scene.telemetry.file = said(device)
    found = looked(scene, snapshot=FILE, ask=True)
    assert found.system.device == device
    assert [one.device for one in found.system.forms] == list(machines.KINDS[device].forms)
    assert "no card" in found.notes[0]
    chips = sum(len(one.chips) for one in info(found, None).boards)
    assert chips == len(machines.chips_of(machines.KINDS[device]))
    assert scene.calls == []


def test_a_snapshot_of_these_cards_adds_its_values(scene: Scene, tmp_path: Path) -> None:
    with_cards(scene, tmp_path, "p150").telemetry.file = said(
        "p150", smbus_telem={"THERM_TRIP_COUNT": "0x2"}
    )
    scene.telemetry.own = tuple(replace(one, trips=None) for one in scene.telemetry.own)
    found = looked(scene, snapshot=FILE, ask=True)
    assert (found.notes, scene.calls) == ((), [])
    assert found.system.boards[0].verdict == "warning"


def test_a_snapshot_of_other_cards_is_not_mixed_in(scene: Scene, tmp_path: Path) -> None:
    with_cards(scene, tmp_path, "n150").telemetry.file = said("p300x2")
    found = looked(scene, snapshot=FILE)
    assert found.telemetry is None
    assert "other cards" in found.notes[0]
    assert found.system.boards[0].verdict == "healthy"


def test_a_damaged_snapshot_is_refused(scene: Scene) -> None:
    with pytest.raises(BadFileError):
        looked(scene, snapshot=FILE)


@pytest.mark.parametrize(("device", "here"), [("n300", True), ("p150x4", False)])
def test_a_device_that_was_named_is_taken_and_a_mismatch_said(
    scene: Scene,
    tmp_path: Path,
    device: str,
    here: bool,  # noqa: FBT001
) -> None:
    system = looked(with_cards(scene, tmp_path, "t3k"), device=device).system
    assert system.device == device
    assert ("these cards form" in system.evidence) != here


def test_a_board_is_named_by_any_of_its_names(scene: Scene, tmp_path: Path) -> None:
    found = looked(with_cards(scene, tmp_path, "p300x2"))
    board = found.system.boards[1]
    for name in (board.id.upper(), "1", *board.nodes, *board.pci_addresses, *board.asic_ids):
        assert [one.board.id for one in info(found, name).boards] == [board.id]
    with pytest.raises(UsageError, match="There is no board 'x'") as caught:
        info(found, "x")
    assert board.id in caught.value.evidence


def test_places_that_tt_smi_tells_decide_and_tt_topology_is_not_asked(
    scene: Scene, tmp_path: Path
) -> None:
    with_cards(scene, tmp_path, "t3k").telemetry.answer = Answered(telemetry=said("t3k"))
    found = looked(scene, ask=True).system.topology
    assert found is not None
    assert found.kind == "mesh"
    assert scene.calls == ["tt-smi -s"]


@pytest.mark.parametrize("held", [False, True])
def test_without_places_tt_topology_is_asked_where_nothing_holds_a_board(
    scene: Scene, tmp_path: Path, *, held: bool
) -> None:
    machines.tree(tmp_path, "n150x4")
    if held:
        machines.opened(tmp_path, 0, 120)
    again(scene, tmp_path).telemetry.listing = Listed(topology=ISOLATED)
    found = looked(scene, ask=True)
    assert found.system.topology == ISOLATED
    assert ("tt-topology -ls" in scene.calls) != held
    assert info(found, None).topology == ISOLATED


def test_listing_boards_asks_neither_and_says_that_it_is_not_known(
    scene: Scene, tmp_path: Path
) -> None:
    found = looked(with_cards(scene, tmp_path, "t3k")).system.topology
    assert found is not None
    assert found.kind == "unknown"
    assert found.reason == "by the chips' places, which tt-smi tells: 0 of 8 are known"
    assert scene.calls == []
