# SPDX-License-Identifier: Apache-2.0
"""Read JSON that a stranger wrote: an object of a sane shape, or a refusal with evidence."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEEPEST = 32
"""Levels; the exports of all releases have at most 11."""
LONGEST_NUMBER = 32
"""Digits of a number; more is no figure of a model."""


class NoNumber:
    """A number that JSON allows, or Python does, and that no catalog has: NaN, an endless one.

    It is no number, text or object, so that whoever reads it without a check finds nothing.
    """

    def __init__(self, text: str) -> None:
        """Keep what was written, cut to a line."""
        cut = len(text) > LONGEST_NUMBER
        self.text = f"{text[:LONGEST_NUMBER]}... ({len(text)} long)" if cut else text


class Twice(dict[str, object]):
    """An object with a key that stands in it twice: the last value is taken."""

    lost: tuple[tuple[str, object], ...] = ()
    """What stood there before, with its key."""


def numbers_that_are_none(value: object) -> Iterator[NoNumber]:
    """Yield every number of a value that no catalog has."""
    match value:
        case NoNumber():
            yield value
        case dict():
            for inner in value.values():
                yield from numbers_that_are_none(inner)
        case list():
            for inner in value:
                yield from numbers_that_are_none(inner)
        case _:
            pass


def keys_twice(value: object) -> Iterator[str]:
    """Yield every key of a value that stands twice in its object."""
    match value:
        case dict():
            if isinstance(value, Twice):
                yield from dict.fromkeys(key for key, _ in value.lost)
            for inner in value.values():
                yield from keys_twice(inner)
        case list():
            for inner in value:
                yield from keys_twice(inner)
        case _:
            pass


def json_object(data: bytes, *, name: str) -> dict[str, object]:
    """Return the object that `data` holds; `name` says in a refusal which file it was.

    A byte order mark is passed over. NaN and endless numbers are `NoNumber`, and an object with a
    key twice is `Twice`: one bad value is the fault of what it stands in, not of the file.

    Raises:
        BadFileError: It is no UTF-8, no JSON, no object, or too deep.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        why = f"byte {exc.object[exc.start]:#04x} at offset {exc.start}"
        raise _bad(name, "It is not UTF-8.", why) from exc
    try:
        found = json.loads(
            text,
            parse_constant=NoNumber,
            parse_float=_float,
            parse_int=_int,
            object_pairs_hook=_object,
        )
    except RecursionError as exc:
        raise _bad(name, "It is nested too deeply.", f"more than {DEEPEST} levels") from exc
    except ValueError as exc:
        raise _bad(name, "It is not JSON: cut short, or another kind of file.", str(exc)) from exc
    if not isinstance(found, dict):
        raise _bad(
            name,
            "A catalog is an object.",
            f"found {found.text if isinstance(found, NoNumber) else type(found).__name__}",
        )
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
            lost = [one for _, one in value.lost] if isinstance(value, Twice) else []
            return [one for one in (*value.values(), *lost) if isinstance(one, dict | list)]
        case list():
            return [one for one in value if isinstance(one, dict | list)]
        case _:
            return ()


def _float(text: str) -> float | NoNumber:
    return NoNumber(text) if math.isinf(value := float(text)) else value


def _int(text: str) -> int | NoNumber:
    return NoNumber(text) if len(text) > LONGEST_NUMBER else int(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    double = Twice(found)
    last = {key: place for place, (key, _) in enumerate(pairs)}
    double.lost = tuple(pair for place, pair in enumerate(pairs) if last[pair[0]] != place)
    return double


def _bad(name: str, why: str, evidence: str) -> BadFileError:
    return BadFileError(
        f"{name!r} is no catalog.",
        why=why,
        evidence=evidence,
        next_step="ttctl models ls",
    )
