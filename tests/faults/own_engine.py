# SPDX-License-Identifier: Apache-2.0
"""A container engine of a test's own, which it may kill, starve and fill.

Its data root, exec root, containerd and socket are its own, and so is its network: dockerd takes
docker0 away when it comes back from a kill, whatever bridge it was given, and another one's packet
filter too. So the engine that this machine uses does not notice, and nothing is left in the end.

Who wants to reach a port that it publishes is `inside()`. Nothing in it reaches the world.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.faults.netspace import Netspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

SEARCH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
TOOLS = ("dockerd", "containerd", "docker", "ip", "iptables")
LIMIT_S = 90
STOP_S = 240
CONTAINERD = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'


@dataclass(kw_only=True)
class OwnEngine:
    """One dockerd with one containerd."""

    folder: Path
    """All that they write, but for the data where `data` says so."""
    live_restore: bool = False
    data: Path | None = None
    """Where images and containers lie; None for in `folder`."""
    space: Netspace = field(default_factory=Netspace)
    _daemon: subprocess.Popen[bytes] | None = None
    _containerd: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """What DOCKER_HOST is for who talks to it."""
        return f"unix://{self.folder}/docker.sock"

    @property
    def environ(self) -> dict[str, str]:
        """This process's variables, with the engine in place of the one that the machine uses."""
        kept = {name: value for name, value in os.environ.items() if name != "DOCKER_CONTEXT"}
        return {**kept, "PATH": SEARCH, "DOCKER_HOST": self.host}

    def inside(self) -> AbstractContextManager[None]:
        """Be on its network, where its ports are and nobody else's."""
        return self.space.inside()

    @property
    def pid(self) -> int:
        """The process id of dockerd."""
        assert self._daemon is not None
        return self._daemon.pid

    @property
    def log(self) -> str:
        """What dockerd and containerd said."""
        texts = (self.folder / name for name in ("dockerd.log", "containerd.log"))
        return "\n".join(path.read_text(errors="replace") for path in texts if path.exists())

    def docker(self, *words: str, input: bytes | None = None, exits: int = 0) -> str:  # noqa: A002
        """Run one docker command against it; return what it printed."""
        done = subprocess.run(
            ["docker", *words],
            env=self.environ,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == exits, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").strip()

    def on_its_network(self, *words: str) -> None:
        """Run a program on its network, such as one that changes it."""
        with self.space.inside():
            subprocess.run(words, env=self.environ, check=True, timeout=LIMIT_S)

    def answers(self) -> bool:
        """Return whether it answers at once."""
        with suppress(AssertionError, subprocess.TimeoutExpired):
            self.docker("version", "--format", "{{.Server.Version}}")
            return True
        return False

    def start(self) -> None:
        """Start dockerd, and containerd where it does not run; return when it answers."""
        if self._containerd is None or self._containerd.poll() is not None:
            self._containerd = self._begun("containerd", *self._containerd_words())
            until((self.folder / "containerd.sock").exists, self._cause)
        assert self._daemon is None or self._daemon.poll() is not None, "it runs already"
        self._daemon = self._begun("dockerd", *self._dockerd_words())
        until(self.answers, self._cause)

    def stop(self) -> None:
        """End dockerd as an administrator does; its containers end too without live restore."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End dockerd as the kernel does when memory runs out; its containers go on."""
        self._signal(signal.SIGKILL)

    def restart(self) -> None:
        """End dockerd in good order, and start it."""
        self.stop()
        self.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let dockerd answer nobody in the block, while its socket takes connections."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def containers(self) -> dict[str, dict[str, object]]:
        """Return what it knows of every container, by name."""
        ids = self.docker("ps", "--all", "--quiet", "--no-trunc").split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {one["Name"].removeprefix("/"): one for one in found}

    def clear(self) -> None:
        """Remove every container, network and volume, whatever became of who made them."""
        if ids := self.docker("ps", "--all", "--quiet").split():
            self.docker("rm", "--force", "--volumes", *ids)
        own = self.docker("network", "ls", "--quiet", "--filter", "type=custom").split()
        if own:
            self.docker("network", "rm", *own)
        if names := self.docker("volume", "ls", "--quiet").split():
            self.docker("volume", "rm", "--force", *names)

    def remove(self) -> None:
        """End all of it and leave nothing, also where half of it was never there."""
        with suppress(Exception):
            if self._daemon is not None and self._daemon.poll() is None:
                self.clear()
        with ExitStack() as last:
            for step in (self.space.close, self._remove_files, self._end_processes):
                last.callback(step)

    def _end_processes(self) -> None:
        for process in (self._daemon, self._containerd):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(LIMIT_S)
        # What containerd left behind: shims that name its socket, and what runs below them.
        shims = {pid for pid in _processes() if str(self.folder) in _words(pid)}
        for pid in (*_below(shims), *shims):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _remove_files(self) -> None:
        roots = [str(one) for one in (self.folder, self.data) if one is not None]
        # One may lie over another, and an engine that was just killed may have made one more.
        for _ in range(10):
            lines = Path("/proc/self/mountinfo").read_text().splitlines()
            mounts = {line.split()[4] for line in lines}
            below = [one for one in mounts if any(one.startswith(f"{root}/") for root in roots)]
            for mount in sorted(below, reverse=True):
                subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
            if not below:
                break
        for root in roots:
            shutil.rmtree(root, ignore_errors=root != str(self.folder))

    def _containerd_words(self) -> list[str]:
        (self.folder / "containerd.toml").write_text(CONTAINERD)
        words = ["--root", "containerd", "--state", "containerd-state"]
        words += ["--address", "containerd.sock", "--config", "containerd.toml"]
        return [str(self.folder / word) if at % 2 else word for at, word in enumerate(words)]

    def _dockerd_words(self) -> list[str]:
        folder = self.folder
        (folder / "daemon.json").write_text("{}")
        return [
            f"--data-root={self.data or folder / 'data'}",
            f"--exec-root={folder / 'exec'}",
            f"--pidfile={folder / 'docker.pid'}",
            f"--config-file={folder / 'daemon.json'}",
            f"--host={self.host}",
            f"--containerd={folder / 'containerd.sock'}",
            f"--live-restore={str(self.live_restore).lower()}",
        ]

    def _begun(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{program}.log").open("ab") as log, self.space.inside():
            return subprocess.Popen(
                [program, *words],
                env={**os.environ, "PATH": SEARCH},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _signal(self, signum: signal.Signals) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signum)
        # In good order it waits for its containers, each of which has its whole grace time.
        self._daemon.wait(STOP_S)

    def _cause(self) -> str:
        ended = [one.args for one in (self._daemon, self._containerd) if one and one.poll()]
        return f"ended: {ended}\n{self.log[-3000:]}"


@contextmanager
def own_engine(*, live_restore: bool = False, data: Path | None = None) -> Iterator[OwnEngine]:
    """Yield an engine that answers and has no image; remove it afterwards.

    Args:
        live_restore: Whether containers outlive dockerd.
        data: Where images and containers lie: a disk that a test made, which is left there.
    """
    skip_unless_engines_can_be_made()
    folder = Path(tempfile.mkdtemp(prefix="ttctl-engine-"))
    engine = OwnEngine(folder=folder, live_restore=live_restore, data=data)
    try:
        engine.start()
        yield engine
    finally:
        engine.remove()


def skip_unless_engines_can_be_made() -> None:
    """Skip where nobody may start one."""
    if os.geteuid() != 0:
        pytest.skip("an engine of a test's own needs root")
    for tool in TOOLS:
        if shutil.which(tool, path=SEARCH) is None:
            pytest.skip(f"{tool} is not installed")


def until(
    condition: Callable[[], bool], cause: Callable[[], str] = str, *, within_s: float = LIMIT_S
) -> None:
    """Return when the condition holds; fail with the cause where it does not come to that."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, cause()
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Return whether a process runs; one that ended, and that nobody waited for, does not."""
    return bool(_words(pid))


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
    return ""


def _below(parents: set[int]) -> set[int]:
    """Return every process below these."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(stat[1]), []).append(pid)
    found: set[int] = set()
    waiting = list(parents)
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found
