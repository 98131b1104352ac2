# SPDX-License-Identifier: Apache-2.0
"""Do bash, zsh and fish themselves complete what is typed, and does man show the pages?

A shell runs on a terminal of its own. The `ttctl` that it finds answers completion with the real
one, and else writes down its words: so a test sees what the line had become.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TTCTL = Path(sys.executable).with_name("ttctl")
PAGES = sorted((ROOT / "docs" / "man").glob("*.1"))
READY = "READY> "
PROMPT = "'REA''DY> '"
"""Prints READY; the line that says so does not hold it."""
LIMIT_S = 60

SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        f"bind 'set enable-bracketed-paste off'; PS1={PROMPT}; . {{script}}",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"fpath=({{folder}} $fpath); autoload -U compinit; compinit -D -u; PS1={PROMPT}",
    ),
    "fish": (["fish", "-i"], f"function fish_prompt; echo -n {PROMPT}; end"),
}
"""How each begins, and what is typed first; fish finds the script by itself."""

SHIM = """#!/bin/sh
[ -z "${{_TTCTL_COMPLETE:-}}" ] || exec {ttctl} "$@"
printf '%s\\n' "$@" > {typed}.new && mv {typed}.new {typed}
"""


class Terminal:
    """A shell with a keyboard."""

    def __init__(self, shell: str, home: Path) -> None:
        """Install the completion, start the shell and wait for its prompt."""
        self.typed = home / "typed"
        bin_ = home / "bin"
        bin_.mkdir()
        shim = bin_ / "ttctl"
        shim.write_text(SHIM.format(ttctl=TTCTL, typed=self.typed))
        shim.chmod(0o755)
        kept = {
            key: one for key, one in os.environ.items() if not key.startswith(("XDG_", "TTCTL_"))
        }
        environ = {
            **kept,
            "HOME": str(home),
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "TERM": "vt100",
        }
        done = subprocess.run(
            [TTCTL, "--json", "completion", shell, "--install"],
            env=environ, capture_output=True, check=True, timeout=LIMIT_S,
        )  # fmt: skip
        self.script = Path(json.loads(done.stdout)["data"]["path"])
        command, first = SHELLS[shell]
        self.child, self.screen = pty.fork()
        if self.child == 0:
            os.chdir(home)
            os.execvpe(command[0], command, environ)  # noqa: S606 - the shell is the point
        self.shown = ""
        if shell == "fish":
            self._wait("fish")
            self._settle()
        self._type(first.format(script=self.script, folder=self.script.parent) + "\r")
        self._wait(READY)

    def line(self, text: str) -> list[str]:
        """Type a line, press Tab, then Enter; return the words that the command got."""
        self.typed.unlink(missing_ok=True)
        self.shown = ""
        self._type(f"{text}\t\r")
        until = time.monotonic() + LIMIT_S
        while not self.typed.exists():
            assert time.monotonic() < until, self.shown
            self._read(0.05)
        self._wait(READY)
        return self.typed.read_text().splitlines()

    def close(self) -> None:
        """End the shell."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.screen)

    def _type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def _settle(self) -> None:
        """Read until nothing more is drawn for a second."""
        while self._read(1.0):
            pass

    def _wait(self, text: str) -> None:
        until = time.monotonic() + LIMIT_S
        while text not in self.shown:
            assert time.monotonic() < until, self.shown
            self._read(0.1)

    def _read(self, wait_s: float) -> bool:
        if not select.select([self.screen], [], [], wait_s)[0]:
            return False
        self.shown += os.read(self.screen, 65536).decode(errors="replace")
        return True


@pytest.fixture(scope="module", params=SHELLS)
def terminal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp(request.param)
    stack = home / ".local/state/ttctl/stacks/second/rendered"
    stack.mkdir(parents=True)
    (stack / "ttctl.lock").write_text("")
    (stack / "compose.yaml").write_text("services:\n  vllm:\n    init: true\n  gateway:\n")
    (home / "somewhere").mkdir()
    terminal = Terminal(request.param, home)
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("comple", "completion", id="a verb"),
        pytest.param("ser", "serve", id="an alias"),
        pytest.param("models sho", "models show", id="a sub-verb"),
        pytest.param("--json stat", "--json status", id="behind a global flag"),
        pytest.param("up tinyl", "up tinyllama", id="a model"),
        pytest.param(
            "up Qwen/Qwen2.5-0", "up Qwen/Qwen2.5-0.5B-Instruct", id="a model with a slash"
        ),
        pytest.param("up llama --devi", "up llama --device", id="an option"),
        pytest.param("up llama --device t3", "up llama --device t3k", id="a device"),
        pytest.param("up llama --device=t3", "up llama --device=t3k", id="behind an equals"),
        pytest.param("status seco", "status second", id="a stack"),
        pytest.param("exec gate", "exec gateway", id="a service"),
        pytest.param("render llama -o somew", "render llama -o somewhere", id="a folder"),
        pytest.param("up zzz", "up zzz", id="nothing"),
    ],
)
def test_a_tab_completes_the_line(terminal: Terminal, typed: str, expected: str) -> None:
    found = [word.rstrip("/") for word in terminal.line(f"ttctl {typed}")]
    assert found == expected.split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_manual_page_makes_the_formatter_warn(page: Path) -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-z", page], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_man_finds_a_page_beside_the_folder_of_the_command(tmp_path: Path) -> None:
    pages = tmp_path / "share" / "man" / "man1"
    (tmp_path / "bin").mkdir()
    pages.mkdir(parents=True)
    for page in PAGES:
        (pages / page.name).write_text(page.read_text())
    environ = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path),
        "MANWIDTH": "80", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    done = subprocess.run(
        ["man", "ttctl-up"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "Bring a model up and prove that it answers." in " ".join(done.stdout.split())
