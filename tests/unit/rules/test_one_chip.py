# SPDX-License-Identifier: Apache-2.0
"""Is one chip of a dual board taken where it is known to work, and refused with a reason else?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.launching import entries, named
from tests.unit.rules.leasing import ME, NOBODY, NOTHING, machine, seen, stack
from tests.unit.rules.validated import TRANSLATED, entry

from ttctl.errors import HeldError, NoDeviceError
from ttctl.model.pins import Advice
from ttctl.rules.board_pick import choose_boards
from ttctl.rules.domains import domains_of
from ttctl.rules.fitness import Ground, findings
from ttctl.rules.leases import leased, with_leases
from ttctl.rules.one_chip import nodes_used, part_of, told, why_whole
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import Board, System
    from ttctl.model.lease import Claims

METAL = "/home/container_app_user/tt-metal"
LLAMA_P150 = "id_tt-transformers_Llama-3.1-8B-Instruct_p150"


def pick(
    device: str, system: System, *asked: str, claims: Claims = NOBODY, whole: str = ""
) -> tuple[Board, ...]:
    leases = leased(system, claims, NOTHING, stack="llama", owner=ME)
    return choose_boards(device, system, leases, asked=asked, whole=whole)


@pytest.mark.parametrize(
    ("here", "device", "family"), [("p300x2", "p150", "p300"), ("t3k", "n150", "n300")]
)
def test_one_chip_of_a_dual_board_is_a_device_of_its_own(
    tmp_path: Path, here: str, device: str, family: str
) -> None:
    system = machine(tmp_path, here)
    parts = [one for one in system.forms if one.device == device]
    assert {one.part_of for one in parts} == {family}
    assert parts[0].reason == f"one chip of {family} (board)"
    (first,) = pick(device, system)
    assert first == system.boards[0]
    assert part_of(device, (first,)) == family
    assert nodes_used(device, (first,)) == first.nodes[:1]
    assert pick(device, system, "1") == (system.boards[1],)


def test_a_whole_board_of_the_device_comes_before_one_chip_of_a_larger(tmp_path: Path) -> None:
    machine(tmp_path, "p300")
    system = machine(tmp_path, "p150", first=2)
    (taken,) = pick("p150", system)
    assert taken.family == "p150"
    assert nodes_used("p150", (taken,)) == taken.nodes


def test_who_has_one_chip_of_a_board_has_its_other_too(tmp_path: Path) -> None:
    system = machine(tmp_path, "p300")
    key = domains_of(system)[0].key
    claims = seen(stack("chat", key, paths=(system.boards[0].nodes[0],)))
    for device in ("p150", "p300"):
        with pytest.raises(HeldError):
            pick(device, system, claims=claims)


@pytest.mark.parametrize("asked", [(), ("0",)], ids=["any", "--board"])
def test_what_is_not_known_to_run_on_one_chip_is_refused_with_the_reason(
    tmp_path: Path, asked: tuple[str, ...]
) -> None:
    with pytest.raises(NoDeviceError, match="on one chip of p300") as caught:
        pick("p150", machine(tmp_path, "p300"), *asked, whole="nobody saw it")
    assert caught.value.why == "Nobody saw it."


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        pytest.param(named(LLAMA_P150), True, id="a pin that was seen"),
        pytest.param(entry("a/B", "p150"), False, id="another pin"),
        pytest.param(
            entry("a/B", "p150", environment=(("TT_MESH_GRAPH_DESC_PATH", "/own"),)),
            True,
            id="an entry that describes it",
        ),
        pytest.param(entry("a/B", "n150"), True, id="what follows MESH_DEVICE"),
        pytest.param(entry("a/B", "n150", engine="media"), False, id="another server"),
        pytest.param(entry("a/B", "n150", implementation="own"), False, id="another model"),
        pytest.param(entry("a/B", "n300"), True, id="a whole board"),
        pytest.param(entry("a/B", "cpu"), True, id="no board"),
    ],
)
def test_only_what_is_known_to_run_on_one_chip_is_let_through(spec: object, *, known: bool) -> None:
    assert (why_whole(spec) == "") is known  # type: ignore[arg-type]


def test_a_refusal_says_what_would_do() -> None:
    assert "c49bb76" in why_whole(entry("a/B", "p150"))
    assert "tt_transformers" in why_whole(entry("a/B", "n150", engine="media"))


def test_every_entry_for_a_p150_of_the_catalog_starts_on_one_chip_of_a_p300() -> None:
    found = [spec for spec in entries() if spec.device == "p150"]
    assert found
    assert not [spec.id for spec in found if why_whole(spec)]


def test_a_lone_chip_of_a_p300_is_described_and_that_of_an_n300_is_named() -> None:
    on_p300 = told(named(LLAMA_P150), part_of="p300", metal=METAL)
    assert on_p300 == {
        "MESH_DEVICE": "P150",
        "TT_MESH_GRAPH_DESC_PATH": f"{METAL}/tt_metal/fabric/mesh_graph_descriptors/"
        "p150_mesh_graph_descriptor.textproto",
    }
    on_n300 = told(entry("a/B", "n150"), part_of="n300", metal=METAL)
    assert on_n300 == {
        "MESH_DEVICE": "N150",
        "WH_ARCH_YAML": "wormhole_b0_80_arch_eth_dispatch.yaml",
    }
    assert told(entry("a/B", "n150"), part_of="", metal=METAL) == {}


def test_the_machine_says_one_chip_of_which_board_and_that_all_of_it_is_leased(
    tmp_path: Path,
) -> None:
    system = machine(tmp_path, "p300")
    system = with_leases(system, leased(system, NOBODY, NOTHING, stack="", owner=ME))
    ground = Ground(system=system, pages=TRANSLATED)
    judged = {
        one.subject: one
        for one in findings(named(LLAMA_P150), ground, advice=Advice(), satisfies=satisfies)
    }
    assert judged["boards"].verdict == "ok"
    assert "one chip of p300" in judged["boards"].summary
    assert "the whole board is leased" in judged["boards"].summary
    spec = replace(named(LLAMA_P150), pins=entry("a/B", "p150").pins)
    (refused,) = (
        one
        for one in findings(spec, ground, advice=Advice(), satisfies=satisfies)
        if one.subject == "boards"
    )
    assert refused.verdict == "blocked"
    assert "only one chip of p300 is here" in refused.summary
