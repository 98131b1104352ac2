# SPDX-License-Identifier: Apache-2.0
"""Does doctor see what is wrong, in any state of the machine, and does nothing end it?"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import (
    CARD_MODEL,
    KEY,
    OWNER,
    FakeCatalog,
    FakeHost,
    FakeStore,
    FakeVitals,
    Scene,
    at,
    container,
)

from ttctl.errors import BadFileError, EngineError, LockedError, NothingFitsError, UsageError
from ttctl.model.health import CardVitals, Destination, EngineVitals
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations.doctor import GROUPS, again, doctor, mend
from ttctl.operations.plan import lock
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.health import Check, Diagnosis, Verdict

LLAMA = Request(model="llama")
SECRET = "p4ssw0rd"  # noqa: S105 - it is looked for


@pytest.fixture
def scene() -> Scene:
    return Scene()


def look(scene: Scene, stack: str | None = None) -> Diagnosis:
    return doctor(scene.world, stack)[1]


def check(found: Diagnosis, name: str) -> Check:
    return next(one for one in found.checks if one.name == name)


def of(found: Diagnosis, verdict: Verdict) -> list[str]:
    return [one.name for one in found.checks if one.verdict == verdict]


def destination(name: str, url: str, **changes: object) -> Destination:
    plain = Destination(name=name, url=url, source="test", use="build", setting="pip_index_url")
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_machine_that_is_well_has_no_failure_and_is_told_what_it_is_for(scene: Scene) -> None:
    found = look(scene)
    assert of(found, "failed") == of(found, "warning") == []
    assert (found.failed, found.warnings) == (0, 0)
    assert found.ok == len(of(found, "ok")) > 20
    assert found.next_step == "ttctl up llama"
    assert [one.group for one in found.checks] == sorted(
        (one.group for one in found.checks), key=GROUPS.index
    )
    assert {one.group for one in found.checks} == set(GROUPS)
    assert scene.taken() == []


def test_a_stack_that_is_up_is_well_and_its_port_is_its_own(scene: Scene) -> None:
    up(scene.world, LLAMA)
    scene.host.holders[8000] = "pid 9 (docker-proxy)"
    found = look(scene)
    assert of(found, "failed") == []
    assert check(found, "port 8000").summary == "held by the gateway of llama"
    assert check(found, "llama").verdict == "ok"
    assert found.next_step == "ttctl status"


def test_a_machine_without_an_engine_is_looked_at_all_the_same(scene: Scene) -> None:
    up(scene.world, LLAMA)
    scene.engine.refuses = EngineError("No container engine answers.")
    scene.vitals.the_engine = EngineVitals(endpoint="unix:///nowhere")
    found = look(scene)
    assert of(found, "failed") == ["docker"]
    assert {"images", "containers"} <= set(of(found, "skipped"))
    assert check(found, "memory").verdict == "ok"
    assert found.next_step.startswith("make engine")


def test_an_engine_elsewhere_has_no_room_to_be_seen(scene: Scene) -> None:
    scene.vitals.the_engine = replace(scene.vitals.the_engine, endpoint="ssh://far.example.org")
    assert check(look(scene), "images").verdict == "skipped"


def test_room_is_judged_by_the_images_that_are_missing(scene: Scene) -> None:
    scene.host.free["/var/lib/docker"] = 3_000_000_000
    assert check(look(scene), "images").verdict == "failed"
    assert "vllm-cpu" in check(look(scene), "images").summary


def test_images_that_are_here_need_no_room(scene: Scene) -> None:
    up(scene.world, LLAMA)
    scene.host.free["/var/lib/docker"] = 3_000_000_000
    assert check(look(scene), "images").verdict == "ok"
    scene.engine.images = {one for one in scene.engine.images if "vllm" not in one}
    scene.host.free["/var/lib/docker"] = 2_100_000_000
    assert check(look(scene), "images").verdict == "failed"


def test_a_site_with_an_image_of_its_own_builds_little(scene: Scene) -> None:
    scene.site = Site(engine_image=at("registry.example.org/vllm:1"))
    scene.host.free["/var/lib/docker"] = 3_000_000_000
    assert check(look(scene), "images").verdict == "ok"


def test_room_for_weights_is_judged_by_those_that_are_missing(scene: Scene) -> None:
    up(scene.world, LLAMA)
    scene.host.free["/cache"] = 900
    assert check(look(scene), "weights").verdict == "warning"
    scene.weights.here.clear()
    assert check(look(scene), "weights").verdict == "failed"


def test_a_port_that_another_users_stack_holds_is_told_so(scene: Scene) -> None:
    scene.host.holders[8000] = "pid 9 (docker-proxy)"
    foreign = container(
        "gateway", stack="theirs", owner="somebody", ports=(("127.0.0.1", 8000, 8080),)
    )
    scene.engine.states[foreign.name] = foreign
    found = check(look(scene), "port 8000")
    assert found.verdict == "failed"
    assert found.summary == "taken by the stack theirs of another user"
    assert found.fix == "ttctl up llama --port 8001"


def test_a_port_that_a_stranger_holds_is_told_with_its_holder(scene: Scene) -> None:
    scene.host.holders |= {8000: "pid 12 (nginx)", 8001: "pid 12 (nginx)"}
    found = check(look(scene), "port 8000")
    assert found.summary == "taken by pid 12 (nginx)"
    assert found.fix.endswith("--port 8002")


def test_a_silent_index_fails_while_images_are_missing_and_warns_after(scene: Scene) -> None:
    url = "https://index.example.org/simple"
    scene.vitals.the_place = replace(
        scene.vitals.the_place, destinations=(destination("package index", url),)
    )
    assert check(look(scene), "package index").verdict == "ok"
    scene.host.silent.add(url)
    assert check(look(scene), "package index").verdict == "failed"
    scene.host.silent.clear()
    up(scene.world, LLAMA)
    scene.host.silent.add(url)
    assert check(look(scene), "package index").verdict == "warning"


def test_with_a_broken_bundle_no_encrypted_connection_is_tried(scene: Scene) -> None:
    addresses = ("https://index.example.org", "http://mirror.example.org")
    scene.host.silent |= set(addresses)
    scene.vitals.the_place = replace(
        scene.vitals.the_place,
        ca_error="no file",
        destinations=tuple(destination(url, url) for url in addresses),
    )
    found = look(scene)
    assert check(found, addresses[0]).verdict == "skipped"
    assert "CA bundle" in check(found, addresses[0]).summary
    assert check(found, addresses[1]).verdict == "failed"


def test_what_is_only_warned_of_has_no_next_step_of_its_own(scene: Scene) -> None:
    up(scene.world, LLAMA)
    scene.vitals.the_engine = replace(scene.vitals.the_engine, live_restore=False)
    assert look(scene).next_step == ""


def test_a_proxy_is_asked_directly_and_fails_where_it_is_silent(scene: Scene) -> None:
    url = "http://proxy.example.org:3128"
    scene.site = Site(http_proxy=at(url), https_proxy=at(url))
    scene.vitals.the_place = replace(
        scene.vitals.the_place, destinations=(destination("proxy", url, use="proxy"),)
    )
    asked: list[Site] = []

    class Listening(FakeHost):
        def why_not(self, url: str, site: Site) -> str:  # noqa: ARG002
            asked.append(site)
            return "connection refused"

    scene.host = Listening()
    found = check(look(scene), "proxy")
    assert (found.verdict, found.summary) == ("failed", "connection refused")
    assert [(one.http_proxy, one.https_proxy) for one in asked] == [(None, None)]


def test_a_wheelhouse_that_is_gone_fails_without_asking_anybody(scene: Scene) -> None:
    gone = destination("wheelhouse", "", path="/opt/wheels")
    scene.vitals.the_place = replace(scene.vitals.the_place, destinations=(gone,))
    assert check(look(scene), "wheelhouse").verdict == "failed"


def test_offline_nobody_is_asked(scene: Scene) -> None:
    url = "https://index.example.org/simple"
    scene.site = Site(offline=at("1", "--offline"))
    scene.host.silent.add(url)
    scene.vitals.the_place = replace(
        scene.vitals.the_place, destinations=(destination("package index", url),)
    )
    found = look(scene)
    assert check(found, "network").summary == "offline by --offline: 1 address was not asked"
    assert "package index" not in [one.name for one in found.checks]


def test_an_address_setting_that_cannot_be_used_fails(scene: Scene) -> None:
    scene.vitals.the_place = replace(scene.vitals.the_place, refusal="'x' is no mirror.")
    assert check(look(scene), "addresses").evidence == "'x' is no mirror."


def test_addresses_are_asked_at_the_same_time(scene: Scene) -> None:
    together = threading.Barrier(3)

    class Meeting(FakeHost):
        def why_not(self, url: str, site: Site) -> str:  # noqa: ARG002
            together.wait(timeout=5)
            return ""

    scene.host = Meeting()
    scene.vitals.the_place = replace(
        scene.vitals.the_place,
        destinations=tuple(destination(f"i{n}", f"https://i{n}.example.org") for n in range(3)),
    )
    assert of(look(scene), "failed") == []


def test_a_card_that_is_not_well_is_told(scene: Scene) -> None:
    scene.vitals.the_cards = CardVitals(pci=("0000:01:00.0",))
    found = look(scene)
    assert check(found, "cards").verdict == "failed"
    assert check(found, "driver").fix.startswith("sudo modprobe tenstorrent")


def test_a_lock_that_is_damaged_is_told_with_its_fix(scene: Scene) -> None:
    up(scene.world, LLAMA)

    class Damaged(FakeStore):
        def lock(self, stack: str) -> None:
            raise BadFileError(
                f"{stack} is damaged.", evidence="line 3", next_step="mv a a.damaged"
            )

    damaged = Damaged(scene.calls)
    damaged.locks = scene.store.locks
    scene.store = damaged
    found = check(look(scene), "llama")
    assert (found.verdict, found.fix) == ("failed", "mv a a.damaged")
    assert "line 3" in found.evidence


def test_a_stack_without_its_key_is_warned_of(scene: Scene) -> None:
    up(scene.world, LLAMA)
    assert scene.store.made_keys.pop("llama") == KEY
    found = check(look(scene), "llama")
    assert (found.verdict, found.fix) == ("warning", "ttctl up llama --name llama")


def test_a_stack_that_was_locked_and_never_started_is_fine(scene: Scene) -> None:
    lock(scene.world, LLAMA, upgrade=False)
    found = check(look(scene), "llama")
    assert (found.verdict, found.summary) == ("ok", "acme/Small-1B on cpu, not started")


def test_a_stack_that_is_nearly_named_is_told(scene: Scene) -> None:
    up(scene.world, replace(LLAMA, name="review"))
    with pytest.raises(UsageError) as caught:
        doctor(scene.world, "revew")
    assert caught.value.evidence == "Stacks: review. Nearest: review."
    assert (caught.value.mistyped, caught.value.meant) == ("revew", "review")


def test_one_stack_is_looked_at_where_it_is_named(scene: Scene) -> None:
    up(scene.world, LLAMA)
    up(scene.world, replace(LLAMA, name="second", port=8001))
    names = [one.name for one in look(scene, "second").checks]
    assert "second" in names
    assert "port 8001" in names
    assert not {"llama", "port 8000"} & set(names)


def test_a_stack_that_is_not_there_is_refused(scene: Scene) -> None:
    up(scene.world, LLAMA)
    with pytest.raises(UsageError, match="no stack and no model 'lama'") as caught:
        doctor(scene.world, "lama")
    assert caught.value.evidence.startswith("Stacks: llama. Nearest: llama")


def test_a_model_that_is_not_up_yet_is_looked_at_for_its_own_needs(scene: Scene) -> None:
    scene.host.found = replace(scene.host.found, memory_bytes=5 << 30)
    assert check(look(scene), "memory").verdict == "warning"
    assert check(look(scene, "demo"), "memory").verdict == "ok"
    up(scene.world, LLAMA)
    found = look(scene, "demo")
    assert "llama" not in [one.name for one in found.checks]
    assert check(found, "memory").summary.endswith("4.0 GiB for demo-llama")
    assert found.next_step == "ttctl up demo-llama"


def test_a_model_for_another_device_is_refused(scene: Scene) -> None:
    scene.catalog.entries = (CARD_MODEL,)
    with pytest.raises(NothingFitsError, match="validated on 'cpu'"):
        doctor(scene.world, "llama")


def test_a_look_that_breaks_is_a_failed_check_and_ends_nothing(scene: Scene) -> None:
    class Odd(FakeVitals):
        def folders(self) -> None:
            raise ZeroDivisionError("by zero")

    scene.vitals = Odd(scene.calls, scene.engine)
    found = look(scene)
    assert of(found, "failed") == ["folders"]
    assert check(found, "folders").evidence == "ZeroDivisionError: by zero"
    assert check(found, "memory").verdict == "ok"
    assert found.next_step == "ttctl doctor --debug"


def test_a_look_that_is_refused_tells_the_refusal_and_its_next_step(scene: Scene) -> None:
    class Unreadable(FakeCatalog):
        def specs(self) -> None:
            raise BadFileError("The catalog is damaged.", why="No TOML.", next_step="ttctl up x")

    scene.catalog = Unreadable()
    found = check(look(scene), "catalog")
    assert (found.verdict, found.summary) == ("failed", "The catalog is damaged")
    assert (found.evidence, found.fix) == ("No TOML.", "ttctl up x")


def test_a_look_that_hangs_is_left_behind(scene: Scene) -> None:
    released = threading.Event()

    class Hanging(FakeVitals):
        def cards(self) -> CardVitals:
            released.wait(timeout=30)
            return CardVitals(pci=())

    scene.vitals = Hanging(scene.calls, scene.engine)
    started = time.monotonic()
    found = doctor(scene.world, limit_s=0.5)[1]
    released.set()
    assert time.monotonic() - started < 5
    assert check(found, "cards").summary == "it did not end within its time"
    assert check(found, "memory").verdict == "ok"


def test_settings_that_cannot_be_read_fail_and_the_rest_is_looked_at(scene: Scene) -> None:
    class World:
        """A world whose settings are damaged."""

        def __getattr__(self, name: str) -> object:
            if name == "site":
                raise BadFileError("config.toml is damaged.", evidence="line 1", next_step="x")
            return getattr(scene.world, name)

    found = doctor(World())[1]  # type: ignore[arg-type]
    assert of(found, "failed") == ["settings"]
    assert check(found, "clock").verdict == "ok"


def test_no_password_of_an_address_is_shown(scene: Scene) -> None:
    url = f"https://ann:{SECRET}@index.example.org/simple"
    scene.host.silent.add(url)
    scene.vitals.the_place = replace(
        scene.vitals.the_place, destinations=(destination("package index", url),)
    )
    scene.vitals.the_engine = replace(
        scene.vitals.the_engine, version="", error=f"dial tcp://ann:{SECRET}@far.example.org: no"
    )
    found = look(scene)
    assert check(found, "package index").verdict == "failed"
    assert SECRET not in repr(found)


def husk(**changes: object) -> ContainerState:
    return container("gateway", state="created", container_id="a" * 64, **changes)


def test_containers_that_never_started_are_removed_by_a_fix(scene: Scene) -> None:
    made = husk()
    scene.engine.states[made.name] = made
    subject, found = doctor(scene.world)
    one = check(found, "containers")
    assert (one.verdict, one.harmless, one.fix) == ("warning", True, f"docker rm {made.name}")
    assert found.next_step == "ttctl doctor --fix"
    mend(subject, one)
    assert scene.taken() == [f"remove-containers {'a' * 64}"]
    after = again(subject, found, one.group)
    assert check(after, "containers").verdict == "ok"
    assert (after.warnings, len(after.checks)) == (0, len(found.checks))


def test_containers_of_another_user_and_those_that_run_are_left_alone(scene: Scene) -> None:
    for made in (husk(owner="somebody", name="x"), container("vllm", owner=OWNER)):
        scene.engine.states[made.name] = made
    subject, found = doctor(scene.world)
    one = check(found, "containers")
    assert one.verdict == "ok"
    mend(subject, one)
    assert scene.taken() == []


def test_a_start_that_is_under_way_is_not_taken_for_a_husk(scene: Scene) -> None:
    made = husk()
    scene.engine.states[made.name] = made
    scene.store.busy = True
    subject, found = doctor(scene.world)
    one = check(found, "containers")
    assert (one.verdict, one.summary) == ("skipped", "another command is at work on llama")
    with pytest.raises(LockedError):
        mend(subject, one)
    assert scene.taken() == []


def test_an_open_state_folder_is_closed_and_looked_at_again(scene: Scene) -> None:
    folders = scene.vitals.the_folders
    scene.vitals.the_folders = replace(
        folders, state=replace(folders.state, mode=0o755, exposed=("stacks/llama",))
    )
    subject, found = doctor(scene.world)
    one = check(found, "state")
    assert (one.verdict, one.harmless) == ("failed", True)
    assert found.next_step == "ttctl doctor --fix"
    mend(subject, one)
    assert scene.taken() == ["make-private"]
    assert check(again(subject, found, one.group), "state").verdict == "ok"


def test_what_kills_left_is_swept_and_looked_at_again(scene: Scene) -> None:
    folders = scene.vitals.the_folders
    scene.vitals.the_folders = replace(
        folders, cache=replace(folders.cache, strays=("/cache/.ttctl-a",))
    )
    subject, found = doctor(scene.world)
    mend(subject, check(found, "left behind"))
    assert scene.taken() == ["sweep"]
    assert check(again(subject, found, "Space"), "left behind").verdict == "ok"


def test_a_cache_is_where_the_world_says(scene: Scene) -> None:
    assert scene.world.cache == Path("/cache")
    scene.host.free["/cache"] = 500
    assert check(look(scene), "weights").verdict == "failed"
