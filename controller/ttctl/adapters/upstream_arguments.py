# SPDX-License-Identifier: Apache-2.0
"""Which arguments and variables does an entry give its engine? What a user may not add, it may not.

An export is somebody else's file: an argument that opens a door, loads code or reads the host is a
reason to set the entry aside, as `rules/engine_flags` refuses it behind `--`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

from ttctl.adapters.upstream_values import ARGUMENT, HarmError, clean, harmful_name, shown
from ttctl.rules.engine_flags import ALLOWED, REFUSED
from ttctl.rules.tt_options import PLAIN, WRAPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VALIDATED = re.compile(r"(tensor|pipeline|data)-parallel-size")
"""How a model is laid out was validated, so an entry may say it; a user may not."""
_OPTIONS = tuple(name.replace("_", "-") for name in (PLAIN, *WRAPPED))
_MODEL = "model"
_LITERALS = tuple(
    word for pattern, _ in REFUSED for word in re.findall(r"[a-z0-9][a-z0-9-]+", pattern)
)


def arguments_of(
    found: Mapping[str, object], *, repositories: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield the engine's arguments; `true` is a bare flag, and `false` and `null` are no flag.

    Args:
        found: `vllm_args`.
        repositories: What the argument `model` may be: the model's and the weights' repository.

    Of one that is spelled in two ways only the last is yielded, which is what the engine's reader
    of a command line takes.

    Raises:
        HarmError: An argument is no flag, or one that could do harm.

    Source: tenstorrent/tt-inference-server:workflows/model_spec.py@v0.20.0.
    """
    last = {_flag(name): name for name in _given(found)}
    for name in _given(found):
        value = found[name]
        if not ARGUMENT.fullmatch(name):
            raise HarmError(f"argument {shown(name)} is no flag")
        text = "" if value is True else value if isinstance(value, str) else json.dumps(value)
        text = clean(text, f"argument {name}")
        _check(name, text, repositories)
        if last[_flag(name)] == name:
            yield name.removeprefix("--"), text


def spelled_twice(found: Mapping[str, object]) -> Iterator[str]:
    """Say which arguments are given in two spellings, and which of them is taken."""
    ways: dict[str, list[str]] = {}
    for name in _given(found):
        ways.setdefault(_flag(name), []).append(name)
    for names in ways.values():
        if len(names) > 1:
            told = ", ".join(f"{shown(name)} {shown(str(found[name]))}" for name in names)
            yield f"one argument is spelled in {len(names)} ways ({told}): the last is taken"


def _given(found: Mapping[str, object]) -> list[str]:
    """Return the names of arguments that are passed at all."""
    return [name for name, value in found.items() if value is not None and value is not False]


def _flag(name: str) -> str:
    """Return an argument's name as the engine's reader knows it, which takes `_` for `-`."""
    return name.removeprefix("--").replace("_", "-").lower()


def environment_of(found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the engine's variables, by name.

    Raises:
        HarmError: A name changes more than the engine's own settings, or a value is no text.
    """
    for name, value in sorted(found.items()):
        if harmful_name(name):
            raise HarmError(f"environment name {shown(name)} could do harm")
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            yield name, clean(text, f"environment {name}")


def _check(name: str, text: str, repositories: frozenset[str]) -> None:
    flag = _flag(name)
    if flag == _MODEL:
        if text not in repositories:
            raise HarmError(f"argument {name} {shown(text)} is not the model of the entry")
    elif flag in _OPTIONS:
        if not _holds_options(flag, text):
            raise HarmError(f"argument {name} holds no options: {shown(text)}")
    elif why := _refusal(flag):
        raise HarmError(f"argument {name} could do harm: {why}")


def _refusal(flag: str) -> str:
    """Return why an entry may not give a flag; `a.b` sets a part of what `a` takes."""
    whole = flag.partition(".")[0]
    if whole in ALLOWED or _VALIDATED.fullmatch(whole):
        return ""
    plain = whole.removeprefix("no-")
    for pattern, why in REFUSED:
        if re.fullmatch(pattern, whole) or re.fullmatch(pattern, plain):
            return why
    # The engine's reader takes the beginning of a flag for the flag.
    longer = next((word for word in _LITERALS if word.startswith(whole)), "")
    return f"The engine may read it as --{longer}." if longer else ""


def _holds_options(flag: str, text: str) -> bool:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict):
        return False
    return flag == _OPTIONS[0] or isinstance(found.get("tt", {}), dict)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
