# SPDX-License-Identifier: Apache-2.0
"""What does a snapshot of tt-smi say? Whatever the text is, a value or a refusal comes of it.

Formats of 2024 to 2026: sections and keys come and went, numbers are padded strings, registers are
hex or null. Nothing here is trusted: what is no number is left out, what is no word is cleaned.

Source: https://github.com/tenstorrent/tt-smi/blob/07208d7e783b8bb585440460db53f515b5828f16/tt_smi/log.py
and backend.py beside it; the registers' older names begin with SMBUS_TX_.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.snapshot_values import (
    LONGEST,
    Section,
    bytes_of,
    coords_of,
    fan_of,
    first_of,
    number_of,
    pair_of,
    positive_of,
    quad_of,
    register_of,
    registers_of,
    section_of,
    temperatures_of,
    truth_of,
    word_of,
)
from ttctl.errors import BadFileError
from ttctl.model.telemetry import ChipReading, Telemetry
from ttctl.rules.families import (
    CHIPS_PER_BOARD,
    FAMILIES,
    NODES_PER_BOARD,
    family_of,
    is_galaxy,
    says,
    type_by_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TRIED = 64
"""At how many braces a snapshot may begin: what stands before it is a line or two."""
MOST_CHIPS = 1024
BUNDLES = ("FLASH_BUNDLE_VERSION", "FW_BUNDLE_VERSION")
"""Registers of the bundle's version. Source: tt-smi, tt_smi/utils.py, get_fw_bundle_version"""
NO_VERSION = ("0.0.0.0", "255.255.255.255")  # noqa: S104 - versions, no addresses

_SIDE = re.compile(r"\s+([LR])$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_DRIVER = re.compile(r"\d+(?:\.\d+)+\S*")


def parse_snapshot(text: str, source: str, *, age_s: float | None = 0) -> Telemetry:
    """Read a snapshot.

    Args:
        text: What tt-smi printed, with whatever stands before and behind it.
        source: Where it is from, for the refusal and for people.
        age_s: Seconds since it was printed, None where nobody knows.

    Raises:
        BadFileError: There is no snapshot in it, or it was cut short.
    """
    data = _object_in(text, source)
    entries = data.get("device_info")
    if not isinstance(entries, list):
        raise _none(source, f"device_info is {type(entries).__name__}, no list")
    sections = [one for one in entries[:MOST_CHIPS] if isinstance(one, dict)]
    host = section_of(data, "host_info")
    driver = _DRIVER.search(word_of(host.get("Driver")))
    version = word_of(section_of(data, "host_sw_vers").get("tt_smi"))
    said = [f"tt-smi {version}"] if version else []
    if lost := sum(not isinstance(one, dict) or not _board_of(one) for one in entries):
        said.append(f"{lost} of {len(entries)} chips have no board_info")
    return Telemetry(
        chips=_with_local([_chip(one) for one in sections], sections),
        source=f"{source} ({'; '.join(said)})" if said else source,
        driver=driver[0] if driver else "",
        memory_bytes=bytes_of(host.get("Memory")),
        holders=tuple(_holders(data.get("processes"))),
        taken=word_of(data.get("time")),
        age_s=age_s,
    )


def _object_in(text: str, source: str) -> Section:
    """Return the first JSON object that has chips in it; text may stand before and behind it."""
    decoder = json.JSONDecoder()
    start, cause = text.find("{"), "it has no JSON object"
    for _ in range(TRIED):
        if start < 0:
            break
        try:
            data, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            cause = f"its JSON is not whole: {str(error)[:LONGEST]}"
        else:
            if isinstance(data, dict) and "device_info" in data:
                return data
        start = text.find("{", start + 1)
    raise _none(source, cause)


def _none(source: str, cause: str) -> BadFileError:
    return BadFileError(
        "This is no snapshot of tt-smi.",
        why="A snapshot is a JSON object with a list `device_info`, as `tt-smi -s` prints it.",
        evidence=f"{source or 'the text'}: {cause}.",
        next_step="tt-smi -s > snapshot.json",
    )


def _chip(entry: Section) -> ChipReading:
    board, values = _board_of(entry), section_of(entry, "telemetry")
    limits = section_of(entry, "limits")
    slows_c, off_c = temperatures_of(limits)
    smbus = registers_of(section_of(entry, "smbus_telem"))
    board_id = _board_id(board, smbus)
    spelled = word_of(board.get("board_type"))
    side = _SIDE.search(spelled)
    card_type = _SIDE.sub("", spelled)
    if family_of(card_type) not in FAMILIES:
        card_type = type_by_number(board_id) or card_type
    address = _ADDRESS.fullmatch(word_of(board.get("bus_id")))
    status = board.get("dram_status")
    heartbeat = first_of(
        number_of(values.get("heartbeat")),
        register_of(smbus, "TIMER_HEARTBEAT"),
        register_of(smbus, "ARC3_HEALTH"),
    )
    return ChipReading(
        pci_address=address[0].lower() if address else "",
        asic_id=_asic_id(smbus),
        board_id=board_id,
        card_type=card_type,
        remote=side[1].upper() == "R" if side else not address and _may_be_remote(card_type),
        firmware=_firmware(section_of(entry, "firmwares"), smbus, card_type),
        temperature_c=number_of(values.get("asic_temperature")),
        throttle_c=slows_c,
        shutdown_c=off_c,
        power_w=first_of(positive_of(values.get("board_power")), number_of(values.get("power"))),
        power_limit_w=first_of(
            positive_of(limits.get("board_power_limit")), positive_of(limits.get("tdp_limit"))
        ),
        voltage_v=positive_of(values.get("voltage")),
        current_a=number_of(values.get("current")),
        clock_mhz=number_of(values.get("aiclk")),
        clock_limit_mhz=positive_of(limits.get("asic_fmax")),
        fan_rpm=fan_of(values.get("fan_speed")),
        heartbeat=None if heartbeat is None else int(heartbeat),
        trips=register_of(smbus, "THERM_TRIP_COUNT"),
        dram_ok=truth_of(status),
        coords=coords_of(word_of(board.get("coords"))),
    )


def _board_of(entry: Section) -> Section:
    """Return what is said of a chip's board; short lists say it in the entry itself."""
    found = section_of(entry, "board_info")
    return found if found or "board_type" not in entry else entry


def _may_be_remote(card_type: str) -> bool:
    """Return whether a chip may have no node: Blackhole's and an n150's always have one."""
    family = family_of(card_type)
    return (
        not family
        or CHIPS_PER_BOARD.get(family, 1) > NODES_PER_BOARD.get(family, 1)
        or (family == "galaxy-wh")
    )


def _with_local(
    chips: Sequence[ChipReading], sections: Sequence[Section]
) -> tuple[ChipReading, ...]:
    """Say which chips of n300 boards are local where the snapshot does not, or not truly.

    A board has one chip with a node. Where neither side nor address is told, the first half are
    local; of two chips that share a board's number, or an address, only the first is.
    """
    own = [at for at, one in enumerate(chips) if family_of(one.card_type) == "n300"]
    spelled = [word_of(_board_of(sections[at]).get("board_type")) for at in own]
    found = list(chips)
    if all(chips[at].remote for at in own) and not any(map(_SIDE.search, spelled)):
        for at in own[: -(-len(own) // 2)]:
            found[at] = replace(found[at], remote=False)
    groups: dict[str, list[int]] = {}
    for at in own:
        one = found[at]
        groups.setdefault(one.board_id or one.pci_address or f"chip {at}", []).append(at)
    for group in groups.values():
        if len(group) == CHIPS_PER_BOARD["n300"] and not any(found[at].remote for at in group):
            second = group[1]
            found[second] = replace(found[second], remote=True, pci_address="")
    return tuple(found)


def _firmware(firmwares: Section, smbus: Mapping[str, object], card_type: str) -> str:
    """Return the bundle's version; a Galaxy keeps it where others have that of tt-flash.

    Source: https://github.com/tenstorrent/tt-smi/issues/36
    """
    found = [word_of(firmwares.get("fw_bundle_version"))]
    found += [quad_of(register_of(smbus, name)) for name in BUNDLES]
    if is_galaxy(family_of(card_type)):
        flash = register_of(smbus, "TT_FLASH_VERSION")
        found += [word_of(firmwares.get("tt_flash_version")), quad_of(flash)]
    return next((one for one in found if says(one) and one not in NO_VERSION), "")


def _board_id(board: Section, smbus: Mapping[str, object]) -> str:
    """Return a board's number as 16 hex digits, empty where there is none."""
    for word in (word_of(board.get("board_id")), word_of(smbus.get("BOARD_ID"))):
        digits = word.lower().removeprefix("0x")
        if says(word) and re.fullmatch(r"[0-9a-f]{1,32}", digits):
            return digits.rjust(16, "0")
    return pair_of(smbus, "BOARD_ID")


def _asic_id(smbus: Mapping[str, object]) -> str:
    single = register_of(smbus, "ASIC_ID")
    return pair_of(smbus, "ASIC_ID") or (f"{single:016x}" if single else "")


def _holders(processes: object) -> list[tuple[int, str]]:
    found = []
    for one in processes[:MOST_CHIPS] if isinstance(processes, list) else ():
        if not isinstance(one, dict):
            continue
        node = word_of(one.get("device")).removeprefix("/dev/tenstorrent/")
        device, pid = number_of(node or one.get("device")), number_of(one.get("pid"))
        if device is not None and pid is not None:
            name = word_of(one.get("cmdline")) or "unknown"
            found.append((int(device), f"pid {int(pid)} ({name})"))
    return found
