# SPDX-License-Identifier: Apache-2.0
"""Does every spelling of upstream's name a device, and no other word?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.model.device import DEVICE_NAMES
from ttctl.rules.device_names import candidates, device_named, respelled


@pytest.mark.parametrize("name", DEVICE_NAMES)
def test_any_case_of_a_name_is_the_name(name: str) -> None:
    assert {device_named(one) for one in (name, name.upper(), name.title(), f" {name} ")} == {name}
    assert respelled(name.upper()) == ""


@pytest.mark.parametrize(
    ("word", "device"),
    [
        ("TG", "galaxy"), ("BH-Galaxy", "blackhole_galaxy"), ("(8,16)", "quad_galaxy"),
        ("(8x8)", "dual_galaxy"),
    ],
)  # fmt: skip
def test_what_mesh_device_calls_otherwise_is_told_as_another_name(word: str, device: str) -> None:
    assert device_named(word) == respelled(word) == device


@pytest.mark.parametrize("word", ["(2, 4)", "1x8", "(3, 3)", "E150", "n15", ""])
def test_a_shape_of_several_devices_names_none(word: str) -> None:
    assert device_named(word) == respelled(word) == ""


@given(st.text(max_size=20))
def test_any_text_names_a_known_device_or_none(word: str) -> None:
    assert device_named(word) in {"", *DEVICE_NAMES}
    assert set(candidates(word)) <= set(DEVICE_NAMES)
