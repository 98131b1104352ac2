# SPDX-License-Identifier: Apache-2.0
"""What does a gateway on loopback answer, within a time and a size that hold whatever it sends?"""

from __future__ import annotations

import http.client
import socket
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

from ttctl.adapters.deadline import deadline
from ttctl.adapters.tls_client import connection_to
from ttctl.errors import EngineError

if TYPE_CHECKING:
    from ttctl.model.tls import At

ANSWER_S = 4.0
"""For all of one answer."""
MOST_BYTES = 4 << 20
"""Of an answer. vLLM's are about 100 KiB; a line for each label grows with what a client names."""
PIECE = 1 << 16


def text_at(
    at: At, key: str, path: str, *, limit_s: float = ANSWER_S, most: int = MOST_BYTES
) -> str:
    """Return the text of an answer.

    Raises:
        EngineError: Nobody answers 200, not within `limit_s`, or with more than `most` bytes.
    """
    connection = connection_to(at, timeout_s=limit_s)
    late = f"not within {limit_s:g} s"
    # A socket's own limit is for each piece: whoever sends byte after byte would never meet it.
    with deadline(limit_s, partial(_shut, connection)) as limit:
        try:
            with closing(connection):
                connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
                with connection.getresponse() as response:
                    body = _read(response, most=most)
                    status = response.status
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise _refused(path, late if limit.passed else str(exc)) from exc
    if limit.passed:
        raise _refused(path, late)
    if status != http.HTTPStatus.OK:
        raise _refused(path, f"HTTP status {status}")
    return body.decode(errors="replace")


def _shut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse, *, most: int) -> bytes:
    body = b""
    while piece := response.read1(PIECE):
        body += piece
        if len(body) > most:
            raise ValueError(f"more than {most} bytes")
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _refused(path: str, evidence: str) -> EngineError:
    return EngineError(
        f"The gateway does not answer at {path.partition('?')[0]}.",
        why="Its figures and its engines' are read there.",
        evidence=evidence[:200],
        next_step="ttctl status",
    )
