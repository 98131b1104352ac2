# SPDX-License-Identifier: Apache-2.0
"""Forms of tt-smi's snapshots as people have posted them, made up anew by the generator.

The shapes are those of tenstorrent/tt-smi issues 3, 20, 36, 48, 72 and 134, dstackai/dstack
issue 2898, and of what other programs' tests hold; all numbers are made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.standins.machines import four_unit_galaxy, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

Form = dict[str, Any]


def _boards(found: Form, **values: object) -> Form:
    """Change what each chip's board_info says; None takes a word out."""
    for chip in found["device_info"]:
        chip["board_info"] |= values
        for name in [name for name, value in values.items() if value is None]:
            del chip["board_info"][name]
    return found


def _only(found: Form, *names: str) -> Form:
    """Leave nothing but some words of each board_info."""
    for at, chip in enumerate(found["device_info"]):
        kept = {name: chip["board_info"][name] for name in names if name in chip["board_info"]}
        found["device_info"][at] = {"board_info": kept}
    return found


def _types(device: str, card: str, *, side: bool = True) -> Form:
    found = _only(snapshot(device), "board_type")
    for chip in found["device_info"]:
        said = chip["board_info"]["board_type"]
        chip["board_info"]["board_type"] = card + (said[-2:] if side and " " in said else "")
    return found


def _grayskull() -> Form:
    found = _boards(
        snapshot("n150", 2024), board_type="e150", board_id="100003100100123", coords="N/A"
    )
    for chip in found["device_info"]:
        chip["smbus_telem"] = {"BOARD_ID": "0x100003100100123"}
        chip["firmwares"] = {"arc_fw": "1.8.0.0", "fw_bundle_version": "80.8.12.0"}
    return found


def _one_number(device: str, upper: str, card: str) -> Form:
    """Return a Galaxy whose chips share one number, with its bundle in tt-flash's place."""
    found = _boards(snapshot(device, 2025), board_id=f"{upper}00000000", board_type=card)
    for chip in found["device_info"]:
        chip["smbus_telem"] |= {
            "BOARD_ID": f"0x{upper}00000000",
            "BOARD_ID_HIGH": f"0x{upper}",
            "BOARD_ID_LOW": None,
        }
        chip["firmwares"] = {"fw_bundle_version": "N/A", "tt_flash_version": "80.16.0.0"}
    return found


def _galaxy(**values: object) -> Form:
    return _boards(_one_number("galaxy", "1000351", "tt-galaxy-wh L"), **values)


def _hangs(entry: Form) -> Form:
    """Return a t3k of which one chip says nothing of itself."""
    found = snapshot("t3k")
    found["device_info"][2] = entry
    return found


def _not_told() -> Form:
    found = snapshot("p150x4")
    for chip in found["device_info"]:
        chip["smbus_telem"] = dict.fromkeys(chip["smbus_telem"])
        for section in ("telemetry", "limits", "firmwares"):
            chip[section] = dict.fromkeys(chip[section], "N/A")
    return found


def _behind_n150s() -> Form:
    found = four_unit_galaxy()
    for at, chip in enumerate(found["device_info"][:4]):
        chip["board_info"] |= {"board_type": "n150 L", "board_id": f"{0x18 << 36 | at:016x}"}
    return found


def _part_of_four_units(*, carriers: bool) -> Form:
    found = four_unit_galaxy()
    found["device_info"] = found["device_info"][:4] if carriers else found["device_info"][4:]
    return found


def _functions() -> Form:
    found = _types("p300x2", "p300c")
    for at, chip in enumerate(found["device_info"]):
        chip["board_info"]["bus_id"] = f"0000:0{at // 2 + 1}:00.{at % 2}"
    return found


def _held(device: object) -> Form:
    found = snapshot("n300")
    found["processes"] = [
        {"pid": 11, "user": "me", "device": device, "cmdline": "VLLM::EngineCore"},
        {"pid": None, "device": None},
        "x",
    ]
    return found


def _registers_only() -> Form:
    found = snapshot("p150")
    [chip] = found["device_info"]
    chip["smbus_telem"] |= {"FW_BUNDLE_VERSION": "0x130f0000"}
    chip["firmwares"] = {}
    return found


FORMS: dict[str, tuple[str, Callable[[], Form]]] = {
    "e150 of 2024": ("", _grayskull),
    "n150 without a side": ("n150", lambda: _boards(snapshot("n150", 2024), board_type="n150")),
    "n150 L": ("n150", lambda: _boards(snapshot("n150"), board_type="n150 L")),
    "n300 by addresses alone": ("n300", lambda: _boards(snapshot("n300"), board_type="n300")),
    "nb300": ("n300", lambda: _boards(snapshot("n300", 2024), board_type="nb300 ")),
    "t3k by its words alone": ("t3k", lambda: _types("t3k", "n300")),
    "t3k without sides": ("t3k", lambda: _types("t3k", "n300", side=False)),
    "t3k with a chip that hangs": ("", lambda: _hangs({"board_info": {}, "telemetry": {}})),
    "t3k with a board_info of null": ("", lambda: _hangs({"board_info": None})),
    "p100a": ("p100", lambda: _boards(snapshot("p100"), board_type="p100a", coords="(0,0)")),
    "bh-scrappy": ("p100", lambda: _boards(snapshot("p100"), board_type="bh-scrappy")),
    "p150 without zeros": ("p150", lambda: _boards(snapshot("p150"), board_id="40031900000")),
    "p150x4 of nothing told": ("p150x4", _not_told),
    "p150 by a register": ("p150", _registers_only),
    "p300x2 by its words alone": ("p300x2", lambda: _types("p300x2", "p300c")),
    "p300x2 of two functions each": ("p300x2", _functions),
    "p300x2 in short": ("p300x2", lambda: {"device_info": [{"board_type": "p300c"}] * 4}),
    "galaxy of one number": ("galaxy", _galaxy),
    "galaxy without addresses": ("galaxy", lambda: _galaxy(bus_id="N/A")),
    "galaxy without bus_id": ("galaxy", lambda: _galaxy(bus_id=None)),
    "blackhole galaxy of one number": (
        "blackhole_galaxy",
        lambda: _one_number("blackhole_galaxy", "1000471", "tt-galaxy-bh"),
    ),
    "four units": ("galaxy", four_unit_galaxy),
    "four units behind n150s": ("galaxy", _behind_n150s),
    "four units without carriers": ("galaxy", lambda: _part_of_four_units(carriers=False)),
    "carriers alone": ("", lambda: _part_of_four_units(carriers=True)),
    "held, by number": ("n300", lambda: _held(0)),
    "held, by path": ("n300", lambda: _held("/dev/tenstorrent/0")),
    "no chip": ("", lambda: {"time": "x", "host_info": {}, "device_info": []}),
}
"""A name: the device that it shows, empty where it shows none, and how it is made."""
