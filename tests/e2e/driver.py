# SPDX-License-Identifier: Apache-2.0
"""ttctl as a user has it: installed from its wheel, run from elsewhere, on the host's engine."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
LIMIT_S = 60
START_S = 900
"""A start on a busy machine takes half a minute; one that builds the images takes ten."""

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def envelope(self) -> Json:
        value: Json = json.loads(self.out)
        return value

    @property
    def data(self) -> Any:  # noqa: ANN401 - each verb has its own
        return self.envelope["data"]


@dataclass(frozen=True, kw_only=True)
class Ttctl:
    """The installed program with its own state, settings and cache."""

    program: Path
    home: Path
    environ: Mapping[str, str] = field(repr=False)

    def run(
        self,
        *words: str,
        exits: int | None = 0,
        limit_s: float = LIMIT_S,
        environ: Mapping[str, str] | None = None,
        stdin: str | None = None,
    ) -> Ran:
        """Run one command from a folder that is no checkout; None takes any exit code."""
        done = subprocess.run(
            [str(self.program), *words],
            cwd=self.home,
            env={**self.environ, **(environ or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        ran = Ran(code=done.returncode, out=done.stdout, err=done.stderr)
        assert exits in {ran.code, None}, f"exit code {ran.code}\n{ran.out}\n{ran.err}"
        assert "Traceback" not in ran.out + ran.err
        return ran

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start one command; its progress can be read line by line."""
        return subprocess.Popen(
            [str(self.program), *words],
            cwd=self.home,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def docker(self, *words: str) -> str:
        """Run one docker command on the engine that the program uses."""
        return docker(*words, environ=self.environ)

    @property
    def stacks(self) -> Path:
        return Path(self.environ["XDG_STATE_HOME"]) / "ttctl" / "stacks"

    @property
    def log(self) -> Path:
        return Path(self.environ["XDG_STATE_HOME"]) / "ttctl" / "logs" / "ttctl.log"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack of a test's own."""

    ttctl: Ttctl
    name: str
    port: int
    target: str = "llama"
    """What `up` is asked for: a model, or a stack of several services."""
    credential: str = ""
    """What is shown in place of the stack's own key, as a stranger would."""

    @property
    def folder(self) -> Path:
        return self.ttctl.stacks / self.name / "rendered"

    @property
    def key_file(self) -> Path:
        return self.ttctl.stacks / self.name / "secrets" / "api-key"

    @property
    def key(self) -> str:
        return self.key_file.read_text().strip()

    @property
    def words(self) -> tuple[str, ...]:
        return (self.target, "--name", self.name, "--port", str(self.port))

    def up(self, *words: str, exits: int = 0) -> Ran:
        return self.ttctl.run("up", *self.words, *words, exits=exits, limit_s=START_S)

    def start_up(self, *words: str) -> subprocess.Popen[str]:
        return self.ttctl.start("--verbose", "up", *self.words, *words)

    def down(self) -> Ran:
        return self.ttctl.run("down", self.name, limit_s=300)

    def openai(self, key: str = "") -> openai.OpenAI:
        url = f"http://127.0.0.1:{self.port}/v1"
        return openai.OpenAI(base_url=url, api_key=key or self.key, max_retries=0, timeout=LIMIT_S)

    def ask(self, path: str, *, method: str = "GET", body: str | None = None) -> tuple[int, str]:
        """Ask the gateway with the key, as a program without the client would."""
        with self.asking(path, method=method, body=body) as response:
            return response.status, response.read().decode()

    @contextmanager
    def asking(
        self, path: str, *, method: str = "GET", body: str | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """Give the answer once it has begun; the connection ends with the block."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        with closing(connection):
            key = self.credential or self.key
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            with connection.getresponse() as response:
                yield response

    def serves(self) -> str:
        """Return the answer to one real question."""
        with self.openai() as client:
            completion = client.completions.create(
                model="demo-llama", prompt="Hello", max_tokens=4, temperature=0
            )
        assert completion.usage is not None
        assert completion.usage.completion_tokens > 0
        return completion.choices[0].text

    def inspect(self) -> dict[str, Json]:
        """Return what the engine knows of each container, by service."""
        project = f"label=com.docker.compose.project=ttctl-{self.name}"
        ids = self.ttctl.docker("ps", "--all", "--quiet", "--filter", project)
        found = json.loads(self.ttctl.docker("inspect", *ids.split())) if ids else []
        return {one["Config"]["Labels"]["dev.ttctl.service"]: one for one in found}

    def identities(self) -> dict[str, tuple[str, str]]:
        """Return each container's id and start: what a recreated or restarted one changes."""
        return {
            name: (one["Id"], one["State"]["StartedAt"]) for name, one in self.inspect().items()
        }

    def made_of(self) -> dict[str, tuple[str, str, str]]:
        """Return what two equal starts have in common."""
        return {
            name: (
                one["Name"],
                one["Config"]["Image"],
                one["Config"]["Labels"]["dev.ttctl.config-hash"],
            )
            for name, one in self.inspect().items()
        }

    def remove(self) -> None:
        """Remove the stack's containers and networks, whatever became of ttctl."""
        label = f"label=dev.ttctl.stack={self.name}"
        project = f"label=com.docker.compose.project=ttctl-{self.name}"
        for what in (label, project):
            if ids := self.ttctl.docker("ps", "--all", "--quiet", "--filter", what).split():
                self.ttctl.docker("rm", "--force", *ids)
            if ids := self.ttctl.docker("network", "ls", "--quiet", "--filter", what).split():
                self.ttctl.docker("network", "rm", *ids)


def docker(*words: str, environ: Mapping[str, str] | None = None) -> str:
    """Run one docker command and return what it printed; `environ` may name another engine."""
    done = subprocess.run(
        ["docker", *words], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], bool], *, within_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stamps(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return what any write to a folder would change: inode, mode and time of all in it."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns)
    return found


def read_until(child: subprocess.Popen[str], pattern: str) -> list[str]:
    """Read a child's progress up to the first line that matches."""
    assert child.stderr is not None
    lines = []
    for line in child.stderr:
        lines.append(line)
        if re.search(pattern, line):
            return lines
    raise AssertionError(f"{pattern!r} never came: {''.join(lines[-20:])}")


def finish(child: subprocess.Popen[str], *, limit_s: float = START_S) -> Ran:
    """Wait for a child and return how it ended."""
    out, err = child.communicate(timeout=limit_s)
    return Ran(code=child.returncode, out=out, err=err)


def kill(child: subprocess.Popen[str], signum: signal.Signals) -> None:
    """Send a signal to the command alone, as a user's `kill PID` does."""
    os.kill(child.pid, signum)


def descendants(pid: int) -> set[int]:
    """Return every process below `pid`."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(words[1])

    def below(parent: int) -> Iterator[int]:
        for child, of in parents.items():
            if of == parent:
                yield child
                yield from below(child)

    return set(below(pid))


def command_lines() -> str:
    """Return the command lines and environments of all processes that this user may read."""
    texts = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                texts.append((folder / name).read_bytes().replace(b"\0", b" ").decode("latin-1"))
            except OSError:
                continue
    return "\n".join(texts)
