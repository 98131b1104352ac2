# SPDX-License-Identifier: Apache-2.0
"""Does a stack's gateway say that it is healthy? One question, without an HTTP library.

`status` asks this each time, and Python's own client loads an e-mail parser for it.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from ttctl.model.gateway import Health

if TYPE_CHECKING:
    from ttctl.model.tls import At

ADDRESS = "127.0.0.1"
PROBE_S = 5.0
STATUS_DIGITS = 3
LONGEST = 1 << 16
"""Bytes of an answer that are read; a longer one is none of ours."""


def asked(at: At) -> Health:
    """Ask for `/health`, and wait for the answer five seconds at most."""
    question = f"GET /health HTTP/1.1\r\nHost: {ADDRESS}:{at.port}\r\nConnection: close\r\n\r\n"
    began = time.monotonic()
    taken, status = False, 0
    try:
        with _door(at) as door:
            taken = True
            status = _status(_answer(door, question.encode(), began + PROBE_S))
    except (OSError, ValueError, OverflowError):
        status = 0
    return Health(status=status, seconds=time.monotonic() - began, taken=taken)


def _status(answer: bytes) -> int:
    version, status, *_ = answer.split(maxsplit=2)
    if not version.startswith(b"HTTP/") or len(status) != STATUS_DIGITS:
        raise ValueError(version)
    return int(status)


def _answer(door: socket.socket, question: bytes, deadline: float) -> bytes:
    answer = b""
    door.sendall(question)
    while piece := door.recv(LONGEST):
        answer += piece
        left = deadline - time.monotonic()
        if left <= 0 or len(answer) > LONGEST:
            raise TimeoutError
        door.settimeout(left)
    return answer


def _door(at: At) -> socket.socket:
    plain = socket.create_connection((ADDRESS, at.port), timeout=PROBE_S)
    if at.pin is None:
        return plain
    from ttctl.adapters.tls_client import wrapped  # noqa: PLC0415 - an HTTP library, and TLS

    try:
        return wrapped(plain, at.pin)
    except BaseException:
        plain.close()
        raise
