# SPDX-License-Identifier: Apache-2.0
"""Is the engine read from what the docker program prints, of any age and in any trouble?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.adapters.programs import Programs

from ttctl.adapters import engine_vitals as module
from ttctl.adapters.engine_vitals import DEFAULT, engine_vitals

if TYPE_CHECKING:
    from pathlib import Path

ANSWER: dict[str, Any] = {
    "ServerVersion": "20.10.24+dfsg1",
    "CgroupVersion": "1",
    "CgroupDriver": "cgroupfs",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
    "LiveRestoreEnabled": False,
    "MemoryLimit": True,
    "SwapLimit": False,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "SecurityOptions": ["name=seccomp,profile=default"],
    "DockerRootDir": "/",
    "SystemTime": "2000-01-01T00:00:00.046003555Z",
    "Swarm": {"LocalNodeState": "inactive"},
    "ClientInfo": {
        "Version": "28.2.2",
        "Context": "default",
        "Plugins": [
            {"Name": "buildx", "Version": "0.13.1+ds1"},
            {"Name": "compose", "Version": "2.26.1-4"},
        ],
    },
}
SILENT = {"ServerVersion": "", "SystemTime": "", "ClientInfo": ANSWER["ClientInfo"]}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def says(info: dict[str, Any], *, error: str = "", code: int = 0) -> str:
    """Return the body of a docker program."""
    return (
        f"print({json.dumps(json.dumps(info))})\n"
        f"print({error!r}, file=sys.stderr)\nsys.exit({code})"
    )


def test_one_call_tells_the_engine_and_its_plugins(programs: Programs, tmp_path: Path) -> None:
    programs.add("docker", says(ANSWER))
    found = engine_vitals(os.environ, root=tmp_path)
    assert (found.client, found.version) == ("28.2.2", "20.10.24+dfsg1")
    assert (found.compose, found.buildx) == ("2.26.1-4", "0.13.1+ds1")
    assert (found.cgroup, found.cgroup_driver, found.storage) == ("1", "cgroupfs", "overlay2")
    assert found.no_limits == ("swap",)
    assert found.security == ("name=seccomp,profile=default",)
    assert found.endpoint == DEFAULT
    assert found.is_here
    assert found.d_type
    assert not found.live_restore
    assert found.skew_s < -86_400
    assert (found.systemd, found.has_settings) == (False, False)
    assert programs.calls == [["docker", "info", "--format", "{{json .}}"]]


def test_systemd_and_the_engines_settings_are_looked_for(
    programs: Programs, tmp_path: Path
) -> None:
    programs.add("docker", says(ANSWER))
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/docker").mkdir(parents=True)
    (tmp_path / "etc/docker/daemon.json").write_text("{}")
    found = engine_vitals(os.environ, root=tmp_path)
    assert (found.systemd, found.has_settings) == (True, True)


def test_a_file_system_without_d_type_is_seen(programs: Programs, tmp_path: Path) -> None:
    programs.add("docker", says({**ANSWER, "DriverStatus": [["Supports d_type", "false"]]}))
    assert not engine_vitals(os.environ, root=tmp_path).d_type


def test_without_the_program_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = engine_vitals(os.environ, root=tmp_path)
    assert (found.client, found.version) == ("", "")


def test_a_program_without_an_engine_tells_its_plugins_and_the_reason(
    programs: Programs, tmp_path: Path
) -> None:
    programs.add("docker", says(SILENT, error="Cannot connect to the Docker daemon.", code=1))
    found = engine_vitals({**os.environ, "DOCKER_HOST": "unix:///nowhere"}, root=tmp_path)
    assert not found.answers
    assert not found.denied
    assert found.compose == "2.26.1-4"
    assert found.error == "Cannot connect to the Docker daemon."
    assert found.endpoint == "unix:///nowhere"


def test_a_client_of_docker_20_says_its_errors_in_the_object(
    programs: Programs, tmp_path: Path
) -> None:
    client = {"Context": "default", "Plugins": ANSWER["ClientInfo"]["Plugins"]}
    programs.add("docker", says({"ServerErrors": ["No daemon."], "ClientInfo": client}, code=1))
    found = engine_vitals(os.environ, root=tmp_path)
    assert (found.error, found.client) == ("No daemon.", "of unknown version")


def test_a_user_who_may_not_use_the_socket_is_told_its_group(
    programs: Programs, tmp_path: Path
) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    error = "permission denied while trying to connect to the Docker daemon socket"
    programs.add("docker", says(SILENT, error=error, code=1))
    found = engine_vitals({**os.environ, "DOCKER_HOST": f"unix://{socket}"}, root=tmp_path)
    assert found.denied
    assert found.user
    assert found.socket_group
    assert found.member, "the file has the group of whoever runs this test"


def test_an_engine_that_never_answers_is_given_up(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INFO_S", 0.5)
    body = """
import time
if sys.argv[1] == "info":
    time.sleep(30)
print("Docker Compose version v2.29.7" if sys.argv[1] == "compose" else "buildx v0.17.1")
"""
    programs.add("docker", body)
    found = engine_vitals(os.environ, root=tmp_path)
    assert found.error == "no answer within 0.5 s"
    assert (found.compose, found.buildx) == ("v2.29.7", "v0.17.1")


def test_the_address_behind_another_context_is_asked_for(
    programs: Programs, tmp_path: Path
) -> None:
    info = {**ANSWER, "ClientInfo": {**ANSWER["ClientInfo"], "Context": "far"}}
    body = f"""
if sys.argv[1] == "context":
    print("ssh://far.example.org")
else:
    print({json.dumps(json.dumps(info))})
"""
    programs.add("docker", body)
    found = engine_vitals({"PATH": os.environ["PATH"]}, root=tmp_path)
    assert found.endpoint == "ssh://far.example.org"
    assert not found.is_here
    assert found.root_inodes is None


def test_a_program_that_prints_nonsense_ends_nothing(programs: Programs, tmp_path: Path) -> None:
    programs.add("docker", "print('{broken'); sys.exit(3)")
    found = engine_vitals(os.environ, root=tmp_path)
    assert not found.answers
    assert found.error == "{broken"
