# SPDX-License-Identifier: Apache-2.0
"""Does `up` do what is missing, and nothing else?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import CARD_MODEL, HUB_MODEL, NEWER, REVISION, Scene, at, container

from ttctl.errors import (
    EngineError,
    LockedError,
    NoDeviceError,
    NothingFitsError,
    OfflineError,
    PrivilegeError,
    UsageError,
)
from ttctl.model.device import Chip, System
from ttctl.model.pins import Changed
from ttctl.model.plan import How
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations import plan as plan_operations
from ttctl.operations.choice import remembered
from ttctl.operations.desire import desire
from ttctl.operations.stacks import down
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World

LLAMA = Request(model="llama")
EVERYTHING = [
    "base",
    "build base",
    "build torch",
    "build vllm-cpu",
    "build gateway",
    "fetch acme/Small-1B",
    "key",
    "write and prune",
    "up",
]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def running(scene: Scene) -> Scene:
    """A stack that is up."""
    up(scene.world, LLAMA)
    scene.taken()
    return scene


def test_a_first_up_does_everything_once_in_order(scene: Scene) -> None:
    result = up(scene.world, LLAMA)
    assert scene.taken() == EVERYTHING
    assert result.changed
    assert result.url == "http://127.0.0.1:8000"
    assert result.command[:3] == ("vllm", "serve", "/models/Small-1B")
    assert scene.gateway.asked[0][:2] == (8000, "k" * 64)


def test_hashes_that_only_a_fetch_shows_are_locked_before_the_start(scene: Scene) -> None:
    scene.weights.tells_hashes = False
    up(scene.world, LLAMA)
    assert scene.taken() == EVERYTHING
    locked = scene.world.store.lock("llama")
    assert locked is not None
    assert [file.sha256 for file in locked.weights.files] == ["c" * 64]
    assert not up(scene.world, LLAMA).changed


def test_a_second_up_changes_nothing_and_still_proves_that_the_stack_answers(
    running: Scene,
) -> None:
    asked = len(running.gateway.asked)
    result = up(running.world, LLAMA)
    assert running.taken() == []
    assert not result.changed
    assert len(running.gateway.asked) == asked + 1


def test_a_second_up_asks_neither_hub_nor_registry_nor_disk_nor_network(running: Scene) -> None:
    running.weights.offline = True
    running.host.free = {"/var/lib/docker": 0, "/cache": 0}
    running.host.silent = {running.host.index}
    running.host.holders = {8000: "pid 1 (docker-proxy)"}
    assert not up(running.world, LLAMA).changed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"max_model_len": 1024}, {"vllm"}, id="context: the engine"),
        pytest.param({"max_num_seqs": 2}, {"vllm"}, id="requests: the engine"),
        pytest.param({"block_size": 128}, {"vllm"}, id="block size: the engine"),
        pytest.param({"port": 8001}, {"gateway"}, id="port: the gateway"),
        pytest.param({"device": "cpu"}, set(), id="the device that it has: nothing"),
    ],
)
def test_a_changed_setting_starts_only_what_it_touches(
    running: Scene, changes: dict[str, Any], expected: set[str]
) -> None:
    before = {state.service: state.container_id for state in running.engine.containers("llama")}
    up(running.world, replace(LLAMA, **changes))
    after = {state.service: state.container_id for state in running.engine.containers("llama")}
    assert {name for name in after if after[name] != before[name]} == expected
    assert running.taken() == (["write and prune", "up"] if expected else [])


@pytest.mark.parametrize(
    ("start_s", "asked", "waited"),
    [
        pytest.param(0, None, 3600, id="nothing is said: upstream's default"),
        pytest.param(6400, None, 6400, id="as long as the entry's first start may take"),
        pytest.param(6400, 60, 60, id="what was typed holds"),
    ],
)
def test_a_start_is_waited_for_as_long_as_it_may_take(
    scene: Scene, start_s: int, asked: int | None, waited: int
) -> None:
    scene.catalog.entries = (replace(HUB_MODEL, start_s=start_s),)
    up(scene.world, LLAMA, wait_s=asked)
    assert scene.launcher.waits == [waited]


def test_what_was_set_once_stays_set(running: Scene) -> None:
    up(running.world, replace(LLAMA, port=8001, max_model_len=1024))
    running.taken()
    result = up(running.world, LLAMA)
    assert running.taken() == []
    assert result.url == "http://127.0.0.1:8001"
    assert result.command[result.command.index("--max-model-len") + 1] == "1024"


def test_limits_that_the_engine_refused_are_not_remembered(running: Scene) -> None:
    rendered = dict(running.store.rendered)
    running.launcher.fails = EngineError("The stack did not come up.")
    with pytest.raises(EngineError):
        up(running.world, replace(LLAMA, max_model_len=100_000))
    running.launcher.fails = None
    assert running.store.rendered == rendered
    result = up(running.world, LLAMA)
    assert "100000" not in result.command
    running.launcher.fails = EngineError("The stack did not come up.")
    with pytest.raises(EngineError):
        up(running.world, replace(LLAMA, port=8001))
    running.launcher.fails = None
    assert up(running.world, LLAMA).url.endswith(":8001")


@pytest.mark.parametrize(
    ("state", "removed"),
    [
        pytest.param({"state": "exited", "exit_code": 137}, [], id="exited"),
        pytest.param({"health": "unhealthy"}, ["remove vllm"], id="unhealthy"),
        pytest.param({"state": "paused"}, ["remove vllm"], id="paused"),
        pytest.param({"state": "restarting"}, ["remove vllm"], id="restarting"),
    ],
)
def test_a_service_that_does_not_work_is_put_right_and_the_other_left(
    running: Scene, state: dict[str, Any], removed: list[str]
) -> None:
    running.engine.set_state("vllm", **state)
    up(running.world, LLAMA)
    assert running.taken() == [*removed, "up"]
    assert all(one.state == "running" for one in running.engine.containers("llama"))


def test_a_container_that_the_plan_does_not_know_is_removed(running: Scene) -> None:
    running.engine.states["old"] = container("old", name="old")
    up(running.world, LLAMA)
    assert {state.service for state in running.engine.containers("llama")} == {"vllm", "gateway"}


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        pytest.param("key", ["key", "remove gateway", "up"], id="the key: the gateway reads it"),
        pytest.param("weights", ["fetch acme/Small-1B"], id="the weights"),
        pytest.param("folder", ["write and prune"], id="the folder"),
    ],
)
def test_what_was_lost_is_made_again_and_nothing_else(
    running: Scene, lost: str, expected: list[str]
) -> None:
    match lost:
        case "key":
            running.store.made_keys.clear()
        case "weights":
            running.weights.here.clear()
        case _:
            running.store.rendered[str(running.store.folder("llama"))].pop("README.md")
    up(running.world, LLAMA)
    assert running.taken() == expected
    assert not up(running.world, LLAMA).changed


def test_another_users_stack_is_left_alone(running: Scene) -> None:
    running.engine.set_state("gateway", owner="somebody")
    with pytest.raises(UsageError, match="belongs to another user") as caught:
        up(running.world, LLAMA)
    assert caught.value.evidence == "ttctl-llama-gateway-1: owner somebody"
    assert running.taken() == []


VERBS: dict[str, Callable[[World], object]] = {
    "up": lambda world: up(world, LLAMA),
    "down": lambda world: down(world, "llama", volumes=True, dry_run=False),
}


@pytest.mark.parametrize("verb", VERBS)
def test_another_compose_project_of_this_name_is_left_alone(running: Scene, verb: str) -> None:
    running.engine.others["llama"] = (("ttctl-llama-db-1", "/srv/ttctl-llama"),)
    with pytest.raises(UsageError, match="project on this engine is called") as caught:
        VERBS[verb](running.world)
    assert caught.value.evidence == "ttctl-llama-db-1, made in /srv/ttctl-llama"
    assert running.taken() == []
    # A service that the user's own file adds to the stack is made in the stack's folder.
    folder = str(running.store.folder("llama"))
    running.engine.others["llama"] = (("ttctl-llama-redis-1", folder),)
    VERBS[verb](running.world)


def test_a_stack_that_another_command_changes_is_left_alone(scene: Scene) -> None:
    scene.store.busy = True
    with pytest.raises(LockedError):
        up(scene.world, LLAMA)
    assert scene.taken() == []


def test_the_lock_is_held_while_anything_changes(scene: Scene) -> None:
    scene.gateway.on_look = lambda: seen.append(scene.store.holding)
    seen: list[bool] = []
    up(scene.world, LLAMA)
    assert seen == [True]
    assert not scene.store.holding


def test_without_a_hub_the_demonstration_model_stands_in_and_says_why(scene: Scene) -> None:
    scene.weights.offline = True
    result = up(scene.world, LLAMA)
    assert (result.model, result.demo) == ("demo-llama", True)
    assert "stands in for acme/Small-1B: the model hub does not answer" in result.reason
    assert any("small demonstration model" in note for note in scene.reporter.notes)


def test_a_hub_that_returns_changes_nothing_until_the_lock_is_upgraded(scene: Scene) -> None:
    scene.weights.offline = True
    up(scene.world, LLAMA)
    scene.weights.offline = False
    scene.taken()
    assert up(scene.world, LLAMA).model == "demo-llama"
    assert scene.taken() == []
    made = plan_operations.lock(scene.world, LLAMA, upgrade=True)
    assert made.model == "acme/Small-1B"
    assert up(scene.world, LLAMA).model == "acme/Small-1B"


def test_a_newer_revision_changes_nothing_until_the_lock_is_upgraded(running: Scene) -> None:
    running.weights.revision = NEWER
    up(running.world, LLAMA)
    assert running.taken() == []
    assert running.store.locks["llama"].weights.revision == REVISION
    plan_operations.lock(running.world, LLAMA, upgrade=True)
    assert running.store.locks["llama"].weights.revision == NEWER


def test_an_upgrade_keeps_the_port_that_was_asked_for(running: Scene) -> None:
    up(running.world, replace(LLAMA, port=8001))
    assert plan_operations.lock(running.world, LLAMA, upgrade=True).port == 8001


def test_a_model_without_a_stand_in_says_that_the_hub_does_not_answer(scene: Scene) -> None:
    scene.catalog.entries = (replace(HUB_MODEL, offline_model=""),)
    scene.weights.offline = True
    with pytest.raises(OfflineError):
        up(scene.world, LLAMA)
    assert scene.taken() == []


def test_the_device_that_is_found_is_taken_and_said(scene: Scene) -> None:
    assert "no card was found" in up(scene.world, LLAMA).reason


def test_a_device_that_is_named_is_not_guessed(scene: Scene) -> None:
    assert "no card" not in up(scene.world, replace(LLAMA, device="cpu")).reason


def test_a_device_that_is_not_here_is_taken_and_the_reason_names_both(scene: Scene) -> None:
    reason = up(scene.world, replace(LLAMA, device="n150")).reason
    assert "--device n150 means n150, but this machine is cpu: no card was found" in reason


def test_a_card_that_is_not_known_is_refused_with_what_was_found(scene: Scene) -> None:
    chip = Chip(node="/dev/tenstorrent/0", arch="x", card_type="n999", pci_address="0000:01:00.0")
    scene.host.found = System(
        device="", chips=(chip,), cores=1, memory_bytes=1, machine="x", reason="two kinds of cards"
    )
    with pytest.raises(NoDeviceError, match="not known") as caught:
        up(scene.world, LLAMA)
    assert caught.value.evidence == "/dev/tenstorrent/0 n999"


def test_a_device_without_a_validated_entry_is_refused(scene: Scene) -> None:
    scene.catalog.entries = (CARD_MODEL,)
    with pytest.raises(NothingFitsError):
        up(scene.world, LLAMA)


def test_two_stacks_of_one_model_have_names_and_ports_of_their_own(running: Scene) -> None:
    result = up(running.world, replace(LLAMA, name="second", port=8001))
    assert result.stack == "second"
    assert len(running.engine.containers(None)) == 4


@pytest.mark.parametrize(
    ("said", "starts"), [("id already in use", 2), ("address already in use", 1)]
)
def test_a_container_that_no_start_comes_over_is_made_anew_by_the_same_up(
    scene: Scene, said: str, starts: int
) -> None:
    up(scene.world, Request(model="llama"))
    down(scene.world, "llama", volumes=False, dry_run=False)
    scene.calls.clear()
    scene.launcher.refuses["vllm"] = said
    if starts == 1:
        with pytest.raises(EngineError, match=said):
            up(scene.world, Request(model="llama"))
    else:
        assert up(scene.world, Request(model="llama")).changed
    assert scene.calls.count("up") == starts
    assert ("remove vllm" in scene.calls) == (starts > 1)


def test_a_start_that_fails_leaves_everything_for_the_next_up(scene: Scene) -> None:
    scene.launcher.fails = EngineError("The stack 'llama' did not come up.")
    with pytest.raises(EngineError):
        up(scene.world, LLAMA)
    scene.launcher.fails = None
    scene.taken()
    up(scene.world, LLAMA)
    assert scene.taken() == ["up"]


def test_an_engine_that_was_about_to_end_when_it_was_looked_at_is_started_anew(
    running: Scene,
) -> None:
    looks = iter(["the plan's", "the wait's"])

    def ends_once() -> None:
        if next(looks) == "the plan's":
            return
        running.gateway.on_look = lambda: None
        running.engine.set_state("vllm", state="exited", exit_code=1)
        raise EngineError("Nothing answers.")

    running.gateway.on_look = ends_once
    result = up(running.world, LLAMA)
    assert running.taken() == ["up"]
    assert result.changed


def test_a_sites_own_engine_image_is_pulled_and_not_built() -> None:
    scene = Scene(site=Site(engine_image=at("registry.example.org/vllm:1")))
    up(scene.world, LLAMA)
    assert scene.taken()[:4] == [
        "base",
        "build base",
        "build gateway",
        "pull registry.example.org/vllm:1",
    ]


def test_only_a_vllm_that_is_built_here_has_the_middleware_of_ttctl() -> None:
    for image, wanted in ((None, True), (at("registry.example.org/vllm:1"), False)):
        scene = Scene(site=Site(engine_image=image))
        command = desire(scene.world, LLAMA).stack.engine.command
        assert ("--middleware" in command) == wanted


def test_another_base_image_of_the_site_replaces_a_locked_one(running: Scene) -> None:
    running.site = Site(base_image=at("registry.example.org/debian:12"))
    up(running.world, LLAMA)
    assert running.store.locks["llama"].base.reference == "registry.example.org/debian:12"
    assert running.taken()[0] == "base"


def test_a_registry_that_returns_changes_nothing(running: Scene) -> None:
    running.builder.registry_answers = True
    up(running.world, LLAMA)
    assert running.taken() == []


@pytest.mark.parametrize("bad", ["not a name", "${HOME}", "x\ny", "--network=host", "a\u00e9"])
@pytest.mark.parametrize("setting", ["engine_image", "base_image"])
def test_a_setting_that_is_no_image_reference_is_refused_before_anything_happens(
    setting: str, bad: str
) -> None:
    values: dict[str, Any] = {setting: at(bad, "TTCTL_X")}
    scene = Scene(site=Site(**values))
    with pytest.raises(Exception, match="is no image") as caught:
        up(scene.world, LLAMA)
    assert getattr(caught.value, "exit_code", 1) == 9
    assert scene.taken() == []


def test_an_engine_that_still_loads_gets_the_whole_wait_of_the_command(running: Scene) -> None:
    running.engine.set_state("vllm", health="starting")
    running.gateway.is_healthy = False

    def look() -> None:
        running.gateway.is_healthy = running.clock.now() > 600

    running.gateway.on_look = look
    assert not up(running.world, LLAMA, wait_s=1200).changed


BUILDS = ["build base", "build torch", "build vllm-cpu", "build gateway"]


def test_build_makes_every_image_again_and_leaves_what_runs(running: Scene) -> None:
    result = up(running.world, LLAMA, how=How(build=True))
    assert running.taken() == BUILDS
    assert result.changed


def test_force_recreate_replaces_what_runs_as_wanted(running: Scene) -> None:
    up(running.world, LLAMA, how=How(recreate=True))
    assert running.taken() == ["up, recreating"]


def test_without_waiting_nobody_is_asked_whether_it_answers(scene: Scene) -> None:
    result = up(scene.world, LLAMA, how=How(wait=False))
    assert not result.answers
    assert scene.gateway.asked == []


def test_an_image_that_is_only_pulled_is_pulled_again_or_never(scene: Scene) -> None:
    scene.site = Site(engine_image=at("registry.example.org/vllm:1"))
    with pytest.raises(EngineError, match="is not here") as caught:
        up(scene.world, LLAMA, how=How(pull="never"))
    assert "docker pull registry.example.org/vllm:1" in caught.value.next_step
    assert scene.taken() == []
    up(scene.world, LLAMA)
    assert "pull registry.example.org/vllm:1" in scene.taken()
    up(scene.world, LLAMA, how=How(pull="always"))
    assert scene.taken() == ["pull registry.example.org/vllm:1"]


def test_flags_of_the_engine_are_remembered_until_others_are_named(scene: Scene) -> None:
    for request, seed in (
        (replace(LLAMA, engine_args=(("seed", "7"),)), "7"),
        (LLAMA, "7"),
        (replace(LLAMA, engine_args=(("seed", "8"),)), "8"),
    ):
        command = up(scene.world, request).command
        assert command[command.index("--seed") + 1] == seed


def test_the_newest_releases_arguments_are_taken_locked_and_kept(scene: Scene) -> None:
    request = replace(LLAMA, values="latest")
    lock = remembered_after(scene, request)
    assert lock.values == "latest"
    assert remembered(LLAMA, lock).values == "latest"
    back = remembered(replace(LLAMA, values="first"), lock)
    assert back.values == "first"
    assert back.max_model_len is None
    assert remembered(LLAMA, replace(lock, values="")).values == "first"


def remembered_after(scene: Scene, request: Request) -> Lock:
    changed = (Changed(kind="argument", name="seed", first="", latest="7"),)
    scene.catalog.entries = (replace(HUB_MODEL, changed=changed),)
    result = up(scene.world, request)
    assert result.values == "latest"
    lock = scene.world.store.lock("llama")
    assert lock is not None
    return lock


@pytest.mark.parametrize("is_up", [False, True])
def test_where_others_get_at_the_keys_nothing_is_done_and_a_plan_says_so(*, is_up: bool) -> None:
    scene = Scene()
    if is_up:
        up(scene.world, Request(model="llama"))
    scene.taken()
    scene.key_ring.refusal = PrivilegeError("others", next_step="chmod 700 /state/stacks/llama")
    with pytest.raises(PrivilegeError, match="others"):
        up(scene.world, Request(model="llama"))
    assert scene.taken() == []
    desired, plan = plan_operations.plan(scene.world, Request(model="llama"))
    assert plan_operations.obstacle(scene.world, desired, plan) is scene.key_ring.refusal
