# SPDX-License-Identifier: Apache-2.0
"""Is every container told as docker tells it, and no trouble with the engine taken for `none`?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.adapters.programs import Programs

from ttctl.adapters import docker_look
from ttctl.adapters.docker_look import containers
from ttctl.errors import EngineError, PrivilegeError, ToolMissingError, TtctlError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "1" * 64, "2" * 64
RUNNING: dict[str, Any] = {
    "Id": ONE,
    "Name": "/ttctl-llama-gateway-1",
    "Config": {
        "Image": "ttctl/gateway:1",
        "Labels": {
            "dev.ttctl.stack": "llama",
            "dev.ttctl.owner": "me",
            "dev.ttctl.service": "gateway",
            "dev.ttctl.config-hash": "abc",
        },
        "Env": ["WORDS=a\nb {"],
    },
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "OOMKilled": False,
        "StartedAt": "2026-01-31T10:00:00Z",
        "Health": {"Status": "healthy"},
    },
    "NetworkSettings": {
        "Ports": {
            "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}],
            "9000/tcp": None,
        }
    },
}
ENDED: dict[str, Any] = {
    "Id": TWO,
    "Name": "/ttctl-llama-a-1",
    "Config": {"Image": "ttctl/x:1", "Labels": None},
    "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "StartedAt": "x"},
    "NetworkSettings": None,
}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def docker(programs: Programs, *, ids: list[str], shown: list[str], code: int = 0) -> None:
    """Stand in for docker: `ps` prints `ids`, `inspect` prints `shown` and ends with `code`."""
    listed, told = "\n".join(ids), "\n".join(shown)
    programs.add(
        "docker",
        f"if sys.argv[1] == 'ps':\n    print({listed!r})\nelse:\n    print({told!r})\n"
        f"    sys.exit({code})",
    )


def look(stack: str | None = None, **environ: str) -> list[Any]:
    return list(containers({**os.environ, **environ}, stack))


def refused(**environ: str) -> TtctlError:
    with pytest.raises(TtctlError) as caught:
        look(**environ)
    return caught.value


def test_a_container_is_told_with_everything_that_is_asked_of_it(programs: Programs) -> None:
    docker(programs, ids=[ONE, TWO], shown=[json.dumps(RUNNING), json.dumps(ENDED)])
    ended, running = look()
    assert (running.name, running.stack, running.owner) == ("ttctl-llama-gateway-1", "llama", "me")
    assert (running.service, running.image) == ("gateway", "ttctl/gateway:1")
    assert (running.config_hash, running.container_id) == ("abc", ONE)
    assert (running.state, running.health) == ("running", "healthy")
    assert running.ports == (("127.0.0.1", 8000, 8080),)
    assert (ended.state, ended.health, ended.exit_code) == ("exited", "", 137)
    assert ended.oom_killed
    assert (ended.stack, ended.ports) == ("", ())


def test_docker_is_asked_for_our_labels_and_for_all_that_carry_them(programs: Programs) -> None:
    docker(programs, ids=[ONE], shown=[json.dumps(RUNNING)])
    look("llama")
    listing, inspecting = programs.calls
    assert listing[:4] == ["docker", "ps", "--all", "--no-trunc"]
    assert listing[-2:] == [
        "--filter=label=dev.ttctl.stack=llama",
        "--filter=label=com.docker.compose.project=ttctl-llama",
    ]
    assert inspecting[1:3] == ["inspect", "--type=container"]
    assert inspecting[-1] == ONE


def test_where_there_is_none_docker_is_asked_once(programs: Programs) -> None:
    docker(programs, ids=[], shown=[])
    assert look() == []
    assert len(programs.calls) == 1


def test_a_warning_among_the_answers_is_no_container(programs: Programs) -> None:
    warning = "WARNING: Error loading config file: permission denied"
    docker(programs, ids=[warning, ONE], shown=[warning, json.dumps(RUNNING)])
    assert [one.container_id for one in look()] == [ONE]


@pytest.mark.parametrize(
    "said",
    [f"Error: No such container: {TWO}", f"Error response from daemon: No such container: {TWO}"],
    ids=["20.10", "28"],
)
def test_one_that_ends_between_the_two_questions_is_left_out(programs: Programs, said: str) -> None:
    docker(programs, ids=[ONE, TWO], shown=[json.dumps(RUNNING), said], code=1)
    assert [one.container_id for one in look()] == [ONE]


@pytest.mark.parametrize(
    "said",
    [
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        "error during connect: dial tcp: lookup x: no such host",
        "",
    ],
)
def test_an_engine_that_is_not_there_is_an_error_and_never_no_containers(
    programs: Programs, said: str
) -> None:
    programs.add("docker", f"print({said!r}, file=sys.stderr); sys.exit(1)")
    error = refused()
    assert isinstance(error, EngineError)
    assert error.message == "No container engine answers."
    assert error.evidence == said
    assert error.exit_code == 5


def test_an_engine_that_goes_between_the_two_questions_is_an_error(programs: Programs) -> None:
    docker(programs, ids=[ONE], shown=["Cannot connect to the Docker daemon at x."], code=1)
    assert isinstance(refused(), EngineError)


def test_a_socket_of_somebody_else_needs_privilege(programs: Programs) -> None:
    said = "permission denied while trying to connect to the Docker daemon socket at unix:///x"
    programs.add("docker", f"print({said!r}, file=sys.stderr); sys.exit(1)")
    error = refused()
    assert isinstance(error, PrivilegeError)
    assert error.exit_code == 6


@pytest.mark.parametrize(
    "said",
    [
        'unable to resolve docker endpoint: context "zz" does not exist',
        'Failed to initialize: unable to resolve docker endpoint: context "zz": context not found',
    ],
    ids=["20.10", "28"],
)
def test_a_context_that_is_not_there_is_told_and_no_other_engine_is_asked(
    programs: Programs, said: str
) -> None:
    programs.add("docker", f"print({said!r}, file=sys.stderr); sys.exit(1)")
    error = refused(DOCKER_CONTEXT="zz")
    assert isinstance(error, UsageError)
    assert error.evidence == "DOCKER_CONTEXT=zz"
    assert isinstance(refused(), EngineError)


def test_the_engine_that_the_environment_names_is_the_one_that_is_asked(programs: Programs) -> None:
    programs.add("docker", "print(os.environ['DOCKER_HOST']); sys.exit(1)")
    assert refused(DOCKER_HOST="tcp://192.0.2.1:1").evidence == "tcp://192.0.2.1:1"


@pytest.mark.usefixtures("programs")
def test_without_docker_the_missing_program_is_named() -> None:
    error = refused()
    assert isinstance(error, ToolMissingError)
    assert "'docker'" in error.message


def test_an_engine_that_hangs_is_not_waited_for(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_look, "ANSWER_S", 0.5)
    programs.add("docker", "import time; time.sleep(60)")
    error = refused()
    assert isinstance(error, EngineError)
    assert error.evidence.endswith("did not answer; waited 0.5 s")


@pytest.mark.parametrize("shown", ["{}", '{"Id": ', '{"Id": 1, "Config": [], "State": 1}'], ids=str)
def test_an_answer_of_another_shape_is_a_refusal(programs: Programs, shown: str) -> None:
    docker(programs, ids=[ONE], shown=[shown])
    assert refused().message == "The container engine's answer is not understood."
