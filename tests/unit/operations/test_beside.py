# SPDX-License-Identifier: Apache-2.0
"""Do several services share one stack: one door, one lock, weights of each?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, card_scene
from tests.unit.fakes import CONTRACTS, DEMO_MODEL, HUB_MODEL, RECIPES, Scene
from tests.unit.rules.launching import entries

from ttctl.adapters.lock_file import lock_text, read_lock
from ttctl.cli.plan_text import beside_lines
from ttctl.errors import NothingFitsError
from ttctl.model.spec import Limits, Request, Weights
from ttctl.operations.desire import desire
from ttctl.operations.up import up
from ttctl.rules.compose import compose_of
from ttctl.rules.derived import derived
from ttctl.rules.gateway_routes import MEMORY_MIB, several_values
from ttctl.rules.gateway_values import behind_card

if TYPE_CHECKING:
    from pathlib import Path

DRAWS = replace(
    HUB_MODEL,
    model="acme/draws-1",
    engine="sd",
    type="IMAGE",
    aliases=("sd",),
    image="sd-cpu",
    weights=Weights(kind="hub", repository="acme/draws-1", size_bytes=1_000),
    limits=Limits(max_model_len=0, max_num_seqs=1, block_size=0),
    engine_args=(),
    offline_model="",
)
ALL = Request(model="llama", services=("api", "chat", "sd"))


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.catalog.entries = (HUB_MODEL, DEMO_MODEL, DRAWS)
    return scene


def test_each_engine_has_a_container_and_all_have_one_door(scene: Scene) -> None:
    desired = desire(scene.world, ALL)
    assert [one.name for one in desired.stack.services] == ["vllm", "api", "sd", "chat", "gateway"]
    assert [one.publish for one in desired.stack.services].count(None) == 4
    config = desired.serving.gateway_config
    for name in ("vllm", "api", "sd", "chat"):
        assert f"\nbackend {name}\n" in config
    assert desired.files["gateway/haproxy.cfg"][0] == config
    assert {f"images/{name}/Dockerfile" for name in ("direct-cpu", "sd-cpu", "chat")} <= {
        *desired.files
    }


def test_an_engine_alone_is_served_as_if_there_were_no_other_kind(scene: Scene) -> None:
    alone = desire(scene.world, Request(model="llama"))
    assert [one.name for one in alone.stack.services] == ["vllm", "gateway"]
    assert "\nbackend engine\n" in alone.serving.gateway_config
    assert "[[beside]]" not in lock_text(alone.lock)
    assert "services" not in lock_text(alone.lock)


def test_each_reads_its_own_weights_and_equal_ones_are_fetched_once(scene: Scene) -> None:
    desired = desire(scene.world, ALL)
    sources = {
        service.name: mount.source
        for service in desired.stack.services
        for mount in service.mounts
        if "WEIGHTS" in mount.source
    }
    assert {name: source.split(":")[0] for name, source in sources.items()} == {
        "vllm": "${TTCTL_WEIGHTS",
        "api": "${TTCTL_API_WEIGHTS",
        "sd": "${TTCTL_SD_WEIGHTS",
    }
    place = desired.serving.place
    assert place["TTCTL_API_WEIGHTS"] != place["TTCTL_SD_WEIGHTS"]
    assert [one.repository for one in desired.all_weights] == ["acme/Small-1B", "acme/draws-1"]
    dotenv = desired.files[".env"][0]
    assert all(f"{name}=" in dotenv for name in ("TTCTL_API_WEIGHTS", "TTCTL_SD_WEIGHTS"))


def test_up_gets_the_weights_and_images_of_all_and_starts_them(scene: Scene) -> None:
    result = up(scene.world, ALL)
    assert [one.name for one in result.services] == ["api", "sd", "chat"]
    built = {call.removeprefix("build ") for call in scene.calls if call.startswith("build ")}
    assert {"vllm-cpu", "direct-cpu", "sd-cpu", "chat", "gateway"} <= built
    assert not up(scene.world, ALL).changed


def test_weights_that_are_here_are_looked_at_once_for_each_engine(scene: Scene) -> None:
    up(scene.world, ALL)
    # To choose, to plan, and for the room that is left; two engines chose the one model.
    assert Counter(scene.weights.looked) == {"acme/Small-1B": 4, "acme/draws-1": 3}
    scene.weights.looked.clear()
    up(scene.world, ALL)
    assert Counter(scene.weights.looked) == {"acme/Small-1B": 1, "acme/draws-1": 1}


def test_what_was_locked_stays_until_other_services_are_named(scene: Scene) -> None:
    up(scene.world, ALL)
    assert not up(scene.world, Request(model="llama")).changed
    fewer = up(scene.world, Request(model="llama", services=()))
    assert fewer.changed
    assert fewer.services == ()
    lock = scene.store.lock("llama")
    assert lock is not None
    assert (lock.services, lock.beside) == ((), ())


def test_a_lock_with_several_engines_is_read_back_as_it_was_written(
    scene: Scene, tmp_path: Path
) -> None:
    lock = desire(scene.world, ALL).lock
    path = tmp_path / "ttctl.lock"
    path.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(path) == lock
    assert [(one.service, one.engine) for one in lock.beside] == [("api", "direct"), ("sd", "sd")]


def test_a_locked_engine_asks_no_hub_again(scene: Scene) -> None:
    first = desire(scene.world, ALL).lock
    up(scene.world, ALL)
    scene.weights.offline = True
    again = desire(scene.world, ALL).lock
    assert [one.weights.revision for one in again.beside] == [
        one.weights.revision for one in first.beside
    ]


def test_one_model_twice_beside_itself_has_another_name(scene: Scene) -> None:
    desired = desire(scene.world, Request(model="llama", services=("demo-llama",)))
    assert [one.name for one in desired.stack.services] == ["vllm", "demo-llama", "gateway"]
    body = compose_of(desired.stack)["services"]
    assert isinstance(body, dict)
    assert body["demo-llama"]["command"] != body["vllm"]["command"]


def test_a_stack_on_boards_takes_a_page_beside_it() -> None:
    page = desire(card_scene().world, replace(LLAMA, services=("chat",)))
    assert [one.name for one in page.stack.services] == ["vllm", "chat", "gateway"]


def test_the_door_of_several_engines_has_the_memory_that_its_buffers_need(scene: Scene) -> None:
    door = desire(scene.world, ALL).stack.services[-1]
    assert (door.name, door.memory_mib) == ("gateway", MEMORY_MIB)


def test_a_plan_says_what_stands_beside_the_engine_why_and_that_it_needs_no_board(
    scene: Scene,
) -> None:
    choice = desire(scene.world, ALL).choice
    assert beside_lines(choice) == [
        "beside    api: acme/Small-1B on cpu, no board; the catalog's entry for cpu",
        "beside    sd: acme/draws-1 on cpu, no board; the catalog's entry for cpu",
        "beside    chat: a page for a browser, no board",
    ]
    assert beside_lines(desire(scene.world, Request(model="llama", name="alone")).choice) == []


@pytest.mark.parametrize("engine", ["direct", "sd"])
def test_a_program_of_ours_on_a_card_takes_a_page_beside_it(engine: str) -> None:
    spec = derived(entries(), engine)[0]
    behind = behind_card(spec, CONTRACTS[engine])
    values = several_values([behind], gateway=RECIPES.defaults("gateway"), max_body_bytes=1)
    assert f'"id":"{spec.model}"' in RECIPES.template("gateway/haproxy.cfg.j2", values)


@pytest.mark.parametrize("memory_gib", [12, 24])
def test_engines_that_do_not_fit_together_are_refused_before_anything_starts(
    scene: Scene, memory_gib: int
) -> None:
    scene.host.found = replace(scene.host.found, memory_bytes=memory_gib << 30)
    if memory_gib == 24:
        up(scene.world, ALL)
        return
    with pytest.raises(NothingFitsError, match="3 engines need more memory together") as caught:
        up(scene.world, ALL)
    assert scene.taken() == []
    assert caught.value.next_step == "ttctl up llama --with chat,sd"
    up(scene.world, replace(ALL, services=("chat", "sd")))


def test_one_at_a_time_is_not_given_what_vllm_sets_aside_for_many(scene: Scene) -> None:
    limits = {one.name: one.memory_mib for one in desire(scene.world, ALL).stack.services}
    assert (limits["vllm"], limits["api"]) == (6144, 5120)
    [plain] = derived([replace(HUB_MODEL, engine_args=())], "direct")
    assert plain.memory_mib == 6144
