# SPDX-License-Identifier: Apache-2.0
"""A running gateway learns of keys that are made, exchanged and revoked, and loses no request."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.integration.gateway_upstream.door import KEY, Door, Load, until
from tests.unit.fakes import Scene, container

from ttctl.adapters.clock import MonotonicClock
from ttctl.adapters.key_ring import KeyFolders
from ttctl.errors import EngineError
from ttctl.operations import keys as operations
from ttctl.operations.keys_told import tell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.fakes import FakeWorld

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

STACK = "llama"


@pytest.fixture
def world(lone_door: Door) -> FakeWorld:
    """Give a stack whose gateway and keys are real; the gateway's folder is the stack's."""
    secrets = lone_door.folder / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "gateway").symlink_to(lone_door.folder / "keys")
    (secrets / "api-key").write_text(f"{KEY}\n")
    (secrets / "api-key").chmod(0o600)
    scene = Scene()
    scene.store.made_keys[STACK] = KEY
    name = str(lone_door.container.name)
    scene.engine.states[name] = replace(
        container("gateway", stack=STACK), name=name, state="running"
    )
    ring = KeyFolders(lambda _: lone_door.folder, {"PATH": "/usr/bin:/bin:/usr/local/bin"})
    return replace(scene.world, key_ring=ring, clock=MonotonicClock())


def new(world: FakeWorld, name: str) -> str:
    return operations.new(world, name, STACK, dry_run=False, lock_timeout_s=0).key


def revoke(world: FakeWorld, name: str) -> None:
    operations.revoke(world, name, STACK, dry_run=False, lock_timeout_s=0)


def rotate(world: FakeWorld, name: str | None, keep_s: int) -> str:
    changed = operations.rotate(world, name, STACK, keep_s=keep_s, dry_run=False, lock_timeout_s=0)
    return changed.key


def status(door: Door, key: str) -> int:
    return door.ask("/v1/models", key=key).status


def own_key(folder: Path) -> str:
    return (folder / "secrets/api-key").read_text().strip()


def test_while_keys_come_and_go_no_request_is_lost(lone_door: Door, world: FakeWorld) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with Load(lone_door) as load:
        for number in range(5):
            made = new(world, f"ci-{number}")
            assert status(lone_door, made) == 200
            after = rotate(world, f"ci-{number}", 3600)
            assert (status(lone_door, made), status(lone_door, after)) == (200, 200)
            revoke(world, f"ci-{number}")
            assert (status(lone_door, made), status(lone_door, after)) == (401, 401)
        # The key of the load is the stack's own, which goes on for a while.
        rotate(world, None, 3600)
        assert status(lone_door, own_key(lone_door.folder)) == 200
        time.sleep(0.5)
    assert load.failures == []
    assert set(load.statuses) == {200}
    assert len(load.statuses) > 100


def test_a_revoked_key_is_refused_at_once_on_a_kept_connection_too(
    lone_door: Door, world: FakeWorld
) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    key = new(world, "ci")
    with lone_door.connection() as kept:

        def ask() -> int:
            kept.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
            response = kept.getresponse()
            response.read()
            return response.status

        assert ask() == 200
        revoke(world, "ci")
        since = time.monotonic()
        assert ask() == 401
        assert time.monotonic() - since < 1


def test_an_old_key_ends_by_itself_when_its_time_has_come(
    lone_door: Door, world: FakeWorld
) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    old = new(world, "ci")
    changed = time.time()
    young = rotate(world, "ci", 3)
    assert status(lone_door, old) == 200
    until(lambda: status(lone_door, old) == 401)
    assert 2 <= time.time() - changed < 5
    assert status(lone_door, young) == 200
    assert [one.state for one in operations.listed(world, STACK)] == ["valid", "ended", "valid"]


def test_the_own_key_is_exchanged_with_its_file_and_the_old_one_may_end_at_once(
    lone_door: Door, world: FakeWorld
) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    assert rotate(world, None, 0) == ""
    assert status(lone_door, own_key(lone_door.folder)) == 200
    assert status(lone_door, KEY) == 401


def test_a_restart_of_the_container_keeps_every_key_and_every_end(
    lone_door: Door, world: FakeWorld
) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    ended, gone = new(world, "ended"), new(world, "gone")
    ending = new(world, "ending")
    rotate(world, "ending", 3600)
    revoke(world, "gone")
    rotate(world, "ended", 1)
    until(lambda: status(lone_door, ended) == 401)
    lone_door.container.restart()
    lone_door.container.reload()
    ports = lone_door.container.attrs["NetworkSettings"]["Ports"]["8080/tcp"]
    again = replace(lone_door, port=int(ports[0]["HostPort"]))
    until(lambda: again.container.exec_run(["/usr/local/bin/health"]).exit_code == 0)
    again.wait_for(200)
    found = {key: status(again, key) for key in (KEY, ending, ended, gone)}
    assert found == {KEY: 200, ending: 200, ended: 401, gone: 401}
    revoke(world, "ending")
    assert status(again, ending) == 401


def test_what_a_killed_command_wrote_the_next_one_tells(lone_door: Door, world: FakeWorld) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    key = new(world, "ci")
    ring = world.key_ring.read(STACK)
    world.key_ring.write(STACK, tuple(one for one in ring.rows if one.name != "ci"))
    assert status(lone_door, key) == 200
    operations.listed(world, STACK)
    assert status(lone_door, key) == 401


def test_several_hundred_keys_are_told_at_once(lone_door: Door, world: FakeWorld) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    pairs = [world.key_ring.new_key() for _ in range(400)]
    (own,) = operations.in_order(world, STACK)
    rows = tuple(replace(own, name=f"k{n}", sha256=pair[1]) for n, pair in enumerate(pairs))
    world.key_ring.write(STACK, (own, *rows))
    assert tell(world, STACK) == "told"
    assert {status(lone_door, pairs[n][0]) for n in (0, 49, 50, 399)} == {200}
    assert status(lone_door, KEY) == 200


def test_neither_log_nor_container_says_a_key_and_the_log_says_its_name(
    lone_door: Door, world: FakeWorld
) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    keys = [new(world, "ci"), rotate(world, "ci", 3600)]
    assert [status(lone_door, key) for key in keys] == [200, 200]
    until(lambda: lone_door.log().count('"key":"ci"') == 2)
    lone_door.container.reload()
    said = lone_door.log() + json.dumps(lone_door.container.attrs)
    said += lone_door.container.exec_run(["cat", "/run/secrets/gateway/keys.map"]).output.decode()
    assert not [key for key in keys if key in said]


def test_a_gateway_that_does_not_answer_leaves_the_keys_as_they_were(
    lone_door: Door, world: FakeWorld
) -> None:
    before = operations.in_order(world, STACK)
    socket = "mv /tmp/gateway.sock /tmp/elsewhere"
    assert lone_door.container.exec_run(["sh", "-c", socket]).exit_code == 0
    with pytest.raises(EngineError, match="did not take its keys") as caught:
        new(world, "ci")
    assert "no gateway runs here" in caught.value.why
    assert world.key_ring.read(STACK).rows == before
