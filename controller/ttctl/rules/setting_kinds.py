# SPDX-License-Identifier: Apache-2.0
"""What can a setting hold? One rule a kind. Pure."""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ttctl.model.device import DEVICE_NAMES
from ttctl.model.tls import GENERATED, NONE
from ttctl.rules.device_names import device_named, respelled

if TYPE_CHECKING:
    from ttctl.model.settings import Setting, Value

ON = frozenset({"1", "true", "yes", "on"})
OFF = frozenset({"0", "false", "no", "off"})
SEVERAL = frozenset({"hosts", "mirrors", "urls", "paths", "sources"})
"""Kinds that hold more than one value."""
_BY_BLANKS = frozenset({"hosts", "mirrors", "urls"})
_HOST = r"(?:[\w.-]+|\[[0-9A-Fa-f:.%]+\])(?::\d{1,5})?"
_SUITE = r"[\w./~+$()-]+"
"""A suite or a component of a package source, which may name $(ARCH)."""
FILES = frozenset({"path", "paths", "catalog", "certificate"})
"""Kinds whose values are, or can be, paths."""

_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    kind: (re.compile(pattern), said)
    for kind, pattern, said in (
        ("model", r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,192}", "a model's name, or an alias"),
        ("stack", r"[a-z0-9][a-z0-9-]{0,47}", "lower-case letters, digits, dashes; at most 48"),
        ("word", r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a word of letters, digits, dots and dashes"),
        ("text", r"[^\0]*", "a text"),
        ("url", r"(?:https?|file)://\S+", "an address that begins with https:// or http://"),
        (
            "proxy",
            rf"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:\S*@)?{_HOST}/?",
            "an address, or HOST:PORT",
        ),
        ("registry", r"[A-Za-z0-9.\[\]-]+(?::[\d:\]]+)?(?:/[\w./-]*)?", "HOST[:PORT][/PATH]"),
        (
            "image",
            r"(?!\S*//)[A-Za-z0-9][A-Za-z0-9._/:@-]{0,510}",
            "[HOST/]NAME[:TAG][@sha256:DIGEST]",
        ),
        ("path", r"[^\0\n]+", "the path of a file"),
        ("hosts", _HOST, "HOST or HOST:PORT"),
        ("exempt", r"(?:[\w.*:\[\]%-]+(?:/\d{1,3})?(?:[\s,]+|$))*", "hosts, domains or networks"),
        (
            "mirrors",
            r"https?://[^\s/@:]\S*|https?://[^\s=]+=https?://\S+",
            "https://MIRROR/ or https://HOST/=https://MIRROR/",
        ),
        ("certificate", r"[^\0\n]+", "generated, none, or the path of a certificate"),
        ("catalog", r"[^\0\n]+", "a file, an address, a release such as 0.20.0, or built-in"),
        ("urls", r"(?:https?|file)://\S+", "addresses that begin with https:// or http://"),
        ("paths", r"[^\0\n]+", "paths of folders, or addresses"),
        (
            "sources",
            rf"deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?[A-Za-z][\w+.-]*:\S+(?:\s+{_SUITE})+|#[^\0\n]*",
            "lines such as deb https://MIRROR/debian bookworm main",
        ),
    )
}


class UnfitError(ValueError):
    """A value is not what its setting holds; the text says what is allowed."""


def allowed_text(setting: Setting) -> str:
    """Say what a setting can hold."""
    match setting.kind:
        case "integer":
            return f"a whole number from {setting.allowed[0]} to {setting.allowed[1]}"
        case "number" | "seconds":
            return f"a number from {setting.allowed[0]} to {setting.allowed[1]}"
        case "choice":
            return f"one of {', '.join(map(str, setting.allowed))}"
        case "device":
            return f"one of {', '.join(DEVICE_NAMES)}, or what MESH_DEVICE can hold, such as TG"
        case "switch":
            return "true or false"
        case kind:
            return _SHAPES[kind][1]


def from_text(setting: Setting, text: str) -> Value | None:
    """Return what a variable or a typed word says; None where an empty one says nothing.

    Raises:
        UnfitError: It is not what the setting holds.
    """
    word = text.strip()
    if not word:
        return "" if may_be_empty(setting) else None
    if setting.kind == "switch":
        return _switch(setting, word)
    if setting.kind in {"integer", "number", "seconds"} or _counts(setting):
        return _in_range(setting, _number(setting, word))
    return _shaped(setting, text)


def from_toml(setting: Setting, value: object) -> Value:
    """Return what a file says, in its own type.

    Raises:
        UnfitError: It is not what the setting holds.
    """
    if setting.kind in {"integer", "number", "seconds"} or _counts(setting):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UnfitError(allowed_text(setting))
        return _in_range(setting, value)
    if setting.kind == "switch" and isinstance(value, bool):
        return value
    if setting.kind in SEVERAL and isinstance(value, list):
        if not all(isinstance(one, str) and one.strip() for one in value):
            raise UnfitError(f"{allowed_text(setting)}, as a list of strings")
        value = "\n".join(value)
    if not isinstance(value, str):
        raise UnfitError(allowed_text(setting))
    if not value.strip() and may_be_empty(setting):
        return ""
    return _switch(setting, value) if setting.kind == "switch" else _shaped(setting, value)


def may_be_empty(setting: Setting) -> bool:
    """Whether an empty text is a value: it switches off what the host says, or means none."""
    return setting.table == "site" or setting.default == ""


def written_as(setting: Setting, value: object) -> str:
    """Return a device's name as it was written, where it is called otherwise here."""
    if setting.kind != "device" or not isinstance(value, str):
        return ""
    return value.strip() if respelled(value) else ""


def parts(setting: Setting, text: str) -> list[str]:
    """Return the values that one text of a setting with several holds."""
    if setting.kind in _BY_BLANKS:
        return text.split()
    ends = r"[\n:]" if setting.kind == "paths" and "://" not in text else r"\n"
    return [part.strip() for part in re.split(ends, text) if part.strip()]


def anchored(setting: Setting, value: Value, *, folder: str, home: str) -> Value:
    """Return paths of a file as they are meant there: `~` is the home, others start beside it."""
    if setting.kind not in FILES or not isinstance(value, str) or _is_no_file(setting, value):
        return value
    several = parts(setting, value) if setting.kind == "paths" else [value] if value else []
    return "\n".join(
        one if "://" in one else str(PurePosixPath(folder, _without_tilde(one, home)))
        for one in several
    )


def for_file(
    setting: Setting, value: Value, *, folder: str, beside: str = ""
) -> Value | tuple[str, ...]:
    """Return a value that was typed as a file holds it: several as a list, paths made whole.

    Args:
        setting: The setting.
        value: What was typed, checked.
        folder: Where it was typed: relative paths start there.
        beside: Where the file lies, if paths below its folder shall not name it.
    """
    if not isinstance(value, str) or setting.kind not in SEVERAL | FILES:
        return value
    several = parts(setting, value) if setting.kind in SEVERAL else [value] if value else []
    if setting.kind in FILES and not _is_no_file(setting, value):
        several = [_whole(one, folder=folder, beside=beside) for one in several]
    return tuple(several) if setting.kind in SEVERAL else "".join(several)


def _is_no_file(setting: Setting, value: str) -> bool:
    """Return whether a catalog or a certificate is named by something else than its path."""
    if setting.kind == "certificate":
        return value in {NONE, GENERATED}
    return (
        setting.kind == "catalog" and re.fullmatch(r"built-in|v?\d+(\.\d+){2}", value) is not None
    )


def _whole(path: str, *, folder: str, beside: str) -> str:
    if "://" in path or path == "~" or path.startswith("~/"):
        return path
    whole = PurePosixPath(posixpath.normpath(posixpath.join(folder, path)))
    return str(whole.relative_to(beside) if beside and whole.is_relative_to(beside) else whole)


def _without_tilde(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def _counts(setting: Setting) -> bool:
    return setting.kind == "choice" and isinstance(setting.allowed[0], int)


def _switch(setting: Setting, word: str) -> bool:
    if word.strip().lower() not in ON | OFF:
        raise UnfitError(allowed_text(setting))
    return word.strip().lower() in ON


def _number(setting: Setting, word: str) -> int | float:
    try:
        return float(word) if setting.kind in {"number", "seconds"} else int(word)
    except ValueError:
        raise UnfitError(allowed_text(setting)) from None


def _in_range(setting: Setting, value: float) -> int | float:
    if setting.kind == "choice":
        fits = value in setting.allowed
    else:
        lowest, highest = (float(end) for end in setting.allowed)
        fits = lowest <= value <= highest
    if not fits or (setting.kind in {"integer", "choice"} and not isinstance(value, int)):
        raise UnfitError(allowed_text(setting))
    return value if isinstance(value, int) and setting.kind != "seconds" else float(value)


def _shaped(setting: Setting, text: str) -> str:
    if setting.kind == "device":
        return _device(setting, text)
    if setting.kind == "choice":
        if text not in setting.allowed:
            raise UnfitError(allowed_text(setting))
        return text
    shape, said = _SHAPES[setting.kind]
    several = setting.kind in SEVERAL
    values = parts(setting, text) if several else [text if setting.kind == "text" else text.strip()]
    if not all(shape.fullmatch(one) for one in values):
        raise UnfitError(said)
    return text if several else values[0]


def _device(setting: Setting, text: str) -> str:
    """Return the device's name here: upstream writes it in upper case, or as MESH_DEVICE has it."""
    if device := device_named(text):
        return device
    raise UnfitError(allowed_text(setting))
