# SPDX-License-Identifier: Apache-2.0
"""What kind of board is it, and what do several of them make up? Pure.

Source: tt-inference-server v0.20.0, workflows/device_utils.py, BOARD_TYPE_COUNT_TO_DEVICE
"""

from __future__ import annotations

import re

_FAMILY = re.compile(r"[a-z]+\d+")

_WORDS = {
    # The driver's word and tt-smi's words for the same board.
    "galaxy-wormhole": "galaxy-wh",
    "tt-galaxy-wh": "galaxy-wh",
    "wh_4u": "galaxy-wh",
    "galaxy-blackhole": "galaxy-bh",
    "tt-galaxy-bh": "galaxy-bh",
    "nb_cb": "nb-cb",
    # The driver calls the same number p100.
    "bh-scrappy": "p100",
}
"""Source: https://github.com/tenstorrent/tt-kmd/blob/4af71921ac021e24859ae15d8438997a44dbbf58/telemetry.c
and https://github.com/tenstorrent/tt-smi/blob/07208d7e783b8bb585440460db53f515b5828f16/tt_smi/constants.py"""

CARRIER = "nb-cb"
"""The card through which a host reaches a four-unit Galaxy; no model runs on it."""

DEVICES = {
    ("n150", 1): "n150",
    ("n150", 4): "n150x4",
    ("n300", 1): "n300",
    ("n300", 4): "t3k",
    ("p100", 1): "p100",
    ("p150", 1): "p150",
    ("p150", 4): "p150x4",
    ("p150", 8): "p150x8",
    ("p300", 1): "p300",
    ("p300", 2): "p300x2",
    ("galaxy-wh", 32): "galaxy",
    ("galaxy-bh", 32): "blackhole_galaxy",
}
"""By family and number of boards, for a Galaxy of chips."""

FAMILIES = frozenset({CARRIER, *(family for family, _ in DEVICES)})

TRAY_DEVICE = ("galaxy-wh", "galaxy_t3k")
"""What one tray of a Galaxy is: a t3k of its eight chips."""

NODES_PER_BOARD = {"p300": 2}
"""Device nodes that one board shows, else 1. An n300's second chip has none."""

CHIPS_PER_BOARD = {"n300": 2, "p300": 2}
"""ASICs on one board, else 1; a Galaxy's tray has eight."""

TRAY_CHIPS = 8

SINGLE = {"n300": "n150", "p300": "p150"}
"""What one chip of a board with two can stand for; `one_chip` says for which entries it does."""

UPIS = {
    0x03: "e150",
    0x07: "e75",
    0x08: "nb_cb",
    0x0A: "e300",
    0x0B: "wh_4u",
    0x14: "n300",
    0x18: "n150",
    0x35: "tt-galaxy-wh",
    0x36: "p100",
    0x40: "p150a",
    0x41: "p150b",
    0x42: "p150c",
    0x43: "p100a",
    0x44: "p300b",
    0x45: "p300a",
    0x46: "p300c",
    0x47: "tt-galaxy-bh",
    0x202: "tt-galaxy-bh",
}
"""The kind of a board by a part of its number.

Source: tt-kmd, telemetry.c, as above; those below 0x14: tt-smi, tests/test_utils.py; the last one:
https://github.com/tenstorrent/tt-topology/issues/79
"""


def family_of(card_type: str) -> str:
    """Return `p150` for `p150a`, empty where the word is none that a card has."""
    word = card_type.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    match = _FAMILY.match(word)
    return match[0] if match else ""


def is_galaxy(family: str) -> bool:
    """Return whether boards of a family are counted by their chips."""
    return family.startswith("galaxy")


def type_by_number(board_id: str) -> str:
    """Return the kind of a board by its number in hex, empty where it does not say."""
    try:
        number = int(board_id, 16)
    except ValueError:
        return ""
    return UPIS.get(number >> 36 & 0xFFFFF, "")


def pci_device_of(family: str) -> str:
    """Return the PCI device id of a family's chips in hex. Source: tt-kmd, module.c."""
    if family.startswith("e"):
        return "faca"
    return "b140" if family[:1] == "p" or family == "galaxy-bh" else "401e"


def says(number: str) -> bool:
    """Return whether a board's or a chip's number is one: not empty, not zeros, not `N/A`."""
    return bool(number.lower().removeprefix("0x").strip("0")) and number.lower() != "n/a"
