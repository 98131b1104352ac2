# SPDX-License-Identifier: Apache-2.0
"""Does a stack's gateway say that it is healthy? One question, without an HTTP library.

`status` asks this each time, and Python's own client loads an e-mail parser for it.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.tls import At

ADDRESS = "127.0.0.1"
PROBE_S = 5.0
LONGEST = 1 << 16
"""Bytes of an answer that are read; a longer one is none of ours."""


def healthy(at: At) -> bool:
    """Return whether `/health` answers 200 within five seconds."""
    question = f"GET /health HTTP/1.1\r\nHost: {ADDRESS}:{at.port}\r\nConnection: close\r\n\r\n"
    try:
        version, status, *_ = _answer(at, question.encode()).split(maxsplit=2)
    except (OSError, ValueError, OverflowError):
        return False
    return version.startswith(b"HTTP/") and status == b"200"


def _answer(at: At, question: bytes) -> bytes:
    deadline = time.monotonic() + PROBE_S
    answer = b""
    with _door(at) as door:
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
