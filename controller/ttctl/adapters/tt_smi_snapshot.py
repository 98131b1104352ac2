# SPDX-License-Identifier: Apache-2.0
"""What does a snapshot of tt-smi say? Whatever the text is, a value or a refusal comes of it.

Formats of 2024 to 2026: sections and keys come and went, numbers are padded strings, registers are
hex or null. Nothing here is trusted: what is no number is left out, what is no word is cleaned.

Source: https://github.com/tenstorrent/tt-smi/blob/07208d7e783b8bb585440460db53f515b5828f16/tt_smi/log.py
and backend.py beside it; the registers' older names begin with SMBUS_TX_.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.telemetry import ChipReading, Telemetry
from ttctl.rules.families import family_of, is_galaxy, says, type_by_number

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIED = 64
"""At how many braces a snapshot may begin: what stands before it is a line or two."""
LONGEST = 120
"""Of a word."""
MOST_CHIPS = 1024
NO_VERSION = ("0.0.0.0", "255.255.255.255")  # noqa: S104 - versions, no addresses
NO_FAN = 65535
"""What a register without a fan says."""

_SIDE = re.compile(r"\s+([LR])$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_DRIVER = re.compile(r"\d+(?:\.\d+)+\S*")
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})")

Section = dict[str, object]


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
    driver = _DRIVER.search(_word(_section(data, "host_info").get("Driver")))
    version = _word(_section(data, "host_sw_vers").get("tt_smi"))
    said = [f"tt-smi {version}"] if version else []
    if lost := sum(not isinstance(one, dict) or not one.get("board_info") for one in entries):
        said.append(f"{lost} of {len(entries)} chips have no board_info")
    return Telemetry(
        chips=tuple(_chip(one) for one in sections),
        source=f"{source} ({'; '.join(said)})" if said else source,
        driver=driver[0] if driver else "",
        holders=tuple(_holders(data.get("processes"))),
        taken=_word(data.get("time")),
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
    board, values = _section(entry, "board_info"), _section(entry, "telemetry")
    limits = _section(entry, "limits")
    smbus = _registers(_section(entry, "smbus_telem"))
    board_id = _board_id(board, smbus)
    spelled = _word(board.get("board_type"))
    side = _SIDE.search(spelled)
    card_type = _SIDE.sub("", spelled)
    if not says(card_type):
        card_type = type_by_number(board_id)
    address = _ADDRESS.fullmatch(_word(board.get("bus_id")))
    status = board.get("dram_status")
    heartbeat = _first(
        _number(values.get("heartbeat")),
        _register(smbus, "TIMER_HEARTBEAT"),
        _register(smbus, "ARC3_HEALTH"),
    )
    return ChipReading(
        pci_address=address[0].lower() if address else "",
        asic_id=_asic_id(smbus),
        board_id=board_id,
        card_type=card_type,
        remote=side[1].upper() == "R" if side else not address,
        firmware=_firmware(_section(entry, "firmwares"), smbus, card_type),
        temperature_c=_number(values.get("asic_temperature")),
        throttle_c=_positive(limits.get("therm_trip_l1_limit")),
        shutdown_c=_positive(limits.get("thm_limit")),
        power_w=_first(_positive(values.get("board_power")), _number(values.get("power"))),
        power_limit_w=_first(
            _positive(limits.get("board_power_limit")), _positive(limits.get("tdp_limit"))
        ),
        voltage_v=_positive(values.get("voltage")),
        current_a=_number(values.get("current")),
        clock_mhz=_number(values.get("aiclk")),
        clock_limit_mhz=_positive(limits.get("asic_fmax")),
        fan_rpm=_fan(values.get("fan_speed")),
        heartbeat=None if heartbeat is None else int(heartbeat),
        trips=_register(smbus, "THERM_TRIP_COUNT"),
        dram_ok=_truth(status),
        coords=_coords(_word(board.get("coords"))),
    )


def _firmware(firmwares: Section, smbus: Mapping[str, object], card_type: str) -> str:
    """Return the bundle's version; a Galaxy keeps it where others have that of tt-flash.

    Source: https://github.com/tenstorrent/tt-smi/issues/36
    """
    bundle = _register(smbus, "FLASH_BUNDLE_VERSION")
    found = [_word(firmwares.get("fw_bundle_version")), _quad(bundle)]
    if is_galaxy(family_of(card_type)):
        flash = _register(smbus, "TT_FLASH_VERSION")
        found += [_word(firmwares.get("tt_flash_version")), _quad(flash)]
    return next((one for one in found if says(one) and one not in NO_VERSION), "")


def _quad(packed: int | None) -> str:
    """Return a version of four bytes, `19.15.0.0` for 0x130f0000."""
    if not packed or packed < 0 or packed >= 0xFFFFFFFF:  # noqa: PLR2004 - all ones: not set
        return ""
    return ".".join(str(packed >> shift & 0xFF) for shift in (24, 16, 8, 0))


def _board_id(board: Section, smbus: Mapping[str, object]) -> str:
    """Return a board's number as 16 hex digits, empty where there is none."""
    for word in (_word(board.get("board_id")), _word(smbus.get("BOARD_ID"))):
        digits = word.lower().removeprefix("0x")
        if says(word) and re.fullmatch(r"[0-9a-f]{1,32}", digits):
            return digits.rjust(16, "0")
    return _pair(smbus, "BOARD_ID")


def _asic_id(smbus: Mapping[str, object]) -> str:
    single = _register(smbus, "ASIC_ID")
    return _pair(smbus, "ASIC_ID") or (f"{single:016x}" if single else "")


def _pair(smbus: Mapping[str, object], name: str) -> str:
    high, low = _register(smbus, f"{name}_HIGH"), _register(smbus, f"{name}_LOW")
    if high is None or low is None or not high | low:
        return ""
    return f"{high & 0xFFFFFFFF:08x}{low & 0xFFFFFFFF:08x}"


def _registers(smbus: Section) -> dict[str, object]:
    """Return the registers by their newer names."""
    return {str(name).removeprefix("SMBUS_TX_"): value for name, value in smbus.items()}


def _register(smbus: Mapping[str, object], name: str) -> int | None:
    """Return a register: hex in a string, or a number."""
    value = smbus.get(name)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1 << 64 else None
    text = _word(value).lower()
    if re.fullmatch(r"0x[0-9a-f]{1,16}", text):
        return int(text, 16)
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _holders(processes: object) -> list[tuple[int, str]]:
    found = []
    for one in processes[:MOST_CHIPS] if isinstance(processes, list) else ():
        if not isinstance(one, dict):
            continue
        device, pid = _number(one.get("device")), _number(one.get("pid"))
        if device is not None and pid is not None:
            name = _word(one.get("cmdline")) or "unknown"
            found.append((int(device), f"pid {int(pid)} ({name})"))
    return found


def _section(data: Section, name: str) -> Section:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    """Return a word without what could harm a terminal: only what can be printed stays."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value) if isinstance(value, str) else str(_number(value) or "")
    return "".join(one for one in text[: LONGEST * 2] if one.isprintable()).strip()[:LONGEST]


def _number(value: object) -> float | None:
    """Return a number, or what a padded string says: `" 42.0"`; None for `N/A` and the like."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return float(value) if abs(value) < 1 << 64 else None
    if isinstance(value, float):
        return value if math.isfinite(value) and abs(value) < 1 << 64 else None
    text = value.strip() if isinstance(value, str) else ""
    return float(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def _positive(value: object) -> float | None:
    """Return a number that is above zero: a limit of zero is none."""
    found = _number(value)
    return found if found is not None and found > 0 else None


def _fan(value: object) -> float | None:
    found = _number(value)
    return None if found == NO_FAN else found


def _coords(word: str) -> str:
    numbers = re.findall(r"\d{1,4}", word)
    return f"({', '.join(numbers)})" if len(numbers) > 1 else ""


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(_word(value).lower())


def _first(*found: float | None) -> float | None:
    return next((one for one in found if one is not None), None)
