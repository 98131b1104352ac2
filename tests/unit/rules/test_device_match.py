# SPDX-License-Identifier: Apache-2.0
"""Is the device named that the cards make up?"""

from __future__ import annotations

import pytest

from ttctl.model.device import DEVICE_NAMES, Chip
from ttctl.rules.device_match import match_device


def chips(*cards: tuple[str, str]) -> list[Chip]:
    """Return one chip for each (card type, serial)."""
    return [
        Chip(
            node=f"/dev/tenstorrent/{number}",
            arch="any",
            card_type=card_type,
            pci_address=f"0000:{number + 1:02x}:00.0",
            serial=serial,
        )
        for number, (card_type, serial) in enumerate(cards)
    ]


def boards(card_type: str, count: int, *, nodes: int = 1) -> list[Chip]:
    return chips(
        *((card_type, f"00000461{board:08x}") for board in range(count) for _ in range(nodes))
    )


def pci(found: list[Chip]) -> list[str]:
    return [f"{chip.pci_address} (1e52:b140)" for chip in found]


@pytest.mark.parametrize(
    ("found", "device"),
    [
        pytest.param(boards("n150", 1), "n150", id="n150"),
        pytest.param(boards("n150", 4), "n150x4", id="n150x4"),
        pytest.param(boards("n300", 1), "n300", id="n300 shows one node"),
        pytest.param(boards("n300", 4), "t3k", id="four n300 are a t3k"),
        pytest.param(boards("p100a", 1), "p100", id="p100a"),
        pytest.param(boards("p100", 1), "p100", id="p100"),
        pytest.param(boards("p150a", 1), "p150", id="p150a"),
        pytest.param(boards("p150b", 4), "p150x4", id="p150b x 4"),
        pytest.param(boards("p150a", 8), "p150x8", id="p150a x 8"),
        pytest.param(boards("p150a", 3) + boards("p150b", 1), "", id="two boards of one serial"),
        pytest.param(boards("p300c", 1, nodes=2), "p300", id="p300c shows two nodes"),
        pytest.param(boards("p300c", 2, nodes=2), "p300x2", id="p300c x 2"),
        pytest.param(boards("galaxy-wormhole", 32), "galaxy", id="galaxy by the driver"),
        pytest.param(boards("tt-galaxy-wh", 4, nodes=8), "galaxy", id="galaxy of four trays"),
        pytest.param(boards("galaxy-blackhole", 32), "blackhole_galaxy", id="blackhole galaxy"),
        pytest.param(chips(("n300", "")), "n300", id="without a serial"),
        pytest.param(chips(*[("p300a", "0000000000000000")] * 4), "p300x2", id="serials of zeros"),
    ],
)
def test_cards_make_up_the_device_that_upstream_names(found: list[Chip], device: str) -> None:
    match = match_device(found, pci=pci(found))
    assert match.device == device
    assert match.reason
    assert device in {"", *DEVICE_NAMES}


def test_a_machine_without_a_card_is_a_cpu_and_says_so() -> None:
    match = match_device([], pci=[])
    assert match.device == "cpu"
    assert match.reason == "no Tenstorrent card: no PCI device of vendor 1e52"


@pytest.mark.parametrize(
    ("found", "reason", "evidence"),
    [
        pytest.param(
            boards("n150", 2),
            "No device is made up of 2 x n150.",
            "known numbers of n150: 1, 4",
            id="a number without a name",
        ),
        pytest.param(
            boards("e150", 1),
            "No device is made up of 1 x e150.",
            "known numbers of e150: none",
            id="a family without a name",
        ),
        pytest.param(
            boards("galaxy-wormhole", 31),
            "No device is made up of 31 x galaxy-wh.",
            "31 galaxy",
            id="a galaxy that lacks a chip",
        ),
        pytest.param(
            boards("n150", 1) + boards("p150a", 1),
            "Cards of different kinds are in this machine: n150, p150.",
            "p150a",
            id="mixed",
        ),
        pytest.param(
            boards("", 1),
            "The driver does not say what kind of card it is.",
            "/dev/tenstorrent/0 of unknown kind",
            id="no type",
        ),
        pytest.param(
            boards("p300c", 1),
            "1 x p300 should show 2 nodes, but 1 are here.",
            "p300c",
            id="half a board",
        ),
    ],
)
def test_what_cannot_be_told_is_said_with_what_was_found(
    found: list[Chip], reason: str, evidence: str
) -> None:
    match = match_device(found, pci=pci(found))
    assert match.device == ""
    assert match.reason == reason
    assert evidence.removeprefix("31 ") in match.evidence


@pytest.mark.parametrize(
    ("hidden", "reason"),
    [
        pytest.param([], "the driver does not show it", id="no driver"),
        pytest.param(["/dev/tenstorrent/0"], "cannot be seen here", id="no node"),
    ],
)
def test_a_card_that_only_pci_shows_is_not_a_cpu(hidden: list[str], reason: str) -> None:
    match = match_device([], pci=["0000:01:00.0 (1e52:401e)"], hidden=hidden)
    assert match.device == ""
    assert reason in match.reason
    assert "0000:01:00.0 (1e52:401e)" in match.evidence


def test_cards_without_a_node_are_told_beside_the_device() -> None:
    found = boards("n150", 1)
    match = match_device(found, pci=[*pci(found), "0000:09:00.0 (1e52:401e)"])
    assert match.device == "n150"
    assert "on PCI without a node: 0000:09:00.0 (1e52:401e)" in match.evidence
