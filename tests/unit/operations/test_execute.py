# SPDX-License-Identifier: Apache-2.0
"""Does a command reach a service that runs, and no other?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeLauncher, Scene, container

from ttctl.errors import UsageError, WaitError
from ttctl.model.spec import Request
from ttctl.operations.execute import aimed, attach, execute, services
from ttctl.operations.logs import aimed as logs_aimed
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.taken()
    return scene


def test_what_a_command_printed_and_its_exit_code_come_back(scene: Scene) -> None:
    scene.launcher.asked = (3, ("one", "two"))
    done = execute(scene.world, "llama", "vllm", ["id", "-u"], timeout_s=5)
    assert (done.exit_code, done.lines) == (3, ("one", "two"))
    assert scene.taken() == ["ask llama exec --no-TTY vllm id -u within 5 s"]


@pytest.mark.parametrize(
    ("terminal", "words"),
    [(True, "attach llama exec vllm"), (False, "pipe llama exec --no-TTY vllm")],
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


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        pytest.param(None, ("vllm", "id", "-u"), id="the only stack"),
        pytest.param("llama", ("vllm", "id", "-u"), id="an option"),
        pytest.param(None, ("llama", "vllm", "id", "-u"), id="the stack first"),
    ],
)
def test_a_service_is_meant_with_or_without_its_stack(
    scene: Scene, stack: str | None, words: tuple[str, ...]
) -> None:
    found = aimed(scene.world, stack, words[0], words[1:])
    assert found == ("llama", "vllm", ("id", "-u"))


@pytest.mark.parametrize(
    ("words", "next_step"),
    [
        pytest.param(("llama", "id"), "ttctl exec --stack llama vllm -- id", id="no service"),
        pytest.param(("llama", "vllm"), "ttctl exec --stack llama vllm -- sh", id="no command"),
    ],
)
def test_a_stack_without_a_service_is_told_where_the_service_stands(
    scene: Scene, words: tuple[str, ...], next_step: str
) -> None:
    with pytest.raises(UsageError, match="'llama' is a stack") as caught:
        aimed(scene.world, None, words[0], words[1:])
    assert caught.value.next_step == next_step


@pytest.mark.parametrize("engine", ["media", "forge"])
def test_the_services_are_those_of_the_stacks_containers(engine: str) -> None:
    scene = Scene()
    for service in (engine, "gateway"):
        one = container(service, stack="whisper")
        scene.engine.states[one.name] = one
    assert services(scene.world) == (engine, "gateway")
    assert aimed(scene.world, None, engine, ["ls"]) == ("whisper", engine, ("ls",))
    assert aimed(scene.world, None, "whisper", [engine, "ls"]) == ("whisper", engine, ("ls",))
    assert logs_aimed(scene.world, [engine], None) == ("whisper", (engine,))
    with pytest.raises(UsageError) as caught:
        aimed(scene.world, None, "whisper", ["ls"])
    assert caught.value.evidence == f"Services: {engine}, gateway."
    assert caught.value.next_step == f"ttctl exec --stack whisper {engine} -- ls"


def test_without_a_container_every_name_of_a_service_is_known() -> None:
    assert services(Scene().world) == ("vllm", "media", "forge", "api", "sd", "gateway")


def test_a_command_that_takes_too_long_is_named_as_it_was_typed(scene: Scene) -> None:
    class Slow(FakeLauncher):
        def ask(
            self, stack: str, arguments: Sequence[str], *, timeout_s: float
        ) -> tuple[int, tuple[str, ...]]:
            raise WaitError("'docker compose' did not end.", why=f"{stack} {arguments} {timeout_s}")

    scene.launcher = Slow(scene.calls, scene.engine, scene.store)
    with pytest.raises(WaitError, match="'sleep 5' in 'vllm' of 'llama' did not end"):
        execute(scene.world, "llama", "vllm", ["sleep", "5"], timeout_s=1)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        pytest.param('"nosuch": executable file not found in $PATH', 127, "not there", id="none"),
        pytest.param('"/x": no such file or directory', 127, "not there", id="no path"),
        pytest.param('"/etc/passwd": permission denied', 126, "cannot be run", id="no program"),
    ],
)
def test_a_command_that_cannot_be_started_ends_as_in_a_shell(
    scene: Scene, said: str, code: int, message: str
) -> None:
    scene.launcher.piped = (126, f"OCI runtime exec failed: exec: {said}: unknown\r\n")
    found, refusal = attach(scene.world, "llama", "vllm", ["nosuch"], terminal=False)
    assert found == code
    assert refusal is not None
    assert message in refusal.message
    assert "\r" not in refusal.evidence


def test_a_container_that_docker_run_made_is_reached_by_docker_itself(scene: Scene) -> None:
    scene.engine.set_state("vllm", composed=False)
    with pytest.raises(UsageError, match="was started by `docker run`") as caught:
        execute(scene.world, "llama", "vllm", ["id", "-u"], timeout_s=5)
    assert caught.value.next_step == "docker exec ttctl-llama-vllm-1 id -u"
    assert scene.taken() == []


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_is_run_in_another_users_container(scene: Scene, *, terminal: bool) -> None:
    scene.engine.set_state("vllm", owner="somebody")
    with pytest.raises(UsageError, match="belongs to another user"):
        attach(scene.world, "llama", "vllm", ["ls"], terminal=terminal)
    with pytest.raises(UsageError, match="belongs to another user"):
        execute(scene.world, "llama", "vllm", ["ls"], timeout_s=5)
    assert scene.taken() == []
