# SPDX-License-Identifier: Apache-2.0
"""Do the lines of a plan, its refusals and the launch go by the same nodes, boards and pages?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, LLAMA, PINNED, card_scene, held
from tests.unit.rules.validated import t3k

from ttctl.errors import NothingFitsError, StaleFilesError
from ttctl.model.health import NodeVitals
from ttctl.model.plan import How
from ttctl.operations import plan as plans
from ttctl.operations.judge import fitness_of
from ttctl.operations.up import up

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

    from ttctl.model.match import Finding
    from ttctl.model.spec import ModelSpec, Request

assert PINNED.pins is not None
CURRENT = replace(PINNED, pins=replace(PINNED.pins, contract="vllm-current", version="0.11.0"))


def nodes(mode: int) -> tuple[NodeVitals, ...]:
    return tuple(
        NodeVitals(node=f"/dev/tenstorrent/{at}", mode=mode, uid=0, gid=985) for at in range(4)
    )


def with_nodes(spec: ModelSpec, mode: int) -> Scene:
    scene = card_scene(spec)
    scene.vitals.the_cards = replace(scene.vitals.the_cards, nodes=nodes(mode))
    return scene


def lines(scene: Scene, request: Request = LLAMA) -> dict[str, Finding]:
    _, made = plans.plan(scene.world, request)
    return {one.subject: one for one in made.fitness}


def test_a_group_that_opens_the_nodes_is_in_the_plan_and_in_the_container() -> None:
    scene = with_nodes(CURRENT, 0o660)
    desired, made = plans.plan(scene.world, LLAMA)
    assert plans.obstacle(scene.world, desired, made) is None
    assert desired.stack.engine.confinement.groups == ("985",)
    assert "985" in lines(scene)["rights"].summary
    up(scene.world, LLAMA)


def test_an_image_that_drops_groups_is_refused_with_what_to_type() -> None:
    scene = with_nodes(PINNED, 0o660)
    desired, made = plans.plan(scene.world, LLAMA)
    assert desired.stack.engine.confinement.groups == ()
    refusal = plans.obstacle(scene.world, desired, made)
    assert isinstance(refusal, NothingFitsError)
    assert "drops groups" in refusal.why
    assert refusal.next_step.startswith("sudo chmod 0666 /dev/tenstorrent/0")
    with pytest.raises(NothingFitsError, match="would not start on this machine"):
        up(scene.world, LLAMA)


def test_what_is_built_in_its_place_keeps_them() -> None:
    scene = with_nodes(PINNED, 0o660)
    desired, made = plans.plan(scene.world, LLAMA, How(build=True))
    assert desired.stack.contract == "own"
    assert desired.stack.engine.confinement.groups == ("985",)
    assert "blocked" not in {one.verdict for one in made.fitness}


def test_the_lines_of_a_plan_are_about_the_boards_that_were_asked_for() -> None:
    scene = card_scene()
    scene.host.found = t3k(verdict="error", reasons=("too hot",))
    assert "health" not in lines(scene)
    asked = lines(scene, replace(LLAMA, boards=("0",)))
    assert asked["health"].verdict == "blocked"
    assert "board 0" in asked["boards"].summary
    other = lines(scene, replace(LLAMA, boards=("/dev/tenstorrent/2",)))
    assert "board 2" in other["boards"].summary
    assert "health" not in other


def test_a_start_on_boards_that_were_asked_for_is_refused_for_those_boards() -> None:
    scene = card_scene()
    scene.host.found = t3k(verdict="error", reasons=("too hot",))
    up(scene.world, replace(LLAMA, name="any"))
    with pytest.raises(NothingFitsError) as caught:
        up(scene.world, replace(LLAMA, name="hot", boards=("0",)))
    assert "too hot" in caught.value.why


def test_boards_that_make_up_another_device_are_no_line_that_all_is_well() -> None:
    scene = card_scene()
    desired, made = plans.plan(scene.world, LLAMA)
    assert {one.verdict for one in made.fitness if one.subject == "boards"} == {"ok"}
    unchosen = replace(desired.terms, leased=None)
    both = replace(desired, request=replace(LLAMA, boards=("0", "1")), terms=unchosen)
    (boards,) = (one for one in fitness_of(scene.world, both) if one.subject == "boards")
    assert (boards.verdict, boards.summary) == ("blocked", "0 (n300), 1 (n300): no n300")


@pytest.mark.parametrize(
    ("found", "step"),
    [("nothing", "sudo systemctl restart 'dev-hugepages"), ("a mount of hugepages of 2M", "sudo")],
)
def test_hugepages_that_the_container_mounts_are_missed_before_it_is_made(
    found: str, step: str
) -> None:
    scene = card_scene()
    cards = scene.vitals.the_cards
    assert cards.iommu == (("0000:00:00.0", "DMA-FQ"),)
    scene.vitals.the_cards = replace(cards, hugepages_mounted=False, hugepages_found=found)
    desired, made = plans.plan(scene.world, LLAMA)
    assert "/dev/hugepages-1G" in {mount.target for mount in desired.stack.engine.mounts}
    refusal = plans.obstacle(scene.world, desired, made)
    assert isinstance(refusal, NothingFitsError)
    assert f"{found} is there" in refusal.why
    assert refusal.next_step.startswith(step)
    with pytest.raises(NothingFitsError, match="would not start on this machine"):
        up(scene.world, LLAMA)


FILES = ("device_0_tenstorrent", "device_3_tenstorrent")
OWN = "/dev/hugepages-1G/device_0_tenstorrent"


def test_what_a_killed_engine_left_of_the_own_boards_is_named_and_removed_with_consent() -> None:
    scene = card_scene()
    scene.leases.hugepages = FILES
    _, made = plans.plan(scene.world, LLAMA)
    (lease,) = (one for one in made.steps if one.verb == "lease")
    assert f"with consent {OWN}, which a killed engine left, is removed" in lease.reason
    assert "device_3" not in lease.reason
    scene.taken()
    with pytest.raises(StaleFilesError) as caught:
        up(scene.world, LLAMA, how=How(stale="ask"))
    assert OWN in caught.value.evidence
    assert caught.value.next_step == "ttctl devices clear"
    assert scene.taken() == []
    up(scene.world, LLAMA, how=How(stale="remove"))
    assert [one for one in scene.taken() if one.startswith("remove")] == [
        "remove device_0_tenstorrent"
    ]


def test_they_stay_and_are_named_where_nobody_was_asked() -> None:
    scene = card_scene()
    scene.leases.hugepages = FILES
    up(scene.world, LLAMA)
    assert not [one for one in scene.taken() if one.startswith("remove device")]
    (note,) = (one for one in scene.reporter.notes if "hugepages" in one)
    assert OWN in note
    assert "ttctl devices clear" in note


def test_files_of_a_board_that_somebody_has_are_not_stale() -> None:
    scene = card_scene()
    scene.leases.hugepages = FILES
    held(scene, FIRST)
    _, made = plans.plan(scene.world, LLAMA)
    (lease,) = (one for one in made.steps if one.verb == "lease")
    assert "hugepages" not in lease.reason
