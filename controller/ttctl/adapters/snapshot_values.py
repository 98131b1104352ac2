# SPDX-License-Identifier: Apache-2.0
"""What is a value of a snapshot? Padded numbers, hex registers, words that are no words: read once.

Nothing here is trusted: what is no number is left out, what is no word is cleaned.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 120
"""Of a word."""
NO_FAN = 65535
"""What a register without a fan says."""

_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})")
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([KMGTP]?B)", re.IGNORECASE)
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")

Section = dict[str, object]


def section_of(data: Section, name: str) -> Section:
    """Return a section, empty where it is none."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def word_of(value: object) -> str:
    """Return a word without what could harm a terminal: only what can be printed stays."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value) if isinstance(value, str) else str(number_of(value) or "")
    return "".join(one for one in text[: LONGEST * 2] if one.isprintable()).strip()[:LONGEST]


def bytes_of(value: object) -> int:
    """Return what a size such as `249.31 GB` is in bytes, 0 where it is none.

    Source: tt-tools-common, tt_tools_common/utils_common/system_utils.py, get_size: each unit is
    1024 of the one before, whatever it is called.
    """
    found = _SIZE.fullmatch(word_of(value))
    return round(float(found[1]) * 1024 ** _UNITS.index(found[2].upper())) if found else 0


def number_of(value: object) -> float | None:
    """Return a number, or what a padded string says: `" 42.0"`; None for `N/A` and the like."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return float(value) if abs(value) < 1 << 64 else None
    if isinstance(value, float):
        return value if math.isfinite(value) and abs(value) < 1 << 64 else None
    text = value.strip() if isinstance(value, str) else ""
    return float(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def positive_of(value: object) -> float | None:
    """Return a number that is above zero: a limit of zero is none."""
    found = number_of(value)
    return found if found is not None and found > 0 else None


def temperatures_of(limits: Section) -> tuple[float | None, float | None]:
    """Return from which temperature a chip slows down, and at which it switches itself off.

    The lower one slows it down, whichever name it has: Wormhole and Blackhole use the names the
    other way round. One alone counts as the lower.

    Source: https://github.com/tenstorrent/tt-smi/blob/07208d7e783b8bb585440460db53f515b5828f16/tt_smi/backend.py
    """
    named = (positive_of(limits.get(name)) for name in ("therm_trip_l1_limit", "thm_limit"))
    known = sorted(one for one in named if one is not None)
    return known[0] if known else None, known[1] if len(known) > 1 else None


def fan_of(value: object) -> float | None:
    """Return a fan's speed, None where there is no fan."""
    found = number_of(value)
    return None if found == NO_FAN else found


def coords_of(word: str) -> str:
    """Return a place, `(1, 0, 0, 0)`, empty where there is none."""
    numbers = re.findall(r"\d{1,4}", word)
    return f"({', '.join(numbers)})" if len(numbers) > 1 else ""


def truth_of(value: object) -> bool | None:
    """Return what is said to be true or false, None where nothing is."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(word_of(value).lower())


def first_of(*found: float | None) -> float | None:
    """Return the first number that is one."""
    return next((one for one in found if one is not None), None)


def registers_of(smbus: Section) -> dict[str, object]:
    """Return the registers by their newer names."""
    return {str(name).removeprefix("SMBUS_TX_"): value for name, value in smbus.items()}


def register_of(smbus: Mapping[str, object], name: str) -> int | None:
    """Return a register: hex in a string, or a number."""
    value = smbus.get(name)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1 << 64 else None
    text = word_of(value).lower()
    if re.fullmatch(r"0x[0-9a-f]{1,16}", text):
        return int(text, 16)
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def pair_of(smbus: Mapping[str, object], name: str) -> str:
    """Return a number of two registers as 16 hex digits, empty where one is missing."""
    high, low = register_of(smbus, f"{name}_HIGH"), register_of(smbus, f"{name}_LOW")
    if high is None or low is None or not high | low:
        return ""
    return f"{high & 0xFFFFFFFF:08x}{low & 0xFFFFFFFF:08x}"


def quad_of(packed: int | None) -> str:
    """Return a version of four bytes, `19.15.0.0` for 0x130f0000."""
    if not packed or packed < 0 or packed >= 0xFFFFFFFF:  # noqa: PLR2004 - all ones: not set
        return ""
    return ".".join(str(packed >> shift & 0xFF) for shift in (24, 16, 8, 0))
