# SPDX-License-Identifier: Apache-2.0
"""What must the host have, as an upstream entry says it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ttctl.adapters.upstream_values import (
    SPECIFIER,
    HarmError,
    is_odd_map,
    mapping_of,
    shown,
    text_of,
)
from ttctl.model.pins import Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS: tuple[tuple[Literal["firmware", "driver"], str], ...] = (
    ("firmware", "firmware"),
    ("driver", "kmd"),
)
"""Upstream's words for what the host must have."""


def requirements_of(
    found: Mapping[str, object],
) -> tuple[tuple[Requirement, ...], tuple[str, ...]]:
    """Return what is required, and what of the suggestions is not understood.

    Raises:
        HarmError: A strict requirement cannot be read: nothing could say whether it is met.
    """
    good: list[Requirement] = []
    odd: list[str] = []
    for what, key in KEYS:
        value = found.get(key)
        one = mapping_of(value)
        raw = one.get("specifier")
        strict = text_of(one.get("mode")).upper() != "SUGGESTED"
        specifier = "".join(text_of(raw).split())
        if not specifier and raw in (None, "") and not is_odd_map(value):
            continue
        if all(SPECIFIER.fullmatch(part) for part in specifier.split(",")):
            good.append(Requirement(what=what, specifier=specifier, strict=strict))
            continue
        told = shown(specifier or str(raw or value))
        if strict:
            raise HarmError(f"the strict requirement on {what} {told} is not understood")
        odd.append(f"requirement on {what} {told} is not understood")
    return tuple(good), tuple(odd)
