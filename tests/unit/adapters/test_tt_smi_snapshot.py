# SPDX-License-Identifier: Apache-2.0
"""Is every snapshot read, whatever year it is of and whatever is wrong with it?"""

from __future__ import annotations

import copy
import json
import os
import random
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.standins.machines import FORMATS, KINDS, chips_of, four_unit_galaxy, printed, snapshot

from ttctl.adapters.tt_smi_snapshot import parse_snapshot
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.device import System
from ttctl.rules.replay import replayed

if TYPE_CHECKING:
    from ttctl.model.telemetry import ChipReading, Telemetry

BARE = System(device="cpu", cores=1, memory_bytes=1, machine="x86_64")
ANY_KIND = pytest.mark.parametrize("device", list(KINDS))


def read(found: dict[str, Any], **around: str) -> Telemetry:
    return parse_snapshot(printed(found, **around), "a file")


def chip(**changes: dict[str, object]) -> ChipReading:
    return read(snapshot("n150", **changes)).chips[0]


@ANY_KIND
@pytest.mark.parametrize("year", FORMATS)
def test_each_machine_is_known_by_its_snapshot_of_any_year(device: str, year: int) -> None:
    kind = KINDS[device]
    system = replayed(read(snapshot(device, year)), BARE)
    assert system.device == device
    assert [formed.device for formed in system.forms] == list(kind.forms)
    assert len(system.boards) == kind.boards
    assert sum(board.chips for board in system.boards) == len(chips_of(kind))
    assert len(system.chips) == kind.boards * kind.local
    assert {board.family for board in system.boards} == {kind.family}
    assert {board.firmware for board in system.boards} == {"19.13.1.0"}
    assert {(board.verdict, board.reasons) for board in system.boards} == {("healthy", ())}
    assert {len(board.asic_ids) for board in system.boards} == {kind.local + kind.remote}
    assert system.driver == "2.10.0"


@pytest.mark.parametrize("side", [" L", ""])
@pytest.mark.parametrize("device", ["n300", "t3k"])
def test_two_chips_of_a_board_that_are_listed_as_local_have_one_node(
    device: str, side: str
) -> None:
    found = snapshot(device)
    for at, one in enumerate(found["device_info"]):
        one["board_info"] |= {"board_type": f"n300{side}", "bus_id": f"0000:{at + 1:02x}:00.0"}
    system = replayed(read(found), BARE)
    assert system.device == device
    assert {(len(board.nodes), board.chips) for board in system.boards} == {(1, 2)}
    assert {board.verdict for board in system.boards} == {"healthy"}
    assert len(system.chips) == KINDS[device].boards


@ANY_KIND
def test_boards_without_a_number_are_paired_as_they_are_listed(device: str) -> None:
    found = snapshot(device, 2025)
    for one in found["device_info"]:
        one["board_info"]["board_id"] = "N/A"
        one["smbus_telem"] = {}
    system = replayed(read(found), BARE)
    assert system.device == device
    assert len(system.boards) == KINDS[device].boards
    assert [formed.device for formed in system.forms] == list(KINDS[device].forms)


@ANY_KIND
def test_a_snapshot_without_board_sections_is_known_by_its_registers(device: str) -> None:
    found = snapshot(device, 2024)
    for one in found["device_info"]:
        address = one["board_info"]["bus_id"]
        one["board_info"] = {"bus_id": address}
    system = replayed(read(found), BARE)
    assert system.device == device
    assert sum(board.chips for board in system.boards) == len(chips_of(KINDS[device]))


def test_a_galaxy_of_four_units_is_reached_through_its_carriers() -> None:
    system = replayed(read(four_unit_galaxy()), BARE)
    assert system.device == "galaxy"
    [board] = system.boards
    assert (board.chips, len(board.nodes), board.family) == (32, 4, "galaxy-wh")
    assert [formed.device for formed in system.forms] == ["galaxy"]


def test_text_around_the_snapshot_is_passed_over() -> None:
    found = read(
        snapshot("p150"),
        before="Detecting chips {0/1} ... {}\n[ 50%] {'a': 1}\r\n",
        behind="Gathering done {\n",
    )
    assert len(found.chips) == 1
    assert found.source == "a file (tt-smi 4.0.1)"
    assert found.taken == "2026-05-04T10:20:30.123456"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_snapshot_that_was_cut_short_is_refused(share: float) -> None:
    text = printed(snapshot("t3k"))
    with pytest.raises(BadFileError, match="no snapshot") as caught:
        parse_snapshot(text[: int(len(text.strip()) * share)], "half.json")
    assert "half.json" in caught.value.evidence
    assert caught.value.next_step.startswith("tt-smi -s")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No Tenstorrent driver detected!",
        "{}",
        "[]",
        '{"time": 1}',
        "{" * 5000,
        '{"device_info":' * 3000,
        '{"device_info": [' + "9" * 5000 + "]}",
    ],
    ids=["nothing", "words", "empty", "a list", "no chips", "braces", "deep", "a huge number"],
)
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(TtctlError):
        parse_snapshot(text, "a file")


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({"telemetry": {"current": " 42.0"}}, "current_a", 42.0, id="padded"),
        pytest.param({"telemetry": {"asic_temperature": 51}}, "temperature_c", 51.0, id="number"),
        pytest.param({"telemetry": {"asic_temperature": "N/A"}}, "temperature_c", None, id="N/A"),
        pytest.param({"telemetry": {"fan_speed": "65535"}}, "fan_rpm", None, id="no fan"),
        pytest.param({"telemetry": {"board_power": "182.0"}}, "power_w", 182.0, id="board power"),
        pytest.param({"limits": {"thm_limit": "0"}}, "shutdown_c", None, id="no limit"),
        pytest.param({"board_info": {"dram_status": False}}, "dram_ok", False, id="no memory"),
        pytest.param({"board_info": {"dram_status": "true"}}, "dram_ok", True, id="as a word"),
        pytest.param({"board_info": {"dram_status": None}}, "dram_ok", None, id="not said"),
        pytest.param({"board_info": {"bus_id": "N/A"}}, "pci_address", "", id="no address"),
        pytest.param({"board_info": {"board_type": "n150 L"}}, "card_type", "n150", id="local"),
        pytest.param({"board_info": {"board_type": "n300 R"}}, "remote", True, id="remote"),
        pytest.param({"board_info": {"coords": "(1, 0, 2, 3)"}}, "coords", "(1, 0, 2, 3)", id="at"),
        pytest.param({"smbus_telem": {"THERM_TRIP_COUNT": "0x3"}}, "trips", 3, id="trips"),
        pytest.param({"smbus_telem": {"THERM_TRIP_COUNT": None}}, "trips", None, id="no trips"),
        pytest.param({"smbus_telem": {"THERM_TRIP_COUNT": "0xzz"}}, "trips", None, id="no hex"),
        pytest.param({"telemetry": {"heartbeat": None}}, "heartbeat", 0x10C1, id="register"),
        pytest.param(
            {
                "firmwares": {"fw_bundle_version": "N/A"},
                "smbus_telem": {"FLASH_BUNDLE_VERSION": "0x130f0000"},
            },
            "firmware",
            "19.15.0.0",
            id="packed",
        ),
        pytest.param(
            {"firmwares": {"fw_bundle_version": "N/A", "tt_flash_version": "3.1.1.0"}},
            "firmware",
            "",
            id="a card's tt-flash is no bundle",
        ),
        pytest.param(
            {"board_info": {"board_type": "n150\x1b[31m\ud800"}},
            "card_type",
            "n150[31m",
            id="nothing for a terminal",
        ),
    ],
)
def test_values_are_read_in_every_spelling(
    changes: dict[str, Any], field: str, value: object
) -> None:
    assert getattr(chip(**changes), field) == value


def test_who_had_a_chip_open_is_read() -> None:
    found = snapshot("p300x2")
    found["processes"] = [
        {"pid": 12, "user": "me", "device": 2, "cmdline": "VLLM::EngineCore"},
        {"pid": "x"},
        7,
    ]
    system = replayed(read(found), BARE)
    assert [board.free for board in system.boards] == ["unknown", "held"]
    assert system.boards[1].holders == ("pid 12 (VLLM::EngineCore)",)


def test_a_board_that_lacks_its_remote_chip_is_in_error() -> None:
    found = snapshot("t3k")
    found["device_info"].pop()
    boards = replayed(read(found), BARE).boards
    assert [board.verdict for board in boards] == ["healthy"] * 3 + ["error"]
    assert boards[3].reasons == ("tt-smi shows 1 of its 2 chips",)


def test_a_snapshot_without_chips_shows_no_device() -> None:
    system = replayed(read({"device_info": []}), BARE)
    assert (system.device, system.boards) == ("", ())
    assert "no chip" in system.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", errors="replace")))
def test_any_text_is_a_value_or_a_refusal(text: str) -> None:
    for one in (text, '{"device_info": [' + text, printed(snapshot("n150"), before=text)):
        with suppress(TtctlError):
            replayed(parse_snapshot(one, "a file"), BARE)


@given(st.data())
def test_any_value_anywhere_is_a_value_or_a_refusal(data: st.DataObject) -> None:
    device = data.draw(st.sampled_from(["n300", "t3k", "p300x2", "galaxy_t3k"]))
    found = copy.deepcopy(snapshot(device, data.draw(st.sampled_from(FORMATS))))
    chance = random.Random(data.draw(st.integers(0, 1 << 16)))  # noqa: S311 - which key is changed
    for _ in range(3):
        place: Any = found
        while True:
            keys = list(range(len(place))) if isinstance(place, list) else list(place)
            key = chance.choice(keys)
            if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.2:
                place[key] = data.draw(JSON)
                break
            place = place[key]
        if not isinstance(found.get("device_info"), list) or not found["device_info"]:
            break
    with suppress(TtctlError):
        system = replayed(parse_snapshot(json.dumps(found), "a file"), BARE)
        json.dumps([board.id for board in system.boards]).encode()


SNAPSHOTS = sorted(Path(os.environ.get("EXPORTS") or "/nonexistent").glob("tt-smi/*.json"))


@pytest.mark.skipif(not SNAPSHOTS, reason="EXPORTS has no folder tt-smi with snapshots")
def test_real_snapshots_show_a_known_device_and_healthy_or_explained_boards() -> None:
    for file in SNAPSHOTS:
        system = replayed(parse_snapshot(file.read_text(encoding="utf-8"), file.name), BARE)
        assert system.boards, file.name
        assert system.device or system.forms or system.evidence, file.name
        assert all(board.family and board.firmware for board in system.boards), file.name
        assert all(board.verdict == "healthy" or board.reasons for board in system.boards)
        named = file.name.partition("-")[0]
        assert named not in KINDS or system.device == named, file.name


def test_chips_that_name_no_board_are_told() -> None:
    text = '{"device_info": [{"board_info": null}, {"board_info": {"board_type": "n150"}}]}'
    assert parse_snapshot(text, "x").source == "x (1 of 2 chips have no board_info)"


def test_chips_that_are_no_list_are_refused() -> None:
    with pytest.raises(BadFileError, match="no snapshot") as caught:
        parse_snapshot('{"device_info": {}}', "x")
    assert caught.value.evidence == "x: device_info is dict, no list."


@pytest.mark.parametrize(
    ("device", "slows", "off"), [("n300", 75, 83), ("galaxy", 75, 83), ("p150", 90, 110)]
)
def test_the_lower_limit_slows_down_whichever_name_it_has(
    device: str, slows: float, off: float
) -> None:
    text = printed(snapshot(device))
    for chip in parse_snapshot(text, "a file").chips:
        assert (chip.throttle_c, chip.shutdown_c) == (slows, off)
