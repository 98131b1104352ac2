# SPDX-License-Identifier: Apache-2.0
"""Do the steps lead from whatever is seen to what is wanted, and nowhere else?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.unit.fakes import OWNER, Scene, container
from tests.unit.rules.worlds import FOREIGN, Doing, how_of, world_of

from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.compose import config_hash
from ttctl.rules.reconcile import Observed, Wanted, reconcile

if TYPE_CHECKING:
    from random import Random

    from tests.unit.rules.worlds import World

    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Plan
    from ttctl.model.service import Stack

WANTED = desire(Scene().world, Request(model="llama"))
AIM = Wanted(stack=WANTED.stack, images=WANTED.images, base=WANTED.base, weights=(WANTED.weights,))
REFERENCES = (WANTED.base.reference, *(image.reference for image in WANTED.images))
HASHES = {one.name: config_hash(WANTED.stack, one) for one in WANTED.stack.services}
RUNNING = tuple(container(name, config_hash=HASHES[name]) for name in HASHES)
NOTHING = Observed(
    images=frozenset(),
    weights=frozenset(),
    has_key=False,
    folder_matches=False,
    owner=OWNER,
    containers=(),
)
EVERYTHING = Observed(
    images=frozenset(REFERENCES),
    weights=frozenset({WANTED.weights}),
    has_key=True,
    folder_matches=True,
    owner=OWNER,
    containers=RUNNING,
)
A_THOUSAND = settings(
    max_examples=1000,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
)
IN_ORDER = (
    ("pull", "bootstrap", "build", "fetch", "key"), ("stop",), ("reset",), ("lease",), ("write",),
    ("remove",), ("start",), ("wait",),
)  # fmt: skip


def plan(observed: Observed) -> Plan:
    return reconcile(AIM, observed)


def changes(observed: Observed) -> list[str]:
    return [f"{step.verb} {step.subject}" for step in plan(observed).changes]


def seen(service: str, **state: Any) -> tuple[ContainerState, ...]:  # noqa: ANN401
    return tuple(replace(one, **state) if one.service == service else one for one in RUNNING)


def without(*names: str) -> frozenset[str]:
    left_out = {image.reference for image in WANTED.images if image.name in names}
    return frozenset(REFERENCES) - left_out


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, [], id="all is there"),
        pytest.param({"images": without("gateway")}, ["build gateway"], id="one image is gone"),
        pytest.param(
            {"images": frozenset(REFERENCES[1:])}, [], id="the base image is gone: nobody needs it"
        ),
        pytest.param(
            {"images": without("base", "torch") - {REFERENCES[0]}},
            [],
            id="what the images stand on is gone: nobody needs it",
        ),
        pytest.param(
            {"images": without("base", "gateway") - {REFERENCES[0]}},
            ["bootstrap ttctl/rootfs:bookworm", "build base", "build gateway"],
            id="an image and all that it stands on are gone",
        ),
        pytest.param(
            {"weights": frozenset()}, ["fetch weights acme/Small-1B"], id="weights are gone"
        ),
        pytest.param({"folder_matches": False}, ["write rendered folder"], id="another folder"),
        pytest.param(
            {"has_key": False},
            ["key gateway key", "remove gateway", "start gateway"],
            id="the key is gone",
        ),
        pytest.param({"containers": ()}, ["start vllm", "start gateway"], id="nothing runs"),
        pytest.param({"containers": RUNNING[:1]}, ["start gateway"], id="one is gone"),
        pytest.param(
            {"containers": seen("vllm", config_hash="0" * 64)}, ["start vllm"], id="other settings"
        ),
        pytest.param(
            {"containers": seen("vllm", state="exited", exit_code=1)}, ["start vllm"], id="ended"
        ),
        pytest.param(
            {"containers": seen("vllm", state="paused")}, ["remove vllm", "start vllm"], id="paused"
        ),
        pytest.param(
            {"containers": seen("vllm", state="created")},
            ["remove vllm", "start vllm"],
            id="created",
        ),
        pytest.param(
            {"containers": seen("gateway", health="unhealthy")},
            ["remove gateway", "start gateway"],
            id="unhealthy",
        ),
        pytest.param({"containers": seen("vllm", health="starting")}, [], id="loads: left alone"),
        pytest.param(
            {"containers": (*RUNNING, container("old"))}, ["remove old"], id="one too many"
        ),
    ],
)
def test_what_is_seen_decides_what_is_done(change: dict[str, Any], expected: list[str]) -> None:
    assert changes(replace(EVERYTHING, **change)) == expected


def test_every_step_says_why_and_waiting_comes_last() -> None:
    for observed in (NOTHING, EVERYTHING):
        steps = plan(observed).steps
        assert all(step.reason for step in steps)
        assert steps[-1].verb == "wait"


def test_the_reason_of_a_start_is_what_was_seen() -> None:
    observed = replace(EVERYTHING, containers=seen("vllm", state="exited", exit_code=137))
    (step,) = plan(observed).changes
    assert step.reason == "its container is exited (exit code 137)"


def test_a_base_image_that_a_registry_has_is_pulled() -> None:
    scene = Scene()
    scene.builder.registry_answers = True
    wanted = desire(scene.world, Request(model="llama"))
    aim = replace(AIM, base=wanted.base, images=wanted.images)
    assert reconcile(aim, NOTHING).steps[0].verb == "pull"


PAUSED = seen("vllm", state="paused")
HALF = (
    "id already in use",
    "task 0a1b already exists: unknown",
    "failed to start shim: mkdir /run/containerd/moby/0a1b: file exists: unknown",
)
EXISTS = "failed to set up container networking: endpoint with name x already exists in network y"
TAKEN = "listen tcp4 127.0.0.1:8000: bind: address already in use"
LEFT = container("vllm", config_hash=HASHES["vllm"], name="0a1b2c3d4e5f_ttctl-llama-vllm-1")
BY_RUN = tuple(replace(one, composed=False) for one in RUNNING)


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        pytest.param(seen("vllm", state="exited"), {}, id="exited: compose starts it"),
        pytest.param(
            seen("gateway", state="created"),
            {
                "gateway": "it was never started, and lacks a network: who made it was killed",
            },
            id="created, without its networks",
        ),
        pytest.param(
            seen("vllm", state="created", networks=("ttctl-llama_back",)),
            {},
            id="created with its network: compose starts it",
        ),
        *(
            pytest.param(
                seen("vllm", state="created", networks=("ttctl-llama_back",), start_error=said),
                {"vllm": f"the engine cannot start it any more: {said}"},
                id=f"created, and begun before the engine was killed: {said}",
            )
            for said in HALF
        ),
        pytest.param(
            seen("vllm", state="exited", start_error=HALF[0]),
            {"vllm": f"the engine cannot start it any more: {HALF[0]}"},
            id="ended, and begun again before the engine was killed",
        ),
        pytest.param(
            seen("vllm", state="exited", start_error=EXISTS),
            {},
            id="ended, and refused for what only sounds so",
        ),
        pytest.param(
            seen("vllm", state="created", networks=("ttctl-llama_back",), start_error=TAKEN),
            {},
            id="created, and refused for what may be over",
        ),
        pytest.param(PAUSED, {"vllm": "it is paused, and compose would leave it so"}, id="paused"),
        pytest.param(
            seen("vllm", state="dead"),
            {"vllm": "it is dead, and compose would leave it so"},
            id="dead",
        ),
        pytest.param(
            seen("vllm", health="unhealthy"),
            {"vllm": "it is unhealthy, and compose would leave it so"},
            id="unhealthy",
        ),
        pytest.param(
            (LEFT, *seen("vllm", state="exited")),
            {"vllm": "2 containers of it are here, which a killed command left: one is made"},
            id="a successor that runs beside the one that ended",
        ),
        pytest.param(
            (LEFT, RUNNING[1]),
            {
                "vllm": "its container is called 0a1b2c3d4e5f_ttctl-llama-vllm-1,"
                " as a killed command left it"
            },
            id="a successor that was not renamed",
        ),
        pytest.param(
            (*BY_RUN, container("old", composed=False)),
            {
                "vllm": "it goes with all that `docker run` made, networks too",
                "gateway": "it goes with all that `docker run` made, networks too",
                "old": "the plan has no such service",
            },
            id="of what docker run made, one is too many: all of it goes",
        ),
        pytest.param(
            (BY_RUN[0], *(replace(one, state="exited") for one in RUNNING[1:])),
            {
                "vllm": "it goes with all that `docker run` made, networks too",
                "gateway": "it goes with all that `docker run` made, networks too",
            },
            id="what compose made goes with what docker run made",
        ),
        pytest.param(
            (*RUNNING, container("old"), container("old", name="ttctl-llama-old-2")),
            {"old": "the plan has no such service"},
            id="two containers of one service too many",
        ),
    ],
)
def test_what_compose_cannot_mend_is_removed_by_the_plan_which_says_why(
    containers: tuple[ContainerState, ...], expected: dict[str, str]
) -> None:
    steps = plan(replace(EVERYTHING, containers=containers)).steps
    assert {one.subject: one.reason for one in steps if one.verb == "remove"} == expected
    started = {one.subject for one in steps if one.verb == "start"}
    assert {*expected} & {*HASHES} <= started


def test_networks_over_which_the_gateway_reaches_nobody_are_made_anew() -> None:
    made = plan(replace(EVERYTHING, cut_off=("vllm",)))
    why = "the gateway does not reach vllm over them, though each container works"
    assert [(one.verb, one.subject, one.reason) for one in made.changes] == [
        (
            "remove",
            "networks",
            f"{why}; those go with them",
        ),
        ("start", "vllm", "its networks are made anew"),
        ("start", "gateway", "its networks are made anew"),
    ]


def test_a_gateway_that_was_not_started_yet_reads_the_new_key_itself() -> None:
    whole = seen("gateway", state="created", networks=("ttctl-llama_back", "ttctl-llama_front"))
    observed = replace(EVERYTHING, has_key=False, containers=whole)
    assert changes(observed) == ["key gateway key", "start gateway"]


@A_THOUSAND
@given(random=st.randoms(use_true_random=True))
def test_of_any_world_a_plan_makes_what_is_wanted_and_touches_nothing_else(
    random: Random,
) -> None:
    world, how = world_of(random), how_of(random)
    made = reconcile(world.wanted, world.seen, how=how)
    after = Doing(world, recreate=how.recreate).do(made)
    assert reconcile(world.wanted, after.seen).changes == ()
    _is_as_wanted(world.wanted.stack, after)
    # What is not ours has no part in it, be it there or not, and whenever it is asked again.
    assert FOREIGN not in repr(made.steps)
    assert made == reconcile(world.wanted, world.observed, how=how)
    assert made == reconcile(world.wanted, world.seen, how=how)
    _is_in_order(world, made)
    assert all(one.reason and one.subject for one in made.steps)


def _is_as_wanted(stack: Stack, after: World) -> None:
    left = {one.service: one for one in after.observed.containers}
    assert sorted(left) == sorted(one.name for one in stack.services)
    assert len(left) == len(after.observed.containers)
    for service in stack.services:
        one = left[service.name]
        assert (one.state, one.name) == ("running", f"{stack.project}-{service.name}-1")
        assert one.config_hash == config_hash(stack, service)
        assert one.health != "unhealthy"
    assert left["gateway"].container_id in after.knows_key


def _is_in_order(world: World, made: Plan) -> None:
    place = {verb: number for number, verbs in enumerate(IN_ORDER) for verb in verbs}
    places = [place[one.verb] for one in made.steps if one.verb != "skip"]
    assert places == sorted(places)
    said = [(one.verb, one.subject) for one in made.changes]
    assert len(said) == len({*said})
    built = [one.subject for one in made.steps if one.verb == "build"]
    assert built == [one.name for one in world.wanted.images if one.name in built]
    # What nothing is done for is said as well: each service has a step of its own.
    spoken = [one.subject for one in made.steps if one.verb in {"start", "skip"}]
    assert all(one.name in spoken for one in world.wanted.stack.services)
