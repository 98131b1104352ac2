# SPDX-License-Identifier: Apache-2.0
"""Does MESH_DEVICE mean what upstream means by it, and is a mismatch told with both names?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.model.device import DEVICE_NAMES, Formed, System
from ttctl.rules.mesh_device import forming, meant, mismatch, with_device, with_mesh_device


def machine(*forms: str, device: str | None = None) -> System:
    return System(
        device=forms[0] if device is None and forms else device or "",
        cores=1,
        memory_bytes=1,
        machine="x86_64",
        reason="a test",
        forms=tuple(
            Formed(device=one, boards=(str(at),), reason="") for at, one in enumerate(forms)
        ),
    )


BARE = machine(device="cpu")
T3K = machine("t3k", "n300", "n300")
GALAXY = machine("galaxy", "galaxy_t3k")


@pytest.mark.parametrize(
    ("word", "device"),
    [
        ("N150", "n150"), ("N300", "n300"), ("T3K", "t3k"), ("TG", "galaxy"), ("P100", "p100"),
        ("P150", "p150"), ("P150x4", "p150x4"), ("P150x8", "p150x8"), ("P300", "p300"),
        ("P300x2", "p300x2"), ("N150x4", "n150x4"), ("BH-Galaxy", "blackhole_galaxy"),
        ("(8,8)", "dual_galaxy"), ("(8, 16)", "quad_galaxy"), ("(4, 8)", "galaxy"),
        (" tg ", "galaxy"),
        ("(0, 0)", ""), ("(99, 99)", ""), ("banana", ""), ("E150", ""), ("(4, ", ""),
    ],
)  # fmt: skip
def test_upstreams_spelling_means_a_device(word: str, device: str) -> None:
    assert meant(word, BARE) == device


@pytest.mark.parametrize(
    ("word", "system", "device"),
    [
        ("T3K", GALAXY, "galaxy_t3k"),
        ("(2, 4)", machine("p150x8"), "p150x8"),
        ("(2, 4)", T3K, "t3k"),
        ("(1, 2)", machine("p300x2", "p300"), "p300"),
        ("(8, 4)", machine("blackhole_galaxy"), "blackhole_galaxy"),
    ],
)
def test_of_several_devices_of_a_shape_the_one_that_is_here_is_meant(
    word: str, system: System, device: str
) -> None:
    assert meant(word, system) == device


def test_what_the_machine_forms_is_no_mismatch() -> None:
    for device in ("t3k", "n300", "cpu"):
        assert mismatch(T3K, device, said=f"--device {device}") == ""
    assert forming(T3K, "n300") == (("1",), ("2",))


def test_a_mismatch_names_both() -> None:
    found = with_device(T3K, "p150x4")
    assert (found.device, found.reason) == ("p150x4", "--device p150x4")
    assert "--device p150x4 means p150x4, but these cards form t3k, n300" in found.evidence
    assert with_device(T3K, None) == T3K


def test_a_machine_without_cards_says_so() -> None:
    found = with_mesh_device(BARE, "T3K")
    assert found.device == "t3k"
    assert found.evidence == "MESH_DEVICE=T3K means t3k, but this machine is cpu: a test"


def test_a_word_that_means_nothing_is_told_and_not_followed() -> None:
    found = with_mesh_device(T3K, "banana")
    assert found.device == "t3k"
    assert "MESH_DEVICE=banana is no mesh that is known" in found.evidence


@given(st.text())
def test_any_word_means_a_known_device_or_none(word: str) -> None:
    assert meant(word, T3K) in {"", *DEVICE_NAMES}
    assert with_mesh_device(T3K, word).device in DEVICE_NAMES
