# SPDX-License-Identifier: Apache-2.0
"""A newcomer's machine: a clean home, a stack of its own, and the mishaps of the tape."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.tape import SHOWN, Scene
from tools.terminal import Ran, in_a_pipe, on_a_terminal
from ttctl.adapters.pip_index import default_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
PLACE = ("PIP_", "DOCKER_", "TTCTL_", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "PYENV_")
"""What a place says of itself. Everything else of the caller is left out."""
WHEELS = "PIP_FIND_LINKS"
LIMIT_S = 900.0
LISTENS_S = 10.0
NEXT = str(int(SHOWN["port"]) + 1)
"""The port that is free when the one that is shown is not."""
FULL = 'mount -t tmpfs -o size=1m none "$HOME" && cd && exec "$@"'
"""A disk with a mebibyte on it: enough for a lock, too little for any weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One clean home and what is its own in it."""

    home: Path
    program: Path
    """The folder in which the `ttctl` lies that is typed."""
    name: str
    """A stack's name that is as long as the one that is shown: tables keep their widths."""
    port: int

    @property
    def environ(self) -> Mapping[str, str]:
        """What a newcomer's shell has: a home, a path, a terminal with true colour."""
        place = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(PLACE) or name.lower().endswith("_proxy")
        }
        if (self.home / "wheels").exists():
            place[WHEELS] = str(self.home / "wheels")
        return {
            **place,
            "HOME": str(self.home),
            "PATH": f"{self.program}:{os.environ.get('PATH', os.defpath)}",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
        }

    def play(self, scene: Scene, *, terminal: bool = False) -> list[tuple[str, Ran]]:
        """Type a scene's lines; return each as it is shown, and what came of it."""
        run = on_a_terminal if terminal else in_a_pipe
        played = []
        with self._situation(scene) as (before, folder):
            for at, line in enumerate(scene.typed):
                # What a line sets holds for the next one, as in a shell.
                so_far = [f"{one} >/dev/null 2>&1" for one in scene.typed[:at] if one[0] == "."]
                text = "; ".join([*so_far, line.format(**self._own)])
                words = [*before, "bash", "-c", text]
                ran = run(words, environ=self.environ, folder=folder, limit_s=LIMIT_S)
                played.append((line.format(**SHOWN), Ran(code=ran.code, text=self.shown(ran.text))))
        return played

    def leave(self) -> None:
        """End the stack that a tape which broke off has left; none is none."""
        if (self.home / ".local" / "state" / "ttctl" / "stacks" / self.name).exists():
            words = ("bash", "-c", f"ttctl down {self.name}")
            in_a_pipe(words, environ=self.environ, folder=self.home, limit_s=LIMIT_S)

    def shown(self, text: str) -> str:
        """Return what a newcomer would see: their own home, name and port."""
        # In a table what stands behind a path keeps its column.
        cell = rf"{re.escape(str(self.home))}(\S*)(?=  )"
        text = re.sub(cell, lambda one: f"~{one[1]}".ljust(len(one[0])), text)
        for own, instead in (
            (re.escape(str(self.home / "ttctl")), "~/ttctl"),
            (re.escape(str(self.home)), "~"),
            (re.escape(f"{self.program}/"), ""),
            (rf"\b{self.name}\b", SHOWN["name"]),
            (rf"\b{self.port}\b", SHOWN["port"]),
            (rf"(?<=Free: )(?!{SHOWN['port']})\d+", NEXT),
            (rf"(?<=--port )(?!{SHOWN['port']})\d+", NEXT),
        ):
            text = re.sub(own, instead, text)
        for host in registries():
            text = text.replace(host, _example(host))
        return text

    @property
    def _own(self) -> dict[str, str]:
        own = f" --name {self.name} --port {self.port}"
        return {"own": own, "name": self.name, "port": str(self.port)}

    @contextlib.contextmanager
    def _situation(self, scene: Scene) -> Iterator[tuple[Sequence[str], Path]]:
        """Prepare what the scene is about; yield what goes before its words, and where."""
        match scene.situation:
            case "plain" | "no engine":
                yield (), self.home
            case "fresh clone":
                clone = self.home / "ttctl"
                words = ["git", "clone", "--quiet", str(ROOT), str(clone)]
                subprocess.run(words, check=True, timeout=60)
                yield (), clone
                shutil.rmtree(clone)
            case "port taken":
                with self._listener():
                    yield (), self.home
            case "disk full":
                yield _unshared("--mount", "sh", "-c", FULL, "sh"), self.home
            case "no network":
                yield _unshared("--net"), self.home

    @contextlib.contextmanager
    def _listener(self) -> Iterator[None]:
        words = [sys.executable, "-m", "http.server", str(self.port), "--bind", "127.0.0.1"]
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + LISTENS_S
            while not _answers(self.port) and time.monotonic() < deadline:
                time.sleep(0.05)
            yield
        finally:
            child.kill()
            child.wait()


def new_stage(home: Path, *, program: Path | None = None) -> Stage:
    """Return a stage in `home`, which is made, with a name and a port that nobody has."""
    home.mkdir(parents=True, exist_ok=True)
    wheels = Path(os.environ.get(WHEELS, ""))
    if wheels.is_absolute() and wheels.is_dir():
        # Where this machine keeps them is its own matter; a page shows the newcomer's home.
        (home / "wheels").symlink_to(wheels)
    return Stage(
        home=home,
        program=program or Path(sys.executable).parent,
        name=f"l{secrets.token_hex(2)}",
        port=_free_port(),
    )


@cache
def registries() -> frozenset[str]:
    """Return the hosts of packages that this machine uses: a page names none of them."""
    words = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    said = [default_index(), done.stdout]
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    said += [one.read_text(encoding="utf-8", errors="replace") for one in sources if one.is_file()]
    found = re.findall(r"https?://(?:[^@/\s]*@)?([A-Za-z0-9.-]+)", "\n".join(said))
    return frozenset(found)


def _example(host: str) -> str:
    """Return a host that is none, and as long: tables keep their widths."""
    end = ".example" if len(host) > len(".example") else ".test"
    return "mirror-of-this-very-place"[: max(1, len(host) - len(end))] + end


def _unshared(*words: str) -> tuple[str, ...]:
    """Return the words that part a command from the machine's mounts or network."""
    return ("unshare", *(() if os.geteuid() == 0 else ("--map-root-user",)), *words)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    """Return the port that is shown, or another with as many digits where it is taken."""
    ports: Iterable[int] = (int(SHOWN["port"]), *range(8100, 9999))
    return next(port for port in ports if not _answers(port))
