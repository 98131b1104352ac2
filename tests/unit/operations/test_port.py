# SPDX-License-Identifier: Apache-2.0
"""Does a stack whose port nobody asked for get a free one, and keep it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA as ON_A_CARD
from tests.unit.cards import NAME, card_scene
from tests.unit.fakes import FakeLauncher, Scene, container

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations.plan import lock, obstacle, plan
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.protocols import Reporter

LLAMA = Request(model="llama")
SECOND = replace(LLAMA, name="second")


def test_a_second_stack_gets_the_next_free_port_and_keeps_it() -> None:
    scene = Scene()
    assert up(scene.world, LLAMA).url.endswith(":8000")
    scene.host.holders = {8000: "pid 12 (docker-proxy)", 8001: "pid 13 (nginx)"}
    assert up(scene.world, SECOND).url.endswith(":8002")
    assert scene.reporter.notes == ["port 8000 is taken by the stack 'llama': this stack gets 8002"]
    assert scene.store.locks["second"].port == 8002
    scene.host.holders = {8000: "pid 12 (docker-proxy)", 8002: "pid 14 (docker-proxy)"}
    again = up(scene.world, SECOND)
    assert (again.changed, again.url) == (False, "http://127.0.0.1:8002")
    assert len(scene.reporter.notes) == 1


def test_who_listens_is_named() -> None:
    scene = Scene()
    scene.host.holders = {8000: "pid 12 (nginx)"}
    assert up(scene.world, LLAMA).url.endswith(":8001")
    assert scene.reporter.notes == ["port 8000 is taken by pid 12 (nginx): this stack gets 8001"]


def test_a_stack_whose_gateway_does_not_listen_yet_has_its_port() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.engine.set_state("gateway", state="created", health="", ports=())
    assert up(scene.world, SECOND).url.endswith(":8001")


def test_a_port_that_is_published_without_a_program_that_listens_is_taken() -> None:
    scene = Scene()
    other = container("gateway", stack="theirs", ports=(("127.0.0.1", 8000, 8080),))
    scene.engine.states[other.name] = other
    assert up(scene.world, LLAMA).url.endswith(":8001")


def test_a_port_that_was_asked_for_or_is_locked_stays() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.engine.states.clear()
    scene.host.holders = {8000: "pid 12 (nginx)"}
    with pytest.raises(UsageError, match="Port 8000 on"):
        up(scene.world, LLAMA)
    with pytest.raises(UsageError, match="Port 8000 on"):
        up(scene.world, replace(SECOND, port=8000))
    assert up(scene.world, replace(LLAMA, port=8005)).url.endswith(":8005")


def test_a_plan_and_a_lock_have_the_port_that_up_would_get() -> None:
    scene = Scene()
    scene.host.holders = {8000: "pid 12 (nginx)"}
    desired, made = plan(scene.world, LLAMA)
    assert desired.stack.port == 8001
    assert obstacle(scene.world, desired, made) is None
    assert lock(scene.world, LLAMA, upgrade=False, dry_run=True).port == 8001
    assert lock(scene.world, LLAMA, upgrade=False).port == 8001
    assert up(scene.world, LLAMA).url.endswith(":8001")


def test_where_no_port_is_free_it_is_refused() -> None:
    scene = Scene()
    scene.host.holders = dict.fromkeys(range(8000, 65536), "pid 12 (greedy)")
    with pytest.raises(UsageError, match="Port 8000 on"):
        up(scene.world, LLAMA)


class Looks(FakeLauncher):
    """Makes containers of a folder that names a port which was free then."""

    def create(self, stack: str, folder: Path, *, recreate: bool, reporter: Reporter) -> None:
        assert "TTCTL_PORT='8001'" in self._store.rendered[str(folder)][".env"][0]
        super().create(stack, folder, recreate=recreate, reporter=reporter)


def test_a_port_that_another_stack_took_since_the_plan_is_left_to_it() -> None:
    scene = card_scene()
    scene.launcher = Looks(scene.calls, scene.engine, scene.store)
    pull = scene.builder.pull

    def pulled(reference: str, reporter: Reporter, *, name: str = "") -> None:
        scene.host.holders = {8000: "pid 12 (docker-proxy)"}
        pull(reference, reporter, name=name)

    scene.builder.pull = pulled  # type: ignore[method-assign]
    result = up(scene.world, ON_A_CARD)
    assert (result.url, result.answers) == ("http://127.0.0.1:8001", True)
    assert scene.store.locks[NAME].port == 8001
    assert scene.gateway.asked[0][0] == 8001
