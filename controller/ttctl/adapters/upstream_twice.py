# SPDX-License-Identifier: Apache-2.0
"""What of a catalog file is not read because a key stands in it twice?

JSON allows it, and a reader takes the last value. Inside an entry the entry tells it; here is what
stands above entries and beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters.strict_json import Twice, keys_twice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Path = tuple[str, ...]
Lost = tuple[Path, object, str]
"""The keys above what is lost, what it is, and the key that stands twice."""


def lost_values(
    whole: dict[str, object],
    entries: object,
    *,
    wrapper: str,
    below: Callable[[object, Path], Iterator[tuple[Path, object]]],
    within: Callable[[object, Path], bool],
) -> Iterator[Lost]:
    """Yield everything in a file that is not read because its key stands again behind it.

    Args:
        whole: The file's object.
        entries: The part of it that holds the entries.
        wrapper: The key that `entries` may stand under.
        below: Yields every entry of a value, and what is in the place of one.
        within: Whether a value has places of entries below it.
    """
    is_wrapped = entries is whole.get(wrapper)
    for key, inner in whole.lost if isinstance(whole, Twice) else ():
        if key == wrapper:
            found = list(below(inner, ())) or [((), inner)]
            yield from ((path or (key,), raw, key) for path, raw in found)
        elif is_wrapped or not isinstance(inner, dict):
            yield (key,), inner, key
    yield from _lost_entries(entries, (), wrapper, below, within)
    for key, inner in whole.items():
        if (is_wrapped and key != wrapper) or not isinstance(inner, dict):
            yield from (((key,), None, twice) for twice in keys_twice(inner))


def _lost_entries(
    value: object,
    path: Path,
    wrapper: str,
    below: Callable[[object, Path], Iterator[tuple[Path, object]]],
    within: Callable[[object, Path], bool],
) -> Iterator[Lost]:
    if not isinstance(value, dict) or not within(value, path):
        return
    for key, inner in value.lost if isinstance(value, Twice) else ():
        if path or key != wrapper:
            yield from ((place, raw, key) for place, raw in below(inner, (*path, key)))
    for key, inner in value.items():
        yield from _lost_entries(inner, (*path, key), wrapper, below, within)
