# SPDX-License-Identifier: Apache-2.0
"""uvicorn as our servers use it: how it ends, and what it lets a connection do.

Source: uvicorn 0.54.0, `Server.shutdown`, `H11Protocol`; h11 0.16.0, `Connection.their_state`.
"""

from __future__ import annotations

import asyncio
import json
import signal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl_serving.door import Door

KEPT_S = 30
"""Seconds that a connection is kept: the gateway keeps it for its next request."""
LAST_STEP_S = 10
"""Seconds in which the last step of an answer may end, after the time to finish."""
MOST_HEAD_BYTES = 16384
"""Of a request's line and headers.

Source: HAProxy's configuration manual, `tune.bufsize`: its default lets no longer ones through.
"""


class Connection(H11Protocol):
    """One connection: a head has to come in time, and what is no HTTP is told in our shape."""

    head_s = 10.0
    """Seconds in which a request's line and headers have to be here."""
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as uvicorn declares it
        """Begin to wait for a first head."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is not whole yet is waited for, once."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._unwatch()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too long."""
        self._refuse(400, msg, "bad_http")

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._unwatch()
        elif self._late is None:
            self._late = self.loop.call_later(self.head_s, self._too_late)

    def _unwatch(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        begun, _ = self.conn.trailing_data
        if begun:
            self._refuse(408, "The request did not arrive in time.", "request_timeout")
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str, code: str) -> None:
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        body = json.dumps({"error": error}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def config_of(
    door: Door, *, host: str, port: int, finish_s: int, connection: type[Connection] = Connection
) -> uvicorn.Config:
    """Return the settings of a server.

    Args:
        finish_s: Seconds in which answers may end by themselves after the word to stop.
    """
    return uvicorn.Config(
        door,
        host=host,
        port=port,
        http=connection,
        ws="none",
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=finish_s + LAST_STEP_S,
        lifespan="on",
    )


class Server(uvicorn.Server):
    """uvicorn, which says that it was told to stop before it waits, and then ends with code 0."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        at_stop: Callable[[], None],
        at_last: Callable[[], object],
    ) -> None:
        """Remember whom to tell, in the event loop.

        Args:
            config: Of `config_of`.
            at_stop: Begins nothing more.
            at_last: Ends what is still computed when the time to finish is over.
        """
        super().__init__(config)
        self._at_stop, self._at_last = at_stop, at_last

    async def shutdown(self, sockets: Any = None) -> None:  # noqa: ANN401 - as uvicorn declares it
        """Tell, and stop; a second signal does not wait."""
        self._at_stop()
        finish_s = (self.config.timeout_graceful_shutdown or 0) - LAST_STEP_S
        asyncio.get_running_loop().call_later(finish_s, self._at_last)
        await super().shutdown(sockets)

    def run_until_told(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        # uvicorn raises the signal once more when it has stopped; that one ends nothing.
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, lambda _sig, _frame: None)
        self.run()
