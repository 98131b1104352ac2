# SPDX-License-Identifier: Apache-2.0
"""Does a stack listen for other machines only where somebody asked for it, and then on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations import stacks
from ttctl.operations.plan import plan
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.operations.up_result import UpResult

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what these tests are about


@pytest.fixture
def scene() -> Scene:
    return Scene()


def bring(scene: Scene, host: str | None = None, **asked: int) -> UpResult:
    return up(scene.world, Request(model="llama", host=host, **asked))


def bound(scene: Scene) -> str:
    """Return what compose is told of the address."""
    files = scene.store.rendered["/state/stacks/llama/rendered"]
    (line,) = [one for one in files[".env"][0].splitlines() if one.startswith("TTCTL_BIND=")]
    return line.split("'")[1]


def test_a_stack_listens_on_loopback_and_its_lock_says_nothing_of_it(scene: Scene) -> None:
    assert bring(scene).bind == "127.0.0.1"
    assert (bound(scene), scene.store.locks["llama"].bind) == ("127.0.0.1", "")


def test_a_stack_for_other_machines_has_a_key_and_keeps_listening_for_them(scene: Scene) -> None:
    found = bring(scene, EVERYWHERE)
    assert found.bind == EVERYWHERE
    assert found.url == "http://127.0.0.1:8000"
    assert scene.store.has_key("llama")
    assert (bound(scene), scene.store.locks["llama"].bind) == (EVERYWHERE, EVERYWHERE)
    again = bring(scene)
    assert (again.bind, again.changed) == (EVERYWHERE, False)


def test_only_the_gateway_is_made_anew_for_another_address_there_and_back(scene: Scene) -> None:
    bring(scene)
    for host in (EVERYWHERE, "127.0.0.1"):
        request = Request(model="llama", host=host)
        steps = {one.subject: one.verb for one in plan(scene.world, request)[1].steps}
        assert (steps["gateway"], steps["vllm"]) == ("start", "skip")
        assert bring(scene, host).bind == bound(scene) == host
    assert scene.store.locks["llama"].bind == ""


def test_a_port_that_is_taken_on_any_address_is_refused_with_the_address_kept(
    scene: Scene,
) -> None:
    scene.host.holders[9000] = "pid 12 (nginx)"
    with pytest.raises(UsageError, match=r"Port 9000 on 0\.0\.0\.0 is taken") as caught:
        bring(scene, EVERYWHERE, port=9000)
    assert "--host 0.0.0.0" in caught.value.next_step


def test_the_state_of_a_stack_says_where_its_gateway_really_listens(scene: Scene) -> None:
    bring(scene)
    assert stacks.status(scene.world, "llama").bind == "127.0.0.1"
    scene.engine.set_state("gateway", ports=((EVERYWHERE, 8000, 8080),))
    assert stacks.status(scene.world, "llama").bind == EVERYWHERE
