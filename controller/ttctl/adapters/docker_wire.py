# SPDX-License-Identifier: Apache-2.0
"""Ask the engine's API over a connection that docker's own command line makes.

Contexts, TLS and ssh are its matter. `system dial-stdio` is what docker itself runs on the other
side of an ssh connection, whichever version is there: it copies bytes, and nothing else.

Source: https://github.com/docker/cli/blob/v28.2.2/cli/command/system/dial_stdio.go and
https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from ttctl.adapters.deadline import deadline
from ttctl.adapters.docker_errors import no_such_context, unreachable
from ttctl.adapters.process import found_program
from ttctl.rules.secret_variables import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from ttctl.errors import TtctlError

COMMAND = ("docker", "system", "dial-stdio")
ANSWER_S = 20.0
"""Limit for all questions of one connection."""
STREAM = "failed to open the raw stream connection: "
"""Where docker failed, which is its own matter; what follows it is the reason."""
LONGEST = 1 << 16
"""Bytes of a line of an answer's head."""


class Wire:
    """One connection; questions go over it one after the other."""

    def __init__(self, into: int, out: IO[bytes]) -> None:
        """Use the two ends of a connection that is there; `into` is a file descriptor."""
        self._into = into
        self._out = out

    def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of the answer.

        Raises:
            OSError: The connection ended.
            ValueError: What came is no HTTP.
        """
        # Past Python's buffer, which would be flushed again into a pipe that nobody reads.
        os.write(self._into, f"GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n".encode("ascii"))
        version, status, *_ = self._line().split(maxsplit=2)
        if not version.startswith(b"HTTP/1."):
            raise ValueError(version)
        headers = {}
        while line := self._line():
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip().lower()
        if headers.get(b"transfer-encoding") == b"chunked":
            return int(status), self._chunks()
        return int(status), self._bytes(int(headers.get(b"content-length", b"")))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._line().partition(b";")[0], 16):
            body += self._bytes(size)
            self._line()
        while self._line():
            pass
        return body

    def _line(self) -> bytes:
        line = self._out.readline(LONGEST)
        if not line.endswith(b"\n"):
            raise ConnectionResetError(line)
        return line.strip()

    def _bytes(self, size: int) -> bytes:
        found = self._out.read(size)
        if len(found) < size:
            raise ConnectionResetError(size)
        return found


@contextmanager
def wire(environ: Mapping[str, str]) -> Iterator[Wire]:
    """Open a connection to the engine for the length of the block.

    Raises:
        EngineError: None answers, or not within its time.
        PrivilegeError: This user may not ask it.
        ToolMissingError: docker's command line is not installed.
        UsageError: DOCKER_CONTEXT names a context that is not there.
    """
    child = subprocess.Popen(  # noqa: S603 - a list, never a shell
        [found_program(COMMAND[0]), *COMMAND[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=without_secrets(environ),
        start_new_session=True,
    )
    # It ends with its input, so one that ttctl left behind ends by itself.
    with child, deadline(ANSWER_S, partial(_end, child)) as limit:
        try:
            if child.stdin is None or child.stdout is None:
                raise ConnectionResetError
            yield Wire(child.stdin.fileno(), child.stdout)
        except (OSError, ValueError) as exc:
            in_time = not limit.passed
            _end(child)
            raise _refusal(environ, _said(child), in_time=in_time) from exc
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _said(child: subprocess.Popen[bytes]) -> str:
    """Return what docker says of its failure; its output is closed by now."""
    said = child.stderr.read(LONGEST) if child.stderr else b""
    return said.decode(errors="replace").strip()


def _refusal(environ: Mapping[str, str], said: str, *, in_time: bool) -> TtctlError:
    named = environ.get("DOCKER_CONTEXT")
    if named and not environ.get("DOCKER_HOST") and f'context "{named}"' in said:
        return no_such_context(named)
    said = said.removeprefix(STREAM)
    if not in_time:
        said = f"It did not answer within {ANSWER_S:g} s. {said}".strip()
    return unreachable(said or "The connection ended before the answer.", environ)
