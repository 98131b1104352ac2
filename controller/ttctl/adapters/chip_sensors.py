# SPDX-License-Identifier: Apache-2.0
"""What does each chip say of itself? From the driver's files: nothing is opened or asked.

Source: https://github.com/tenstorrent/tt-kmd/blob/4af71921ac021e24859ae15d8438997a44dbbf58/docs/sysfs-attributes.md
and hwmon.c, blackhole.c, wormhole.c beside it. Not yet run on a card.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.tree import address_of, chip_folders, names_in, text_of, word_of
from ttctl.model.telemetry import ChipReading
from ttctl.rules.families import family_of, is_galaxy, pci_device_of, says, type_by_number

if TYPE_CHECKING:
    from pathlib import Path

BEAT_S = 0.6
"""How long a heart may take to beat. The counters go up ten or twelve times a second.

Source: https://github.com/tenstorrent/tt-smi/blob/07208d7e783b8bb585440460db53f515b5828f16/tt_smi/backend.py,
which divides them by five and six to get two a second
"""
POLL_S = 0.05
MILLI = 1000
MICRO = 1_000_000
NO_VERSION = ("0.0.0.0", "255.255.255.255")  # noqa: S104 - versions, no addresses


def sensors(root: Path, *, watch: bool = False) -> tuple[ChipReading, ...]:
    """Return every chip's values, in the order of the nodes.

    Args:
        root: Where the host's file system starts.
        watch: Look again until every heart has beaten, at most `BEAT_S`.
    """
    folders = [folder for _, folder in chip_folders(root)]
    found = [_reading(folder) for folder in folders]
    return tuple(_watched(folders, found) if watch else found)


def card_type_of(folder: Path) -> str:
    """Return the kind of a chip's card: the driver's word, else what the board's number says.

    Drivers older than a card call it `unknown`, and show its number all the same. A number of
    another chip's kind is not believed.
    """
    word = word_of(folder / "tt_card_type")
    if family_of(word):
        return word
    told = type_by_number(word_of(folder / "tt_serial"))
    pci = text_of(folder / "device/device").removeprefix("0x")
    if told and pci == pci_device_of(family_of(told)):
        return told
    return "" if word == "unknown" else word


def firmware_of(folder: Path) -> str:
    """Return the version of the firmware bundle, empty where the driver has none to tell.

    A Galaxy keeps it where others keep the version of tt-flash.

    Source: https://github.com/tenstorrent/tt-smi/issues/36
    """
    names = ["tt_fw_bundle_ver"]
    if is_galaxy(family_of(card_type_of(folder))):
        names.append("tt_ttflash_ver")
    texts = (word_of(folder / name) for name in names)
    return next((text for text in texts if says(text) and text not in NO_VERSION), "")


def _reading(folder: Path) -> ChipReading:
    hwmon = folder / "device/hwmon"
    monitor = hwmon / next(iter(names_in(hwmon)), "none")
    return ChipReading(
        pci_address=address_of(folder),
        asic_id=word_of(folder / "tt_asic_id"),
        board_id=word_of(folder / "tt_serial"),
        card_type=card_type_of(folder),
        firmware=firmware_of(folder),
        temperature_c=_number(monitor / "temp1_input", MILLI),
        throttle_c=_number(monitor / "temp1_max", MILLI) or None,
        power_w=_number(monitor / "power1_input", MICRO),
        power_limit_w=_number(monitor / "power1_max", MICRO) or None,
        voltage_v=_number(monitor / "in0_input", MILLI),
        current_a=_number(monitor / "curr1_input", MILLI),
        clock_mhz=_number(folder / "tt_aiclk"),
        heartbeat=_count(folder / "tt_heartbeat"),
        trips=_count(folder / "tt_therm_trip_count"),
    )


def _watched(folders: list[Path], found: list[ChipReading]) -> list[ChipReading]:
    beats: dict[int, bool] = {
        at: False for at, one in enumerate(found) if one.heartbeat is not None
    }
    deadline = time.monotonic() + BEAT_S
    while not all(beats.values()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
        for at in [at for at, beaten in beats.items() if not beaten]:
            now = _count(folders[at] / "tt_heartbeat")
            beats[at] = now is not None and now != found[at].heartbeat
    return [replace(one, beats=beats.get(at)) for at, one in enumerate(found)]


def _number(path: Path, unit: int = 1) -> float | None:
    try:
        return int(text_of(path)[:20]) / unit
    except ValueError:
        return None


def _count(path: Path) -> int | None:
    try:
        return int(text_of(path)[:20], 0)
    except ValueError:
        return None
