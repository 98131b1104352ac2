# SPDX-License-Identifier: Apache-2.0
"""Read JSON that a stranger wrote: an object of a sane shape, or a refusal with evidence."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NoReturn

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEEPEST = 32
"""Levels; the exports of all releases have at most 11."""
LONGEST_NUMBER = 32
"""Digits of a number; more is no figure of a model."""
BOM = b"\xef\xbb\xbf"


class _RefusedError(ValueError):
    """A value that JSON allows, or Python does, and that no catalog has."""


def json_object(data: bytes, *, name: str) -> dict[str, object]:
    """Return the object that `data` holds; `name` says in a refusal which file it was.

    Raises:
        BadFileError: It is no UTF-8, no JSON, no object, too deep, or holds NaN or endless numbers.
    """
    if data.startswith(BOM):
        raise _bad(name, "It begins with a byte order mark.", "bytes EF BB BF at offset 0")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        why = f"byte {exc.object[exc.start]:#04x} at offset {exc.start}"
        raise _bad(name, "It is not UTF-8.", why) from exc
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_float=_float, parse_int=_int)
    except _RefusedError as exc:
        raise _bad(name, "It holds a number that no catalog has.", str(exc)) from exc
    except RecursionError as exc:
        raise _bad(name, "It is nested too deeply.", f"more than {DEEPEST} levels") from exc
    except ValueError as exc:
        raise _bad(name, "It is not JSON: cut short, or another kind of file.", str(exc)) from exc
    if not isinstance(found, dict):
        raise _bad(name, "A catalog is an object.", f"found {type(found).__name__}")
    if _depth_exceeds(found, DEEPEST):
        raise _bad(name, "It is nested too deeply.", f"more than {DEEPEST} levels")
    return found


def _depth_exceeds(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _ in range(limit):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    match value:
        case dict():
            return [one for one in value.values() if isinstance(one, dict | list)]
        case list():
            return [one for one in value if isinstance(one, dict | list)]
        case _:
            return ()


def _no_constant(text: str) -> NoReturn:
    raise _RefusedError(text)


def _float(text: str) -> float:
    if math.isinf(value := float(text)):
        raise _RefusedError(_short(text))
    return value


def _int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise _RefusedError(_short(text))
    return int(text)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NUMBER else f"{text[:LONGEST_NUMBER]}... ({len(text)} long)"


def _bad(name: str, why: str, evidence: str) -> BadFileError:
    return BadFileError(
        f"{name!r} is no catalog.",
        why=why,
        evidence=evidence,
        next_step="ttctl models ls",
    )
