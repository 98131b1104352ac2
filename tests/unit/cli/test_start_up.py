# SPDX-License-Identifier: Apache-2.0
"""Does what is asked often load nothing that is slow, and open no connection?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.exports import entry, export
from tests.unit.adapters.programs import Programs
from tests.unit.adapters.test_docker_look import RUNNING, answers, world
from tests.unit.adapters.test_lock_file import LOCK

from ttctl.adapters.lock_file import lock_text

if TYPE_CHECKING:
    from pathlib import Path

SLOW = {
    "asyncio", "docker", "email", "http", "httpx2", "huggingface_hub", "jinja2", "pydantic",
    "pydantic_core", "requests", "rich", "ssl", "tomli_w", "tomlkit", "yaml",
}  # fmt: skip
THE_DOOR = {"click", "typer"}
"""What answers that need no command do without as well."""
COMPLETE = {"_TTCTL_COMPLETE": "bash_complete", "COMP_WORDS": "ttctl mod", "COMP_CWORD": "1"}
WATCHED = """
import sys
def seen(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn")):
        print("SEEN", event, file=sys.stderr)
sys.addaudithook(seen)
"""
TTCTL = "from ttctl.cli.main import program; program()"
CONNECTS = "import socket; socket.socket().close()"
STARTS = "import subprocess; subprocess.run(['true'])"
LOCAL = pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        pytest.param(["--version"], {}, id="version"),
        pytest.param(["--help"], {}, id="help"),
        pytest.param(["models", "ls"], {}, id="models ls"),
        pytest.param(["models", "ls", "--json"], {}, id="models ls --json"),
        pytest.param(["models", "ls", "--task", "chat"], {}, id="models ls --task"),
        pytest.param(["models", "search", "llama"], {}, id="models search"),
        pytest.param(["models", "diff", "built-in"], {}, id="models diff"),
        pytest.param([], COMPLETE, id="completion"),
    ],
)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home folder is empty."""
    folder = tmp_path / "home"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**kept, "HOME": str(folder)}


def child(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run this Python."""
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, env=environ
    )


def loaded(environ: dict[str, str], *arguments: str) -> tuple[int, set[str]]:
    """Return a command's exit code, and the top names of the modules that it loaded."""
    done = child(environ, "-X", "importtime", "-m", "ttctl.cli.main", *arguments)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return done.returncode, {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def seen(environ: dict[str, str], script: str, *arguments: str) -> list[str]:
    """Return which connections and programs a script opened or started."""
    done = child(environ, "-c", WATCHED + script, *arguments)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("SEEN")]


@LOCAL
def test_what_is_asked_often_loads_nothing_that_is_slow(
    home: dict[str, str], arguments: list[str], environ: dict[str, str]
) -> None:
    code, found = loaded(home | environ, *arguments)
    assert code == 0
    assert "ttctl" in found
    assert not found & SLOW
    if not arguments or arguments[0] != "models":
        assert not found & THE_DOOR


@LOCAL
def test_what_needs_only_this_machine_opens_no_connection_and_starts_no_program(
    home: dict[str, str], arguments: list[str], environ: dict[str, str]
) -> None:
    assert seen(home | environ, TTCTL, *arguments) == []


OF_HOST = {"email", "http", "ssl"}
"""What looking at the machine loads, and a page of one model does."""
LISTING = (["models", "ls"], ["models", "search", "made"], ["models", "show", "Made-1B"])


@pytest.mark.parametrize("arguments", LISTING, ids=["ls", "search", "show"])
def test_a_fetched_catalog_is_listed_without_asking_and_once_checked_without_anything_slow(
    home: dict[str, str], tmp_path: Path, arguments: list[str]
) -> None:
    file = tmp_path / "export.json"
    file.write_bytes(export(entry("acme/Made-1B", "N150")))
    done = child(home, "-m", "ttctl.cli.main", "models", "refresh", str(file))
    assert done.returncode == 0, done.stderr
    assert seen(home, TTCTL, *arguments) == []
    code, found = loaded(home, *arguments)
    assert code == 0
    assert not found & (SLOW - OF_HOST if "show" in arguments else SLOW)


@pytest.mark.parametrize("arguments", LISTING, ids=["ls", "search", "show"])
def test_a_catalog_that_is_named_by_its_address_is_never_asked_for_by_a_listing(
    home: dict[str, str], arguments: list[str]
) -> None:
    words = [*arguments, "--catalog", "https://catalogs.example.com/one.json"]
    done = child(home, "-c", WATCHED + TTCTL, *words)
    assert done.returncode == 2
    assert "SEEN" not in done.stderr
    assert "next:     ttctl models refresh https://" in done.stderr


@pytest.mark.parametrize("twin", [CONNECTS, STARTS], ids=["a connection", "a program"])
def test_a_connection_and_a_program_would_be_seen(home: dict[str, str], twin: str) -> None:
    assert seen(home, twin + "\n" + TTCTL, "--version")


def test_a_slow_library_would_be_seen(home: dict[str, str]) -> None:
    _, found = loaded(home, "plan", "demo-llama", "--device", "cpu")
    assert found & SLOW


@pytest.mark.parametrize("containers", [0, 1], ids=["nothing runs", "one runs"])
@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["ps"], ["ps", "-a"]])
def test_a_look_at_the_stacks_loads_nothing_that_is_slow(
    home: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    containers: int,
) -> None:
    programs = Programs(tmp_path, monkeypatch)
    answers(programs, tmp_path / "asked", world(*[RUNNING][:containers]))
    folder = tmp_path / "home/.local/state/ttctl/stacks/llama/rendered"
    folder.mkdir(parents=True)
    (folder / "ttctl.lock").write_text(lock_text(replace(LOCK, port=1)), encoding="utf-8")
    code, found = loaded(home | {"PATH": os.environ["PATH"]}, *arguments)
    assert code == 0
    assert programs.calls == [["docker", "system", "dial-stdio"]]
    assert not found & SLOW


@pytest.mark.parametrize("verb", ["status", "ps"])
def test_an_engine_that_is_away_is_said_without_anything_slow(
    home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    programs = Programs(tmp_path, monkeypatch)
    programs.add("docker", "print('dial unix: no such file', file=sys.stderr); sys.exit(1)")
    code, found = loaded(home | {"PATH": os.environ["PATH"]}, verb)
    assert code == 5
    assert not found & SLOW


def test_with_the_network_cut_the_answers_are_the_same(home: dict[str, str]) -> None:
    unshare = shutil.which("unshare")
    cut = [unshare or "unshare", "--map-root-user", "--net"]
    if unshare is None or subprocess.run([*cut, "true"], check=False).returncode != 0:
        pytest.skip("no network of its own can be made here")
    for words in (["models", "ls"], ["models", "ls", "--json"], ["models", "show", "demo-llama"]):
        command = [sys.executable, "-m", "ttctl.cli.main", *words]
        with_it, without = (
            subprocess.run([*prefix, *command], capture_output=True, check=True, env=home).stdout
            for prefix in ([], cut)
        )
        assert with_it == without
        assert with_it
