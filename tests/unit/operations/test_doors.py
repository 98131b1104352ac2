# SPDX-License-Identifier: Apache-2.0
"""Is the engine that was named the one that answers, where a stack has several?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.operations.test_beside import ALL, DRAWS
from tests.unit.operations.test_beside import scene as _scene

from ttctl.errors import UsageError
from ttctl.model.picture import Wanted
from ttctl.model.spec import Request
from ttctl.model.talk import Talk
from ttctl.operations.chat import ask, check_length, switched
from ttctl.operations.doors import check_talks, doors, find_door, talking_doors
from ttctl.operations.image import draw, find_easel, place_of
from ttctl.operations.up import up

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

scene = _scene
TALK = Talk(model="acme/Small-1B")


@pytest.fixture
def started(scene: Scene) -> Scene:
    """Return a machine with the four services in one stack."""
    up(scene.world, replace(ALL, port=8123))
    scene.gateway.asked.clear()
    return scene


def test_without_a_service_the_gateway_chooses_as_ever(started: Scene) -> None:
    door = find_door(started.world, "llama")
    assert (door.service, door.base, door.speaks) == ("", "", "openai")


@pytest.mark.parametrize(
    ("service", "base", "speaks"), [("vllm", "/vllm", "openai"), ("api", "/api", "chat")]
)
def test_the_named_service_is_asked_by_its_prefix_and_in_its_own_way(
    started: Scene, service: str, base: str, speaks: str
) -> None:
    door = find_door(started.world, "llama", service=service)
    assert (door.service, door.base, door.speaks) == (service, base, speaks)
    assert (door.model, door.at.port, door.max_model_len) == ("acme/Small-1B", 8123, 4096)
    ask(started.world, door, TALK, "Hi?", on_text=lambda _: None)
    assert started.gateway.bases == [base]


def test_another_model_beside_the_own_one_has_its_own_length(scene: Scene) -> None:
    up(scene.world, Request(model="llama", services=("demo-llama",)))
    door = find_door(scene.world, None, service="demo-llama")
    (spec,) = (one for one in scene.catalog.entries if one.model == "demo-llama")
    assert (door.model, door.max_model_len) == ("demo-llama", spec.limits.max_model_len)
    with pytest.raises(UsageError) as caught:
        check_length(replace(TALK, max_tokens=10**6), door)
    assert "--stack llama --service demo-llama --max-tokens" in caught.value.next_step


def test_an_entry_that_left_the_catalog_has_the_stacks_length(started: Scene) -> None:
    started.catalog.entries = (DRAWS,)
    assert find_door(started.world, None, service="api").max_model_len == 4096


def test_an_engine_alone_has_no_prefix_and_may_be_named(scene: Scene) -> None:
    up(scene.world, Request(model="llama"))
    door = find_door(scene.world, None, service="vllm")
    assert (door.service, door.base) == ("vllm", "")


@pytest.mark.parametrize(
    ("service", "meant"),
    [
        pytest.param("aip", "api", id="mistyped"),
        pytest.param("sd", "", id="draws"),
        pytest.param("chat", "", id="the page"),
        pytest.param("gateway", "", id="the door itself"),
    ],
)
def test_a_service_that_does_not_talk_is_refused_with_those_that_do(
    started: Scene, service: str, meant: str
) -> None:
    with pytest.raises(
        UsageError, match=f"'llama' has no service {service!r} that talks"
    ) as caught:
        find_door(started.world, "llama", service=service)
    assert "Services that talk: vllm, api." in caught.value.evidence
    assert (caught.value.mistyped, caught.value.meant) == (service, meant)
    assert caught.value.next_step == "ttctl chat --stack llama --service vllm"


def test_the_services_of_a_stack_that_talk_are_listed(started: Scene) -> None:
    assert [one.service for one in talking_doors(started.world, "llama")] == ["vllm", "api"]


def test_a_stack_whose_own_engine_draws_says_which_service_talks(scene: Scene) -> None:
    up(scene.world, Request(model="sd", name="both", services=("vllm=llama",)))
    with pytest.raises(UsageError, match="'both' holds no conversation") as caught:
        check_talks(scene.world, find_door(scene.world, "both"))
    assert caught.value.next_step == "ttctl chat --stack both --service vllm"
    check_talks(scene.world, find_door(scene.world, "both", service="vllm"))


def test_the_models_of_the_named_service_are_looked_up_behind_its_prefix(started: Scene) -> None:
    started.gateway.lists = ("a-lora",)
    door = find_door(started.world, None, service="vllm")
    assert switched(started.world, door, "a-lora") == (door, "a-lora")


def test_a_model_of_another_engine_of_the_stack_takes_the_named_service_back(
    started: Scene,
) -> None:
    door = find_door(started.world, None, service="api")
    started.gateway.behind = {"": ("acme/Small-1B", "a-lora"), "/api": ("acme/Small-1B",)}
    found, model = switched(started.world, door, "a-lora")
    assert (found.service, found.base, model) == ("", "", "a-lora")


def test_what_was_named_to_draw_is_asked_by_its_prefix(started: Scene) -> None:
    easel = find_easel(started.world, "llama", service="sd")
    assert (easel.service, easel.base) == ("sd", "/sd")
    assert find_easel(started.world, None, service="sd") == easel
    wanted = Wanted(prompt="a red circle")
    place = place_of(started.world, None, wanted.prompt, force=False)
    draw(started.world, easel, wanted, place, on_file=lambda *_: None)
    assert started.gateway.drawn[0][2].path == "/sd/v1/images/generations"
    assert find_easel(started.world, None).base == ""


@pytest.mark.parametrize("stack", ["llama", None])
def test_a_service_that_draws_nothing_is_refused_with_those_that_do(
    started: Scene, stack: str | None
) -> None:
    with pytest.raises(UsageError, match="'llama' has no service 'sdd' that draws") as caught:
        find_easel(started.world, stack, service="sdd")
    assert caught.value.meant == "sd"
    assert caught.value.next_step == "ttctl image --stack llama --service sd"


def test_no_key_is_sent_to_another_users_gateway(started: Scene) -> None:
    assert [one.stack for one in doors(started.world)] == ["llama"]
    started.engine.set_state("gateway", owner="somebody")
    for refused in (find_door, find_easel):
        with pytest.raises(UsageError, match="belongs to another user"):
            refused(started.world, "llama")
    assert doors(started.world) == ()
