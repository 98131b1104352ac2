# SPDX-License-Identifier: Apache-2.0
"""What `ttctl up llama` prints is true, and what it prints to be typed works."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import ROOT, Stack, Ttctl, command_lines, docker, tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker


def part(card: str, title: str) -> str:
    """Return the indented lines under a title of the card."""
    found = re.search(rf"^{re.escape(title)}\n((?:  .*\n)+)", card, re.MULTILINE)
    assert found, card
    return "".join(line[2:] for line in found[1].splitlines(keepends=True))


def test_the_wheel_holds_everything_that_is_rendered_built_and_served(wheel: Path) -> None:
    shipped = {
        f"ttctl/data/{to}/{path.relative_to(ROOT / of).as_posix()}": path
        for of, to in (
            ("controller/catalog", "catalog"), ("compose", "compose"), ("images", "images"),
        )
        for path in (ROOT / of).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        assert set(shipped) <= set(archive.namelist())
        assert not [name for name in archive.namelist() if "__pycache__" in name]
        for name, path in shipped.items():
            assert archive.read(name) == path.read_bytes(), name


def test_the_installed_program_uses_nothing_of_the_checkout(ttctl: Ttctl) -> None:
    python = ttctl.program.parent / "python"
    asked = "import ttctl, sys; print(ttctl.__file__); print(sys.path)"
    said = subprocess.run(
        [str(python), "-c", asked],
        cwd=ttctl.home,
        env=dict(ttctl.environ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(ROOT) not in said
    assert ROOT not in ttctl.home.parents


def test_the_card_says_plainly_that_the_model_is_a_demo_and_why(card: str, stack: Stack) -> None:
    assert "demo-llama on cpu is up" in card
    assert re.search(r"small DEMO model, not a useful one: stands in for \S+: ", card)
    assert (
        "demo-llama is a small demonstration model"
        in (stack.ttctl.home / "first-up-progress.txt").read_text()
    )


def test_the_card_names_the_base_url_the_key_file_and_how_to_stop(card: str, stack: Stack) -> None:
    assert f"base URL   http://127.0.0.1:{stack.port}/v1\n" in card
    assert f"key        {stack.key_file}\n" in card
    assert f"folder     {stack.folder}\n" in card
    assert re.search(rf"^stop       (\S*/)?ttctl down {stack.name}$", card, re.MULTILINE)
    assert stack.key not in card


def test_progress_is_a_line_a_step_with_its_seconds(stack: Stack) -> None:
    progress = (stack.ttctl.home / "first-up-progress.txt").read_text()
    for step in ("Write the rendered folder", "Start vllm, gateway", "Wait for a real completion"):
        assert re.search(rf"^  \+ {step}  \d+\.\d s$", progress, re.MULTILINE), progress
    assert "%" not in progress


def test_the_curl_line_of_the_card_gets_an_answer(card: str) -> None:
    done = subprocess.run(
        ["bash", "-euc", part(card, "curl:").replace("curl ", "curl --silent --show-error ", 1)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Tenstorrent" in json.loads(done.stdout)["choices"][0]["message"]["content"]


def test_the_python_snippet_of_the_card_gets_an_answer(card: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", part(card, "Python, with the openai package:")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Tenstorrent" in done.stdout


def test_the_line_that_asks_by_ttctl_gets_an_answer(
    card: str, stack: Stack, tmp_path: Path
) -> None:
    asked = re.search(r"^ask +(.*)$", card, re.MULTILINE)
    assert asked
    done = subprocess.run(
        ["bash", "-euc", asked[1]],
        cwd=tmp_path,
        env={**stack.ttctl.environ, "PATH": f"{stack.ttctl.program.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Tenstorrent" in done.stdout


def test_the_command_of_the_card_is_the_one_that_runs(card: str, stack: Stack) -> None:
    shown = shlex.split(part(card, "the engine runs:"))
    assert shown[:2] == ["vllm", "serve"]
    assert {"--max-model-len", "--max-num-seqs", "--block-size"} <= set(shown)
    container = stack.inspect()["vllm"]
    assert [*container["Config"]["Entrypoint"], *container["Config"]["Cmd"]] == shown
    running = docker("top", container["Id"], "-eo", "pid,args").splitlines()
    assert any(" ".join(shown[1:]) in line for line in running), running


def test_the_lock_holds_the_choice_and_the_exact_weights(stack: Stack) -> None:
    lock = tomllib.loads((stack.folder / "ttctl.lock").read_text())
    assert (lock["requested"], lock["model"], lock["device"]) == ("llama", "demo-llama", "cpu")
    assert "stands in for" in lock["reason"]
    assert all(re.fullmatch("[0-9a-f]{64}", file["sha256"]) for file in lock["weights"]["files"])
    running = {one["Config"]["Image"] for one in stack.inspect().values()}
    assert running <= {image["reference"] for image in lock["images"]}


def test_the_key_is_256_bits_in_a_file_for_the_user_alone(stack: Stack) -> None:
    assert re.fullmatch("[0-9a-f]{64}", stack.key)
    assert stack.key_file.stat().st_mode & 0o777 == 0o600
    assert stack.key_file.parent.stat().st_mode & 0o777 == 0o700


def test_the_key_is_nowhere_else(stack: Stack) -> None:
    key = stack.key
    stack.serves()
    assert key not in json.dumps(stack.inspect())
    assert key not in command_lines()
    for service, container in stack.inspect().items():
        inside = docker("exec", container["Id"], "cat", "/proc/1/environ", "/proc/1/cmdline")
        assert key not in inside, service
        logs = subprocess.run(
            ["docker", "logs", container["Id"]], capture_output=True, text=True, check=True
        )
        assert key not in logs.stdout + logs.stderr, service
    assert not [name for name, text in tree(stack.folder).items() if key.encode() in text]
    state = tree(stack.ttctl.stacks.parent)
    assert [name for name, text in state.items() if key.encode() in text] == [
        str(stack.key_file.relative_to(stack.ttctl.stacks.parent))
    ]
