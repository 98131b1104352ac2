# SPDX-License-Identifier: Apache-2.0
"""Doctor on a real machine: with its engine, without one, in a network that swallows everything."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.driver import Json, Ttctl

pytestmark = pytest.mark.docker

LONGEST_S = 15
"""All of doctor, whatever does not answer."""


@pytest.fixture
def hole() -> Iterator[str]:
    """Listen, and never say a word: a connection is made and nothing comes."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def docker(*words: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["docker", *words], input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def husk(ttctl: Ttctl) -> Iterator[str]:
    """Make a container of this state folder that never starts, from an image that is empty."""
    name = f"e2e-{secrets.token_hex(4)}"
    image = f"ttctl-test/{name}"
    docker("import", "-", image, stdin=bytes(10_240))
    owner = hashlib.sha256(str(ttctl.stacks.resolve()).encode()).hexdigest()[:16]
    labels = (f"--label=dev.ttctl.stack={name}", f"--label=dev.ttctl.owner={owner}")
    docker("create", f"--name={name}", *labels, image, "/nothing")
    yield name
    subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
    docker("rmi", image)


def named(ran: Ran, name: str) -> Json:
    found: Json = next(check for check in ran.data["checks"] if check["name"] == name)
    return found


def look(ttctl: Ttctl, *words: str, exits: tuple[int, ...] = (0, 1), **environ: str) -> Ran:
    """Run doctor, which may fail of what this machine is like, within its time."""
    started = time.monotonic()
    done = subprocess.run(
        [str(ttctl.program), "doctor", "--json", *words],
        cwd=ttctl.home,
        env={**ttctl.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert time.monotonic() - started < LONGEST_S
    assert done.returncode in exits, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def test_the_engine_that_the_tests_use_is_found_fit(ttctl: Ttctl) -> None:
    ran = look(ttctl)
    for name in ("docker", "compose", "buildx", "storage", "images", "state", "cache", "catalog"):
        assert named(ran, name)["verdict"] == "ok", named(ran, name)
    assert ran.code == (1 if ran.data["failed"] else 0)


def test_without_an_engine_the_rest_is_looked_at(ttctl: Ttctl) -> None:
    ran = look(ttctl, exits=(1,), DOCKER_HOST="unix:///nowhere")
    docker_check = named(ran, "docker")
    assert docker_check["verdict"] == "failed"
    assert "unix:///nowhere" in docker_check["evidence"]
    assert docker_check["fix"] == "unset DOCKER_HOST"
    assert named(ran, "compose")["verdict"] == "ok"
    assert named(ran, "memory")["verdict"] == "ok"


def test_an_engine_and_a_network_that_swallow_everything_take_no_longer(
    ttctl: Ttctl, hole: str
) -> None:
    proxy = f"http://ann:p4ss@{hole}"
    variables = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "DOCKER_HOST": f"tcp://{hole}"}
    ran = look(ttctl, exits=(1,), **variables)
    assert named(ran, "docker")["verdict"] == "failed"
    assert named(ran, "compose")["verdict"] == "ok"
    assert named(ran, "proxy")["verdict"] == "failed"
    assert "p4ss" not in ran.out


def test_offline_nobody_is_asked_and_it_is_said(ttctl: Ttctl) -> None:
    network = named(look(ttctl, "--offline"), "network")
    assert network["verdict"] == "skipped"
    assert "--offline" in network["summary"]


def test_a_container_that_never_started_is_removed_with_consent_alone(
    ttctl: Ttctl, husk: str
) -> None:
    found = named(look(ttctl), "containers")
    assert (found["verdict"], found["fix"]) == ("warning", f"docker rm {husk}")
    refused = look(ttctl, "--fix", exits=(2,))
    assert json.loads(refused.out)["error"]["next_step"] == "ttctl doctor --fix --yes"
    assert docker("inspect", "--format", "{{.State.Status}}", husk) == "created"
    mended = look(ttctl, "--fix", "--yes")
    assert named(mended, "containers")["verdict"] == "ok"
    listed = docker("ps", "--all", "--quiet", f"--filter=name={husk}")
    assert listed == ""


def test_an_open_state_folder_is_closed_with_consent(ttctl: Ttctl) -> None:
    state = ttctl.stacks.parent
    (ttctl.stacks / "open").mkdir(parents=True)
    state.chmod(0o755)
    (ttctl.stacks / "open").chmod(0o755)
    try:
        assert named(look(ttctl, exits=(1,)), "state")["harmless"] is True
        assert named(look(ttctl, "--fix", "--yes"), "state")["verdict"] == "ok"
        assert state.stat().st_mode & 0o777 == 0o700
    finally:
        (ttctl.stacks / "open").rmdir()
