# SPDX-License-Identifier: Apache-2.0
"""Does a command reach a service that runs, and no other?"""

from __future__ import annotations

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations.execute import attach, execute
from ttctl.operations.up import up


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.taken()
    return scene


def test_what_a_command_printed_and_its_exit_code_come_back(scene: Scene) -> None:
    done = execute(scene.world, "llama", "vllm", ["id", "-u"], timeout_s=5)
    assert (done.exit_code, done.lines) == (3, ("one", "two"))
    assert scene.taken() == ["ask llama exec --no-TTY vllm id -u within 5 s"]


@pytest.mark.parametrize(
    ("terminal", "words"), [(True, "exec vllm"), (False, "exec --no-TTY vllm")]
)
def test_a_command_gets_a_terminal_where_there_is_one(
    scene: Scene, words: str, *, terminal: bool
) -> None:
    attach(scene.world, "llama", "vllm", ["bash"], terminal=terminal)
    assert words in scene.taken()[0]


def test_a_service_that_does_not_run_is_refused_with_those_that_do(scene: Scene) -> None:
    scene.engine.set_state("vllm", state="exited")
    for service in ("vllm", "nothing"):
        with pytest.raises(UsageError, match=service) as caught:
            attach(scene.world, "llama", service, ["ls"], terminal=False)
        assert caught.value.evidence == "Running services: gateway."
    assert scene.taken() == []


def test_a_service_that_is_nearly_right_is_told_which_one_is_near(scene: Scene) -> None:
    with pytest.raises(UsageError) as caught:
        attach(scene.world, "llama", "gatway", ["ls"], terminal=False)
    assert (caught.value.mistyped, caught.value.meant) == ("gatway", "gateway")
