# SPDX-License-Identifier: Apache-2.0
"""Does `report` pack a stack that runs, and nothing that is private?"""

from __future__ import annotations

import base64
import getpass
import json
import socket
import tarfile
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.driver import Stack

pytestmark = pytest.mark.docker

PASSWORD = "canary/of a+proxy"  # noqa: S105 - made up
TOKEN = "hf_canaryOfAnEnvironment"  # noqa: S105 - made up


def unpacked(file: Path) -> dict[str, str]:
    with tarfile.open(file) as archive:
        read = ((one.name, archive.extractfile(one)) for one in archive.getmembers())
        return {name: data.read().decode() for name, data in read if data}


def writings(secret: str) -> set[str]:
    raw = secret.encode()
    coded = {base64.b64encode(b"\0" * pad + raw).decode()[(0, 2, 3)[pad] :] for pad in range(3)}
    return {secret, quote(secret), quote(secret, safe=""), *(one.rstrip("=")[:-1] for one in coded)}


def test_a_running_stack_is_packed_whole_and_without_a_secret(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "r.tar.gz"
    environ = {
        "HTTPS_PROXY": f"http://someone:{quote(PASSWORD, safe='')}@127.0.0.1:9",
        "HF_TOKEN": TOKEN,
    }
    words = ("report", stack.name, "-o", str(file), "--yes", "--json", "--offline")
    ran = stack.ttctl.run(*words, environ=environ, limit_s=120)
    assert ran.data["written"] is True
    assert ran.data["failed"] == []
    assert file.stat().st_mode & 0o777 == 0o600
    found = unpacked(file)
    own = f"ttctl-report/stacks/{stack.name}"
    assert {f"{own}/ttctl.lock", f"{own}/logs/vllm.log", f"{own}/logs/gateway.log"} <= found.keys()
    assert json.loads(found[f"{own}/status.json"])["state"] == "ready"
    assert json.loads(found[f"{own}/plan.json"])["plan"]["stack"] == stack.name
    assert found[f"{own}/logs/vllm.log"].strip()
    key = (stack.folder.parent / "secrets" / "api-key").read_text().strip()
    everything = "\0".join([*found, *found.values()])
    for secret in (key, PASSWORD, TOKEN):
        for writing in writings(secret):
            assert writing not in everything
    for name in {socket.gethostname(), str(stack.ttctl.home), getpass.getuser()} - {"root"}:
        assert f"/{name}/" not in everything
    assert "HTTPS_PROXY" in found["ttctl-report/settings.json"]


def test_without_an_engine_and_a_person_it_says_so_and_lists_all_the_same(stack: Stack) -> None:
    away = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    refused = stack.ttctl.run("report", stack.name, exits=2)
    assert "ttctl report" in refused.err
    ran = stack.ttctl.run("report", stack.name, "--dry-run", "--offline", environ=away, limit_s=120)
    assert f"stacks/{stack.name}/ttctl.lock" in ran.out
    assert "not had: ps.json: No container engine answers." in ran.out
    assert "stopped" not in ran.out
