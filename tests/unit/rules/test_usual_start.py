# SPDX-License-Identifier: Apache-2.0
"""Is a start's usual time that of its own kind, and are only so many kept?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cards import PINNED
from tests.unit.rules.validated import PINS

from ttctl.model.starts import Started
from ttctl.rules.usual_start import (
    MOST,
    MOST_OF_ONE,
    alike,
    start_key,
    usual_text,
    with_one_more,
)


def started(seconds: float, key: str = "a", *, first: bool = False) -> Started:
    return Started(key=key, first=first, seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ([], ""),
        ([0.2], "usually 1 s (from 1 earlier start here)"),
        ([59.0], "usually 59 s (from 1 earlier start here)"),
        ([600.0, 840.0], "usually 12 min (from 2 earlier starts here)"),
        ([60.0, 7200.0, 720.0], "usually 12 min (from 3 earlier starts here)"),
    ],
)
def test_the_one_in_the_middle_is_the_usual_one(seconds: list[float], text: str) -> None:
    assert usual_text(seconds) == text


def test_starts_with_and_without_a_cache_are_two_kinds() -> None:
    kept = (started(1), started(2, first=True), started(3, "b"), started(4))
    assert alike(kept, "a", first=False) == (1, 4)
    assert alike(kept, "a", first=True) == (2,)
    assert alike(kept, "c", first=True) == ()


def test_other_pins_another_device_and_another_image_are_other_kinds() -> None:
    specs = [PINNED, replace(PINNED, device="n150"), replace(PINNED, model="acme/Other-8B")]
    specs += [replace(PINNED, pins=replace(PINS, tt_metal="v0.1"))]
    keys = [start_key(one, "vllm-legacy") for one in specs]
    assert len({*keys, start_key(PINNED, "own")}) == 5
    assert start_key(replace(PINNED, pins=None), "") == (
        f"{PINNED.model} n300 vllm {PINNED.implementation}"
    )


def test_the_last_ones_of_a_kind_are_kept_and_no_more_than_so_many_of_all() -> None:
    kept: tuple[Started, ...] = (started(0, "other"),)
    for at in range(MOST_OF_ONE + 3):
        kept = with_one_more(kept, started(at))
    assert alike(kept, "a", first=False) == tuple(range(3, MOST_OF_ONE + 3))
    assert alike(kept, "other", first=False) == (0,)
    for at in range(MOST):
        kept = with_one_more(kept, started(1, f"key {at}"))
    assert len(kept) == MOST
    assert alike(kept, "a", first=False) == ()
