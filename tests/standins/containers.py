# SPDX-License-Identifier: Apache-2.0
"""Starts one container from flags that a test can change, and asks what runs in it."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 15
GRACE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One `docker run`."""

    image: str
    flags: tuple[str, ...]
    command: tuple[str, ...] = ()

    def without(self, *flags: str) -> Launch:
        assert set(flags) <= set(self.flags), f"{flags} are not all in {self.flags}"
        return replace(self, flags=tuple(flag for flag in self.flags if flag not in flags))

    def plus(self, *flags: str) -> Launch:
        return replace(self, flags=(*self.flags, *flags))

    def but(self, *command: str) -> Launch:
        return replace(self, command=command)

    def of(self, image: str) -> Launch:
        return replace(self, image=image)

    @contextmanager
    def started(self) -> Iterator[Running]:
        """Yield the container; remove it afterwards."""
        # By name, since the engine prints no id of a container that it made and could not start.
        name = f"ttctl-standin-{secrets.token_hex(6)}"
        words = [
            "docker",
            "run",
            "--detach",
            "--name",
            name,
            *self.flags,
            self.image,
            *self.command,
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        try:
            yield Running(name=name, refused=done.stderr.strip())
        finally:
            subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)

    def ended(self) -> tuple[int, str]:
        """Return the exit code of a container that ends by itself, and all that was said."""
        with self.started() as running:
            return running.wait(), running.log()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A container that was started."""

    name: str
    refused: str
    """What the engine said where it did not start it."""

    def log(self) -> str:
        done = _docker("logs", self.name)
        return f"{self.refused}\n{done.stdout}{done.stderr}"

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(_docker("inspect", self.name).stdout)[0]
        return found

    def inside(self, *words: str) -> str:
        """Return what a command prints in the container."""
        return _docker("exec", self.name, *words).stdout

    def wait(self) -> int:
        """Return the exit code, and fail where the container goes on."""
        if self.state()["State"]["Status"] == "created":
            return int(self.state()["State"]["ExitCode"])
        done = subprocess.run(
            ["docker", "wait", self.name],
            capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
        return int(done.stdout)

    def stop(self, grace_s: int = GRACE_S) -> tuple[int, float]:
        """Return the exit code and how long it took, in seconds."""
        started = time.monotonic()
        _docker("stop", f"--time={grace_s}", self.name)
        return int(self.state()["State"]["ExitCode"]), time.monotonic() - started

    def ask(
        self, path: str, body: object = None, *, key: str = "", port: int = 8000
    ) -> tuple[int, bytes]:
        """Return status and body of an answer; 0 where nobody listens."""
        networks = self.state()["NetworkSettings"]["Networks"]
        address = next(network["IPAddress"] for network in networks.values())
        request = urllib.request.Request(
            f"http://{address}:{port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def healthy(self, *, port: int = 8000) -> float:
        """Return after how many seconds it was healthy; fail with the log where it never was."""
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE_S:
            if self.refused or self.state()["State"]["Status"] == "exited":
                break
            if self.ask("/health", port=port)[0] == 200:
                return time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(self.log())

    def report(self, *, port: int = 8000) -> dict[str, Any]:
        """Return what the stand-in tried and saw, once it is healthy."""
        self.healthy(port=port)
        found: dict[str, Any] = json.loads(self.ask("/standin/report", port=port)[1])
        return found


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True)
