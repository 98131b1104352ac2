# SPDX-License-Identifier: Apache-2.0
"""Nothing of the caller's shell gets into a rendered folder or a build."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from tests.standins.canaries import OF_DOCKER, OF_THE_SHELL, WORD
from tests.standins.place import alone, built, run, settle
from tests.standins.traces import Traces, command_lines, docker, traces_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

SEEN = """\
FROM {{ parent }}
RUN {{ site_mounts }} env > /plain && with-site env > /with-site && : NUMBER
"""


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a shell full of words that are nobody else's affair."""
    settings = tmp_path / "docker"
    settings.mkdir()
    (settings / "config.json").write_text(json.dumps(OF_DOCKER), encoding="utf-8")
    return {**alone(tmp_path), **OF_THE_SHELL, "DOCKER_CONFIG": str(settings)}


def test_a_rendered_folder_holds_nothing_of_it_outside_the_places_own_files(
    shell: dict[str, str], tmp_path: Path
) -> None:
    words = ("--offline", "render", "demo-llama", "--device", "cpu", "-o", str(tmp_path / "out"))
    done = run(*words, environ=shell)
    assert done.returncode == 0, done.stderr
    assert WORD not in done.stdout + done.stderr
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    holding = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in files
        if Traces(WORD).holds(path.read_bytes())
    }
    # The proxy is the place's: it is what the files of the place are for.
    assert holding == {"site/site.env", "site/apt.conf"}
    assert {path.stat().st_mode & 0o777 for path in files if path.parent.name == "site"} == {0o600}


def test_a_build_sees_the_places_proxy_and_nothing_else_of_the_shell(
    shell: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = {name: value for name, value in shell.items() if name != "DOCKER_CONFIG"}
    world = settle(monkeypatch, tmp_path, clean)
    with (
        command_lines() as commands,
        built(world, SEEN.replace("NUMBER", secrets.token_hex(8)), parent="base") as image,
    ):
        words = ("run", "--rm", "--network=none", "--entrypoint=cat", image)
        plain, site = (docker(*words, path) for path in ("/plain", "/with-site"))
        traces = traces_of(image, WORD)
    assert WORD not in plain
    given = {line.partition("=")[0] for line in site.splitlines() if WORD in line}
    assert given == {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"}
    # What the recipe itself wrote down is all that is there: no argument, no label, no variable.
    assert traces.found <= {"file", "save"}
    assert not [one for one in commands if WORD in one and "buildx" in one]


WITH_LOGINS = {
    **dict.fromkeys(("http_proxy", "https_proxy"), f"http://me:{WORD}@127.0.0.1:9"),
    "PIP_INDEX_URL": f"https://me:{WORD}@index.example.invalid/simple",
    "PIP_EXTRA_INDEX_URL": f"https://{WORD}@more.example.invalid/simple",
    "PIP_FIND_LINKS": f"https://me:{WORD}@wheels.example.invalid/?token={WORD}",
    "TTCTL_APT_SOURCES": f"deb http://me:{WORD}@mirror.example.invalid/debian bookworm main",
    "TTCTL_GIT_MIRROR": f"https://public.example.com/=https://me:{WORD}@git.example.invalid/",
    "TTCTL_HUB_ENDPOINT": f"https://me:{WORD}@hub.example.invalid",
    "TTCTL_BASE_IMAGE": f"registry.{WORD[-8:]}.invalid/base:1",
    "HF_TOKEN": f"hf_{WORD}",
}
"""A login in every setting that can hold one; no way leads out of here."""


@pytest.mark.parametrize(
    "words",
    [
        ("config", "site"),
        ("config", "show"),
        ("doctor",),
        ("models", "pull", "Qwen/Qwen2.5-0.5B-Instruct", "--device", "cpu"),
        ("plan", "demo-llama", "--device", "cpu"),
        ("lock", "demo-llama", "--device", "cpu"),
        ("up", "demo-llama", "--device", "cpu"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("flags", [("--debug", "--verbose"), ("--json",)], ids=" ".join)
def test_no_verb_shows_a_login_of_a_setting(
    tmp_path: Path, words: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    done = run(*flags, *words, environ={**alone(tmp_path), **WITH_LOGINS})
    assert done.stdout + done.stderr
    assert not Traces(WORD).holds((done.stdout + done.stderr).encode())
    for log in (tmp_path / "state").rglob("*.log"):
        assert not Traces(WORD).holds(log.read_bytes())
