# SPDX-License-Identifier: Apache-2.0
"""Is a value that is out of line told, and one that a larger mesh needs not?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.listed import listed

from ttctl.rules.suspects import with_suspects

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec


def specs(sizes: dict[str, object], option: str = "trace_region_size") -> tuple[ModelSpec, ...]:
    return tuple(
        listed(device=device, arguments=(("override_tt_config", json.dumps({option: size})),)).spec
        for device, size in sizes.items()
    )


def suspected(found: tuple[ModelSpec, ...]) -> list[str]:
    return [spec.device for spec in with_suspects(found) if spec.suspect]


def test_ten_times_too_much_is_told_with_the_largest_of_the_others() -> None:
    found = with_suspects(specs({"p100": 90_000_000, "p150": 900_000_000, "p300x2": 155_000_000}))
    assert [spec.device for spec in found if spec.suspect] == ["p150"]
    (line,) = found[1].suspect
    assert "trace_region_size 900000000 is 5.8 times" in line
    assert "155000000 on p300x2" in line


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param({"p100": 90, "p150": 359, "p300x2": 50}, id="less than four times"),
        pytest.param({"p150": 900, "p300x2": 100}, id="one sibling only"),
        pytest.param({"t3k": 30, "n300": 30, "galaxy": 1000}, id="a larger mesh"),
        pytest.param({"p100": 0, "p150": 900, "p300x2": 0}, id="siblings without a size"),
        pytest.param({"p100": "90", "p150": "900", "p300x2": None}, id="no numbers"),
        pytest.param({"p100": True, "p150": 900, "p300x2": True}, id="truth is no number"),
    ],
)
def test_what_has_a_reason_is_not_told(sizes: dict[str, object]) -> None:
    assert suspected(specs(sizes)) == []


def test_only_sizes_on_the_chip_are_compared() -> None:
    sizes: dict[str, object] = {"p100": 1, "p150": 900, "p300x2": 1}
    assert suspected(specs(sizes, "data_parallel")) == []
    assert suspected(specs(sizes, "worker_l1_size")) == ["p150"]


def test_what_was_said_before_stays() -> None:
    first, *rest = specs({"p150": 900, "p100": 90, "p300x2": 90})
    told = with_suspects([replace(first, suspect=("odd",)), *rest])[0].suspect
    assert told[0] == "odd"
    assert len(told) == 2
