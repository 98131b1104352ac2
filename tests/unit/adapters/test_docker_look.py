# SPDX-License-Identifier: Apache-2.0
"""Is every container told as docker tells it, and no trouble with the engine taken for `none`?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from tests.unit.adapters.programs import Programs

from ttctl.adapters import docker_wire
from ttctl.adapters.docker_look import FOLDER_LABEL, PROJECT_LABEL, containers, project
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
        "FinishedAt": "0001-01-01T00:00:00Z",
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
    "State": {
        "Status": "exited",
        "ExitCode": 137,
        "OOMKilled": True,
        "StartedAt": "x",
        "FinishedAt": "2026-01-31T11:00:00Z",
    },
    "NetworkSettings": None,
}


STAND_IN = """
import re
answers = json.loads({answers!r})
while line := sys.stdin.buffer.readline():
    path = line.split()[1].decode()
    while sys.stdin.buffer.readline() != b"\\r\\n":
        pass
    with open({asked!r}, "a", encoding="utf-8") as file:
        file.write(path + "\\n")
    status, body = answers[path.partition("?")[0]]
    raw = body.encode()
    head = f"HTTP/1.1 {{status}} Words of its own\\r\\nServer: Docker\\r\\n"
    if {chunked}:
        pieces = [raw[at:at + 7] for at in range(0, len(raw), 7)] + [b""]
        raw = b"".join(b"%x\\r\\n%b\\r\\n" % (len(piece), piece) for piece in pieces)
        head += "Transfer-Encoding: chunked\\r\\n\\r\\n"
    else:
        head += f"Content-Length: {{len(raw)}}\\r\\n\\r\\n"
    sys.stdout.buffer.write(head.encode() + raw)
    sys.stdout.buffer.flush()
"""
LIST = "/containers/json"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Where the stand-in writes down what it was asked."""
    return tmp_path / "asked"


def answers(
    programs: Programs, asked: Path, found: dict[str, tuple[int, str]], *, chunked: bool = False
) -> None:
    """Stand in for docker and an engine behind it: path to (status, body)."""
    body = STAND_IN.format(answers=json.dumps(found), asked=str(asked), chunked=chunked)
    programs.add("docker", body)


def world(*shown: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Return an engine's answers where these containers are there."""
    listed = json.dumps([{"Id": one["Id"]} for one in shown])
    return {LIST: (200, listed)} | {
        f"/containers/{one['Id']}/json": (200, json.dumps(one)) for one in shown
    }


def look(stack: str | None = None, **environ: str) -> list[Any]:
    return list(containers({**os.environ, **environ}, stack))


def refused(**environ: str) -> TtctlError:
    with pytest.raises(TtctlError) as caught:
        look(**environ)
    return caught.value


@pytest.mark.parametrize("chunked", [False, True], ids=["in one piece", "in chunks"])
def test_a_container_is_told_with_everything_that_is_asked_of_it(
    programs: Programs, asked: Path, *, chunked: bool
) -> None:
    answers(programs, asked, world(RUNNING, ENDED), chunked=chunked)
    ended, running = look()
    assert (running.name, running.stack, running.owner) == ("ttctl-llama-gateway-1", "llama", "me")
    assert (running.service, running.image) == ("gateway", "ttctl/gateway:1")
    assert (running.config_hash, running.container_id) == ("abc", ONE)
    assert (running.state, running.health) == ("running", "healthy")
    assert running.ports == (("127.0.0.1", 8000, 8080),)
    assert (ended.state, ended.health, ended.exit_code) == ("exited", "", 137)
    assert ended.oom_killed
    assert (ended.finished_at, running.finished_at) == ("2026-01-31T11:00:00Z", "")
    assert (ended.stack, ended.ports) == ("", ())


def test_the_engine_is_asked_for_our_labels_over_one_connection(
    programs: Programs, asked: Path
) -> None:
    answers(programs, asked, world(RUNNING, ENDED))
    look("llama")
    listing, *inspecting = asked.read_text(encoding="utf-8").splitlines()
    path, _, query = listing.partition("?")
    assert path == LIST
    found = parse_qs(query)
    assert found["all"] == ["1"]
    assert json.loads(found["filters"][0]) == {"label": ["dev.ttctl.stack=llama"]}
    assert inspecting == [f"/containers/{ONE}/json", f"/containers/{TWO}/json"]
    assert programs.calls == [["docker", "system", "dial-stdio"]]


def of(name: str, **more: str) -> dict[str, Any]:
    config = {**RUNNING["Config"], "Labels": {**RUNNING["Config"]["Labels"], **more}}
    return {**RUNNING, "Name": name, "Config": config}


@pytest.mark.parametrize(
    ("shown", "composed"),
    [
        pytest.param(of("/x", **{PROJECT_LABEL: "ttctl-llama"}), [True], id="compose"),
        pytest.param(of("/ttctl-llama-gateway-1"), [False], id="docker run"),
        pytest.param(of("/x", **{PROJECT_LABEL: "mine"}), [], id="another project"),
        pytest.param(of("/mine"), [], id="an image that was committed of ours"),
    ],
)
def test_a_stacks_containers_are_those_of_compose_and_of_our_docker_run(
    programs: Programs, asked: Path, shown: dict[str, Any], composed: list[bool]
) -> None:
    answers(programs, asked, world(shown))
    assert [one.composed for one in look("llama")] == composed


def test_what_compose_has_in_a_stacks_project_beside_it_is_told_with_its_folder(
    programs: Programs, asked: Path
) -> None:
    label = {PROJECT_LABEL: "ttctl-llama"}
    rows = [
        {
            "Id": ONE,
            "Names": ["/ttctl-llama-db-1"],
            "Labels": {**label, FOLDER_LABEL: "/srv/mine"},
        },
        {
            "Id": ONE,
            "Names": ["/ours"],
            "Labels": {**label, FOLDER_LABEL: "/s", "dev.ttctl.stack": "llama"},
        },
        {"Id": ONE, "Names": ["/made-by-hand"], "Labels": label},
    ]
    here = json.dumps(of("/ttctl-llama-gateway-1"))
    found = {LIST: (200, json.dumps(rows)), f"/containers/{ONE}/json": (200, here)}
    answers(programs, asked, found)
    seen = project(os.environ, "llama")
    assert seen.beside == (("ttctl-llama-db-1", "/srv/mine"),)
    assert {one.name for one in seen.containers} == {"ttctl-llama-gateway-1"}
    lists = [line for line in asked.read_text(encoding="utf-8").splitlines() if "?" in line]
    filters = [parse_qs(line.partition("?")[2])["filters"][0] for line in lists]
    assert [json.loads(one)["label"] for one in filters] == [
        [f"{PROJECT_LABEL}=ttctl-llama"],
        ["dev.ttctl.stack=llama"],
    ]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param(
            [{"ExitCode": 0, "Output": "ok"}, {"ExitCode": 7, "Output": "a\ncurl: (7) no\n\n"}],
            "curl: (7) no",
            id="its last line",
        ),
        pytest.param(
            [{"ExitCode": 3, "Output": ""}], "exit code 3, without a word", id="no output"
        ),
        pytest.param([{"ExitCode": 1, "Output": "x" * 500}], "x" * 200, id="a long one"),
        pytest.param(None, "", id="no check was kept"),
    ],
)
def test_of_an_unhealthy_container_the_check_that_failed_is_told(
    programs: Programs, asked: Path, log: list[dict[str, Any]] | None, said: str
) -> None:
    ill = {**RUNNING, "State": {**RUNNING["State"], "Health": {"Status": "unhealthy", "Log": log}}}
    answers(programs, asked, world(ill))
    assert [one.check_said for one in look()] == [said]


def test_of_a_healthy_container_no_check_is_told(programs: Programs, asked: Path) -> None:
    log = [{"ExitCode": 0, "Output": "what varies"}]
    well = {**RUNNING, "State": {**RUNNING["State"], "Health": {"Status": "healthy", "Log": log}}}
    answers(programs, asked, world(well))
    assert [one.check_said for one in look()] == [""]


def test_why_the_engine_could_not_start_one_is_told(programs: Programs, asked: Path) -> None:
    failed = {**RUNNING, "State": {**RUNNING["State"], "Error": " id already in use\n"}}
    answers(programs, asked, world(failed, ENDED))
    assert [one.start_error for one in look()] == ["", "id already in use"]


def test_of_one_that_is_removed_no_start_is_told_and_of_a_long_error_the_end(
    programs: Programs, asked: Path
) -> None:
    failed = {"Error": f"{'x' * 2000}: file exists: unknown"}
    dead = {**ENDED, "State": {**ENDED["State"], **failed, "Status": "dead"}}
    long = {**RUNNING, "State": {**RUNNING["State"], **failed}}
    answers(programs, asked, world(dead, long))
    found = sorted(one.start_error for one in look())
    assert found[0] == ""
    assert found[1].endswith("file exists: unknown")
    assert len(found[1]) == 1000


def test_how_often_the_engine_started_one_again_is_told(programs: Programs, asked: Path) -> None:
    answers(programs, asked, world({**RUNNING, "RestartCount": 3}, ENDED))
    assert [one.restarts for one in look()] == [0, 3]


def test_no_container_is_no_error(programs: Programs, asked: Path) -> None:
    answers(programs, asked, world())
    assert look() == []


def test_one_that_goes_between_two_questions_is_left_out(programs: Programs, asked: Path) -> None:
    found = world(RUNNING, ENDED) | {f"/containers/{TWO}/json": (404, '{"message": "No such"}')}
    answers(programs, asked, found)
    assert [one.container_id for one in look()] == [ONE]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
@pytest.mark.parametrize("path", [LIST, f"/containers/{ONE}/json"], ids=["list", "inspect"])
def test_a_refusal_of_the_engine_is_told_and_never_no_containers(
    programs: Programs, asked: Path, status: int, path: str
) -> None:
    answers(programs, asked, world(RUNNING) | {path: (status, '{"message": "Why."}')})
    if status == 404 and path != LIST:
        assert look() == []
        return
    error = refused()
    assert isinstance(error, EngineError)
    assert error.evidence == f'It answered {status}: {{"message": "Why."}}'


@pytest.mark.parametrize(
    ("body", "evidence"),
    [
        pytest.param(
            "print('failed to open the raw stream connection: dial unix /x', file=sys.stderr);"
            "sys.exit(1)",
            "dial unix /x",
            id="nobody listens",
        ),
        pytest.param("", "The connection ended before the answer.", id="says nothing"),
        pytest.param(
            "print('HTTP/1.1 200 OK\\r\\nContent-Length: 50\\r\\n\\r\\n[]', flush=True)",
            "The connection ended before the answer.",
            id="cut short",
        ),
        pytest.param(
            "print('HTTP/1.1 200 OK\\r\\n\\r\\n[]', flush=True)",
            "The connection ended before the answer.",
            id="without a length",
        ),
        pytest.param(
            "print('220 mail.example.org ready', flush=True)",
            "The connection ended before the answer.",
            id="another protocol",
        ),
    ],
)
def test_an_engine_that_does_not_answer_is_an_error_and_never_no_containers(
    programs: Programs, body: str, evidence: str
) -> None:
    programs.add("docker", body)
    error = refused()
    assert isinstance(error, EngineError)
    assert error.message == "No container engine answers."
    assert error.evidence == evidence
    assert error.exit_code == 5


@pytest.mark.parametrize("setting", ["DOCKER_HOST", "DOCKER_CONTEXT"])
def test_the_evidence_names_the_setting_that_chose_the_engine(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    programs.add("docker", "import sys; sys.exit('dial unix /x')")
    monkeypatch.setenv(setting, "elsewhere")
    error = refused()
    assert error.evidence == f"{setting}=elsewhere: dial unix /x"
    assert error.next_step == f"unset {setting}"


def test_a_socket_of_somebody_else_needs_privilege(programs: Programs) -> None:
    said = "dial unix /var/run/docker.sock: connect: permission denied"
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
    programs.add("docker", "sys.exit('asked ' + os.environ['DOCKER_HOST'])")
    refusal = refused(DOCKER_HOST="tcp://192.0.2.1:1")
    assert refusal.evidence == "DOCKER_HOST=tcp://192.0.2.1:1: asked tcp://192.0.2.1:1"


def test_what_asks_the_engine_gets_no_token_of_the_environment(programs: Programs) -> None:
    programs.add("docker", "sys.exit('asked with ' + os.environ.get('HF_TOKEN', 'none'))")
    assert refused(HF_TOKEN="hf_0123456789").evidence.endswith("asked with none")  # noqa: S106


@pytest.mark.usefixtures("programs")
def test_without_docker_the_missing_program_is_named() -> None:
    error = refused()
    assert isinstance(error, ToolMissingError)
    assert "'docker'" in error.message


def test_an_engine_that_hangs_is_not_waited_for_and_docker_is_ended(
    programs: Programs, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_wire, "ANSWER_S", 0.5)
    programs.add(
        "docker", f"open({str(asked)!r}, 'w').write(str(os.getpid()))\nimport time; time.sleep(60)"
    )
    error = refused()
    assert isinstance(error, EngineError)
    assert error.evidence == "It did not answer within 0.5 s."
    with pytest.raises(ProcessLookupError):
        os.kill(int(asked.read_text(encoding="utf-8")), 0)


@pytest.mark.parametrize(
    "shown", ["{}", '{"Id": ', "[1]", '{"Id": 1, "Config": [], "State": 1}', "null"]
)
@pytest.mark.parametrize("path", [LIST, f"/containers/{ONE}/json"], ids=["list", "inspect"])
def test_an_answer_of_another_shape_is_a_refusal(
    programs: Programs, asked: Path, path: str, shown: str
) -> None:
    answers(programs, asked, world(RUNNING) | {path: (200, shown)})
    assert refused().message == "The container engine's answer is not understood."
