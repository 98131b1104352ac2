# SPDX-License-Identifier: Apache-2.0
"""The rendered scripts: they serve with plain docker, twice is once, and nothing is left behind."""

from __future__ import annotations

import json
import secrets
import shlex
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import Stack, docker, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


def script(folder: Path, name: str) -> str:
    """Run one of the folder's scripts, from another folder, as a user would."""
    done = subprocess.run(
        [folder / name], capture_output=True, text=True, timeout=900, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def other(stack: Stack) -> Stack:
    """Return a stack beside the one that runs, whose images and weights it shares."""
    return replace(stack, name=f"e2e-run-{secrets.token_hex(4)}", port=free_port())


@pytest.fixture
def folder(other: Stack, tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "rendered"
    other.ttctl.run("render", *other.words, "--to", "run", "--output", str(made))
    try:
        yield made
    finally:
        script(made, "stop.sh")


def ids(name: str) -> list[str]:
    return docker("ps", "--quiet", "--filter", f"label=dev.ttctl.stack={name}").split()


def test_the_scripts_serve_and_end_without_ttctl(other: Stack, folder: Path) -> None:
    script(folder, "run.sh")
    before = ids(other.name)
    assert len(before) == 2
    assert script(folder, "run.sh").count("runs as wanted") == 2
    assert ids(other.name) == before
    status, body = other.ask("/v1/models")
    assert (status, json.loads(body)["data"][0]["id"]) == (200, "demo-llama")
    script(folder, "stop.sh")
    everything = docker("ps", "--all", "--quiet", "--filter", f"label=dev.ttctl.stack={other.name}")
    networks = docker("network", "ls", "--quiet", "--filter", f"label=dev.ttctl.stack={other.name}")
    assert (everything, networks) == ("", "")


def test_what_a_plan_prints_can_be_pasted(other: Stack) -> None:
    answer = other.ttctl.run("--json", "plan", *other.words, "--commands").out
    commands = json.loads(answer)["data"]["commands"]
    text = other.ttctl.run("plan", *other.words, "--commands").out
    assert text == "".join(f"{shlex.join(words)}\n" for words in commands)
    said = subprocess.run(
        ["bash", "-c", f"docker() {{ printf '%s\\0' \"$@\"; }}; vllm() {{ :; }}; {text}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "".join(f"{word}\0" for words in commands[:-1] for word in words[1:])
