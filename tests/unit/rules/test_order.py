# SPDX-License-Identifier: Apache-2.0
"""Do the steps lead from what is seen to what is wanted, and nowhere else?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.fakes import Scene, container

from ttctl.model.image import LocalSource
from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.compose import config_hash
from ttctl.rules.images import prebuilt
from ttctl.rules.order import Observed, image_steps, steps_to_up, stuck

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Plan

WANTED = desire(Scene().world, Request(model="llama"))
REFERENCES = (WANTED.base.reference, *(image.reference for image in WANTED.images))
HASHES = {one.name: config_hash(WANTED.stack, one) for one in WANTED.stack.services}
RUNNING = tuple(container(name, config_hash=HASHES[name]) for name in HASHES)
NOTHING = Observed(
    images=frozenset(), weights=frozenset(), has_key=False, folder_matches=False, containers=()
)
EVERYTHING = Observed(
    images=frozenset(REFERENCES),
    weights=frozenset({WANTED.weights}),
    has_key=True,
    folder_matches=True,
    containers=RUNNING,
)


def plan(observed: Observed) -> Plan:
    return steps_to_up(
        WANTED.stack, WANTED.images, base=WANTED.base, weights=(WANTED.weights,), observed=observed
    )


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
            {"has_key": False}, ["key gateway key", "start gateway"], id="the key is gone"
        ),
        pytest.param({"containers": ()}, ["start vllm", "start gateway"], id="nothing runs"),
        pytest.param({"containers": RUNNING[:1]}, ["start gateway"], id="one is gone"),
        pytest.param(
            {"containers": seen("vllm", config_hash="0" * 64)}, ["start vllm"], id="other settings"
        ),
        pytest.param(
            {"containers": seen("vllm", state="exited", exit_code=1)}, ["start vllm"], id="ended"
        ),
        pytest.param({"containers": seen("vllm", state="paused")}, ["start vllm"], id="paused"),
        pytest.param({"containers": seen("vllm", state="created")}, ["start vllm"], id="created"),
        pytest.param(
            {"containers": seen("gateway", health="unhealthy")}, ["start gateway"], id="unhealthy"
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
    steps = steps_to_up(
        wanted.stack, wanted.images, base=wanted.base, weights=(wanted.weights,), observed=NOTHING
    )
    assert steps.steps[0].verb == "pull"


@settings(deadline=None)
@given(
    images=st.sets(st.sampled_from(REFERENCES)),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    containers=st.lists(
        st.builds(
            container,
            st.sampled_from(["vllm", "gateway", "old"]),
            config_hash=st.sampled_from(["0" * 64, *HASHES.values()]),
            state=st.sampled_from(["created", "running", "paused", "exited", "dead"]),
            health=st.sampled_from(["", "healthy", "unhealthy"]),
        ),
        unique_by=lambda one: one.service,
    ),
)
def test_applying_a_plan_leaves_an_empty_plan(
    images: set[str], flags: tuple[bool, bool, bool], containers: list[ContainerState]
) -> None:
    observed = Observed(
        images=frozenset(images),
        weights=frozenset({WANTED.weights} if flags[0] else ()),
        has_key=flags[1],
        folder_matches=flags[2],
        containers=tuple(containers),
    )
    assert changes(applied(observed, plan(observed))) == []


def applied(observed: Observed, plan_: Plan) -> Observed:
    """Do what each step says, one after the other, and nothing that no step says."""
    by_name = {image.name: image.reference for image in WANTED.images}
    for step in plan_.changes:
        match step.verb:
            case "pull" | "bootstrap":
                observed = replace(observed, images=observed.images | {step.subject})
            case "build":
                image = next(one for one in WANTED.images if one.name == step.subject)
                assert image.parent in observed.images
                observed = replace(observed, images=observed.images | {by_name[step.subject]})
            case "fetch":
                observed = replace(observed, weights=frozenset({WANTED.weights}))
            case "key":
                observed = replace(observed, has_key=True)
            case "write":
                observed = replace(observed, folder_matches=True)
            case "start" | "remove":
                rest = tuple(one for one in observed.containers if one.service != step.subject)
                new = (container(step.subject, config_hash=HASHES.get(step.subject, "")),)
                started = (*rest, *new) if step.verb == "start" else rest
                observed = replace(observed, containers=started)
            case other:
                raise AssertionError(other)
    return observed


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param({}, (), id="runs"),
        pytest.param({"state": "exited"}, (), id="exited: compose starts it"),
        pytest.param({"state": "created"}, (), id="created: compose starts it"),
        pytest.param({"state": "paused"}, ("vllm",), id="paused"),
        pytest.param({"state": "dead"}, ("vllm",), id="dead"),
        pytest.param({"state": "restarting"}, ("vllm",), id="restarting"),
        pytest.param({"health": "unhealthy"}, ("vllm",), id="unhealthy"),
        pytest.param(
            {"state": "exited", "health": "unhealthy"}, (), id="exited: nobody looks at its health"
        ),
        pytest.param({"state": "exited", "boards": ("0",)}, ("vllm",), id="exited, had boards"),
    ],
)
def test_what_compose_would_leave_broken_is_known(
    state: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert stuck(seen("vllm", **state), new_key=False) == expected


def test_a_gateway_that_knows_another_key_is_replaced() -> None:
    assert stuck(RUNNING, new_key=True) == ("gateway",)


def test_an_image_of_a_checkout_says_in_the_plan_that_nobody_validated_it() -> None:
    local = LocalSource(component="vllm", path="/src/vllm", digest="a" * 64)
    last = replace(WANTED.images[-1], source=local, reason="a checkout")
    (step,) = image_steps(
        (last,), base=WANTED.base, present=frozenset({WANTED.base.reference}), how=AS_NEEDED
    )
    assert step.verb == "build"
    assert step.reason.endswith("; unvalidated: from /src/vllm")


def test_an_image_that_is_pulled_says_why() -> None:
    one = prebuilt("vllm", "r.example.org/x@sha256:1", reason="it is in the registry")
    (step,) = image_steps((one,), base=WANTED.base, present=frozenset(), how=AS_NEEDED)
    assert (step.verb, step.reason) == ("pull", "it is in the registry")
