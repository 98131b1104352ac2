# SPDX-License-Identifier: Apache-2.0
"""Are a chip's own files read, and is a heart that stands still noticed?"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

from ttctl.adapters.chip_sensors import BEAT_S, sensors

if TYPE_CHECKING:
    from pathlib import Path


def test_values_have_their_units(tmp_path: Path) -> None:
    [one] = sensors(machines.tree(tmp_path, "p150"))
    assert (one.temperature_c, one.throttle_c, one.power_w) == (39.062, 90.0, 21.0)
    assert (one.clock_mhz, one.heartbeat, one.trips, one.beats) == (1000.0, 4000, 0, None)
    assert (one.pci_address, one.firmware) == ("0000:01:00.0", "19.13.1.0")


def test_a_driver_of_2024_says_less(tmp_path: Path) -> None:
    [one] = sensors(machines.tree(tmp_path, "n150", year=2024))
    assert (one.temperature_c, one.heartbeat, one.asic_id) == (None, None, "")


@pytest.mark.parametrize("text", ["", "N/A", "-", "1e9", "9" * 400, "\x00"])
def test_a_file_that_holds_no_number_says_nothing(tmp_path: Path, text: str) -> None:
    machines.tree(tmp_path, "p150")
    for name in ("tt_heartbeat", "tt_therm_trip_count", "tt_aiclk"):
        path = tmp_path / "sys/class/tenstorrent/tenstorrent!0" / name
        path.write_text(text, encoding="utf-8")
    [one] = sensors(tmp_path, watch=True)
    if text[:1] != "9":
        assert (one.heartbeat, one.trips, one.clock_mhz, one.beats) == (None, None, None, None)


def test_a_heart_that_stands_still_is_noticed_within_its_time(tmp_path: Path) -> None:
    machines.tree(tmp_path, "p300")
    started = time.monotonic()
    assert [one.beats for one in sensors(tmp_path, watch=True)] == [False, False]
    assert BEAT_S <= time.monotonic() - started < BEAT_S * 4


def test_a_heart_that_beats_is_seen_at_once(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    path = tmp_path / "sys/class/tenstorrent/tenstorrent!0/tt_heartbeat"
    stop = threading.Event()

    def beat() -> None:
        count = 5000
        while not stop.wait(0.01):
            count += 1
            path.write_text(f"{count}\n", encoding="utf-8")

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        assert [one.beats for one in sensors(tmp_path, watch=True)] == [True]
    finally:
        stop.set()
        thread.join()


def test_a_machine_without_cards_says_nothing(tmp_path: Path) -> None:
    assert sensors(tmp_path, watch=True) == ()
