# SPDX-License-Identifier: Apache-2.0
"""Which value of a setting holds? The stronger layer's; a wrong one is refused. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.model.setting_rows import KEYS, OTHER_PREFIXES, OTHER_VARIABLES
from ttctl.model.settings import SETTINGS, FoundSetting
from ttctl.rules.redaction import redacted_value
from ttctl.rules.setting_kinds import (
    SEVERAL,
    UnfitError,
    allowed_text,
    anchored,
    from_text,
    from_toml,
    written_as,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ttctl.model.settings import Setting, Value

PREFIX = "TTCTL_"
DEFAULT = "default"
SHOWN_FAULTS = 3
_TABLES = tuple(dict.fromkeys(key.partition(".")[0] for key in KEYS))

Layer = dict[str, FoundSetting]
"""What one place says, by key."""


def known_setting(key: str) -> Setting:
    """Return a setting by its key, or refuse the word with the nearest one.

    Raises:
        UsageError: There is no such setting.
    """
    if key in SETTINGS:
        return SETTINGS[key]
    near = nearest_key(key)
    raise UsageError(
        f"There is no setting {key!r}.",
        why="A setting is a table and a key in it, such as up.port.",
        evidence=f"Nearest: {near}." if near else f"Tables: {', '.join(_TABLES)}.",
        next_step="ttctl config show --all",
        mistyped=key,
        meant=near,
    )


def typed(setting: Setting, words: tuple[str, ...]) -> Value:
    """Return the value that was typed for a setting.

    Raises:
        UsageError: It is not what the setting holds, or several where it has one.
    """
    several = setting.kind in SEVERAL
    text = "\n".join(words)
    try:
        value = from_text(setting, text) if several or len(words) == 1 else None
    except UnfitError:
        value = None
    if value is None:
        raise UsageError(
            f"The setting {setting.key!r} cannot be {shown(' '.join(words))!r}.",
            why=f"Allowed: {allowed_text(setting)}{', several' if several else ''}.",
            evidence=setting.help,
            next_step=f"ttctl config show {setting.key}",
        )
    return value


def nearest_key(key: str) -> str:
    """Return the setting that looks most like `key`, or nothing; a bare key finds its table."""
    if near := get_close_matches(key, KEYS, n=1, cutoff=0.7):
        return near[0]
    names = {one.partition(".")[2]: one for one in KEYS}
    near = get_close_matches(key.rpartition(".")[2], names, n=1, cutoff=0.8)
    return names[near[0]] if near else ""


def layer_of_variables(environ: Mapping[str, str]) -> Layer:
    """Return what the environment says.

    Raises:
        BadFileError: A variable of ours is unknown, or holds what its setting cannot.
    """
    by_variable = {setting.variable: setting for setting in SETTINGS.values()}
    found: Layer = {}
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        setting = by_variable.get(name)
        if setting is None:
            if name not in OTHER_VARIABLES and not name.startswith(OTHER_PREFIXES):
                raise _unknown_variable(name, by_variable)
            continue
        try:
            value = from_text(setting, environ[name])
        except UnfitError as unfit:
            raise BadFileError(
                f"The variable {name!r} holds what the setting {setting.key!r} cannot.",
                why=f"Allowed: {unfit}.",
                evidence=f"Found: {shown(environ[name])}",
                next_step=f"unset {name}",
            ) from unfit
        if value is not None:
            found[setting.key] = FoundSetting(
                key=setting.key,
                value=value,
                source=name,
                written=written_as(setting, environ[name]),
            )
    return found


def layer_of_file(
    data: Mapping[str, object],
    *,
    path: str,
    home: str,
    line_of: Callable[[tuple[str, ...]], int],
    next_step: str,
) -> Layer:
    """Return what a file says.

    Args:
        data: The file's tables.
        path: The file's path; paths in it start in its folder.
        home: The user's home folder.
        line_of: The line of a key, from 1.
        next_step: How the file is put right.

    Raises:
        BadFileError: A key is unknown, or a value is not what its setting holds.
    """
    found: Layer = {}
    faults: list[str] = []
    for location, value in _entries(data):
        key = ".".join(location)
        fault = _unknown(location)
        if not fault:
            setting = SETTINGS[key]
            try:
                checked = anchored(
                    setting, from_toml(setting, value), folder=path.rpartition("/")[0], home=home
                )
                found[key] = FoundSetting(
                    key=key, value=checked, source=path, written=written_as(setting, value)
                )
            except UnfitError as unfit:
                fault = f"allowed: {unfit} (found {_as_written(value)})"
        if fault:
            faults.append(f"{path}, line {line_of(location)}, key {key}: {fault}")
    if faults:
        raise BadFileError(
            f"{path!r} does not hold what it must.",
            why="A key is unknown, or its value is not allowed.",
            evidence="\n".join(faults[:SHOWN_FAULTS]),
            next_step=next_step,
        )
    return found


def strongest(key: str, layers: Iterable[Layer]) -> FoundSetting:
    """Return a setting's value from the first layer that has it, else its default."""
    for layer in layers:
        if key in layer:
            return layer[key]
    default = SETTINGS[key].default
    return FoundSetting(key=key, value=default, source="" if default is None else DEFAULT)


def shown(value: object) -> str:
    """Return a wrong value for a refusal: short, and without a password."""
    return redacted_value(str(value) if isinstance(value, str) else repr(value))[:60]


def _as_written(value: object) -> str:
    return f'"{shown(value)}"' if isinstance(value, str) else shown(value)


def text_of(value: Value | None) -> str:
    """Return a value as one text, as a variable would spell it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def _entries(data: Mapping[str, object]) -> list[tuple[tuple[str, ...], object]]:
    """Return each key with its value; a table that is none of ours stands for its keys."""
    found: list[tuple[tuple[str, ...], object]] = []
    for table, inner in data.items():
        if isinstance(inner, dict) and table in _TABLES:
            found += [((table, str(key)), value) for key, value in inner.items()]
        else:
            found.append(((table,), inner))
    return found


def _unknown(location: tuple[str, ...]) -> str:
    key = ".".join(location)
    if key in SETTINGS:
        return ""
    if key in _TABLES:
        return f"a table is needed here, [{key}]"
    near = nearest_key(key)
    tables = get_close_matches(key, _TABLES, n=1) if len(location) == 1 and not near else []
    if near or tables:
        return f"there is no such setting; nearest: {near or f'[{tables[0]}]'}"
    return f"there is no such setting; tables: {', '.join(_TABLES)}"


def _unknown_variable(name: str, known: Iterable[str]) -> BadFileError:
    near = get_close_matches(name, tuple(known), n=1, cutoff=0.7)
    return BadFileError(
        f"There is no variable {name!r}.",
        why="Variables that begin with TTCTL_ are settings; an unknown one would do nothing.",
        evidence=f"Nearest: {near[0]}." if near else "ttctl config show --all names every setting.",
        next_step=f"unset {name}",
    )
