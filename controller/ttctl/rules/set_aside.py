# SPDX-License-Identifier: Apache-2.0
"""Is what is asked for in the catalog, but not used, as a value of it could do harm? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.rules.find import is_meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.pins import Quarantined
    from ttctl.model.spec import ModelSpec

SHOWN = 3
"""Entries that a refusal names."""


def set_aside(
    quarantined: Iterable[Quarantined], word: str, device: str = ""
) -> tuple[Quarantined, ...]:
    """Return the entries of a model that are not used; only their ids say whose they are.

    Args:
        quarantined: What a catalog does not use.
        word: A model's name or its last part.
        device: Only what is for it, empty for any.
    """
    model = _plain(word.strip().rpartition("/")[2])
    return tuple(
        one
        for one in quarantined
        if model
        and f"_{model}_" in f"_{_plain(one.id)}_"
        and (not device or _is_for(one.id, model, device))
    )


def set_aside_text(found: Sequence[Quarantined]) -> str:
    """Say which entries are not used, and why."""
    said = "; ".join(f"{one.id}: {one.reason.rstrip('.')}" for one in found[:SHOWN])
    more = len(found) - SHOWN
    return f"Set aside: {said}{f'; and {more} more' if more > 0 else ''}."


def refuse_set_aside(
    specs: Iterable[ModelSpec], quarantined: Sequence[Quarantined], word: str
) -> None:
    """Refuse a model of which nothing but entries that are set aside is listed.

    Else a name that is like it would be taken in its place.

    Raises:
        NothingFitsError: It is so.
    """
    found = set_aside(quarantined, word) if quarantined else ()
    if not found or is_meant(tuple(specs), word):
        return
    raise NothingFitsError(
        f"Every entry of {word!r} is set aside.",
        why="The catalog lists it with a value that could do harm, or cannot be read.",
        evidence=set_aside_text(found),
        next_step="ttctl models refresh --built-in",
    )


def _is_for(entry: str, model: str, device: str) -> bool:
    """Return whether an id is of a device, by the place that it has in ids of either shape."""
    words = entry.lower().split(" ")
    return device in words[1:2] or f"_{_plain(entry)}".endswith(f"_{model}_{device}")


def _plain(text: str) -> str:
    return text.lower().replace("/", "_").replace(" ", "_")
