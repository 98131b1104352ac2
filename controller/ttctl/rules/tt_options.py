# SPDX-License-Identifier: Apache-2.0
"""What do the Tenstorrent options of vLLM say, and how does a pin spell them? Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.pins import Flag

PLAIN = "override_tt_config"
WRAPPED = ("additional_config", "plugin_config")
"""These take the options under the key `tt`."""

Options = dict[str, object]
Arguments = tuple[tuple[str, str], ...]


def is_flag(name: str) -> bool:
    """Return whether an argument is the one that takes the options."""
    return name.lstrip("-").replace("-", "_") in {PLAIN, *WRAPPED}


def options_of(arguments: Iterable[tuple[str, str]]) -> Options:
    """Return the options, whatever the flag; empty where there are none or they are no object."""
    for name, value in arguments:
        if is_flag(name):
            found = _object(value)
            inner = found.get("tt", found) if name.replace("-", "_") != PLAIN else found
            return dict(inner) if isinstance(inner, dict) else {}
    return {}


def without_home(arguments: Iterable[tuple[str, str]], flag: Flag) -> tuple[str, ...]:
    """Return the keys beside `tt` that `flag` has no place for."""
    if flag == "--additional-config":
        return ()
    return tuple(
        key
        for name, value in arguments
        if is_flag(name) and name.replace("-", "_") in WRAPPED
        for key in _beside(value)
    )


def spelled(arguments: Arguments, flag: Flag, options: Options | None = None) -> Arguments:
    """Return the arguments with the options under the pin's own flag, in the place they had.

    Args:
        arguments: As a catalog has them, under whatever flag.
        flag: What the pinned vLLM knows; where it is empty, nothing changes.
        options: What to write in the place of what `arguments` say.
    """
    if not flag:
        return arguments
    name = flag.lstrip("-").replace("-", "_")
    own = options_of(arguments) if options is None else options
    beside = {
        key: value
        for old, text in arguments
        if is_flag(old) and old.replace("-", "_") == name == "additional_config"
        for key, value in _beside(text).items()
    }
    text = json.dumps(own if name == PLAIN else {"tt": own, **beside})
    written: list[tuple[str, str]] = []
    done = False
    for old, value in arguments:
        if not is_flag(old):
            written.append((old, value))
        elif not done:
            written.append((name, text))
            done = True
    if not done and own:
        written.append((name, text))
    return tuple(written)


def plain(value: object) -> str:
    """Return an option's value as it is shown; `value_of` reads it back."""
    if isinstance(value, str) and value and _parsed(value) is None:
        return value
    return json.dumps(value)


def value_of(text: str) -> object:
    """Return the value that `plain` wrote."""
    found = _parsed(text)
    return text if found is None else found[0]


def _parsed(text: str) -> tuple[object] | None:
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def _object(text: str) -> Options:
    found = _parsed(text)
    return found[0] if found and isinstance(found[0], dict) else {}


def _beside(text: str) -> Options:
    found = _object(text)
    return {key: value for key, value in found.items() if key != "tt"} if "tt" in found else {}
