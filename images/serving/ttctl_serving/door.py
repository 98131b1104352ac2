# SPDX-License-Identifier: Apache-2.0
"""What every request passes: the key, the path, one line in the log, one count.

A plain ASGI application: a few paths need no framework, and a card's image has only what its
tree of tt-metal brought.

Source: ASGI specification, "HTTP & WebSocket ASGI Message Format" and "Lifespan Protocol".
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ttctl_serving import page
from ttctl_serving.bodies import Bodies
from ttctl_serving.exchange import Exchange, LeftError
from ttctl_serving.key import opens
from ttctl_serving.log import log, where
from ttctl_serving.metrics import CONTENT_TYPE
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl_serving.metrics import Metrics

Handler = Callable[[Exchange], Awaitable[None]]
ASKED_ALL_THE_TIME = frozenset({"/health", "/metrics"})
"""Not in the log."""


def about(document: dict[str, Any], metrics: Metrics) -> dict[str, tuple[str, Handler]]:
    """Return the paths by which a server tells of itself: its numbers, its OpenAPI document."""

    async def numbers(exchange: Exchange) -> None:
        await exchange.answer(metrics.text().encode(), kind=CONTENT_TYPE)

    async def docs(exchange: Exchange) -> None:
        await exchange.answer(page.page(document), kind=page.KIND, headers=page.HEADERS)

    return {
        "/metrics": ("GET", numbers),
        "/openapi.json": ("GET", lambda exchange: exchange.answer_json(document)),
        "/docs": ("GET", docs),
    }


def listing(served: str, *, created: int) -> Handler:
    """Return what answers `/v1/models`: the one model that is served.

    Source: OpenAI's API reference, "List models".
    """
    one = {"id": served, "object": "model", "created": created, "owned_by": "ttctl"}
    return lambda exchange: exchange.answer_json({"object": "list", "data": [one]})


class Door:
    """The application."""

    def __init__(
        self,
        routes: Mapping[str, tuple[str, Handler]],
        *,
        key: bytes,
        metrics: Metrics,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
        without_key: frozenset[str] = ASKED_ALL_THE_TIME,
        bodies: Bodies | None = None,
    ) -> None:
        """Remember who answers.

        Args:
            routes: Path to (method, handler); any other path is `other` in log and numbers.
            key: What a client must show; empty for nothing.
            begin: Called in the event loop when the server begins.
            end: Awaited when it ends, after every answer.
            without_key: Paths that answer anybody.
            bodies: How much is read at once.
        """
        self._routes, self._key, self._metrics = routes, key, metrics
        self._begin, self._end, self._without_key = begin, end, without_key
        self._bodies = bodies or Bodies()
        metrics.counter("requests_total", "Requests that were answered, by path and status.")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI calls it
        """Answer one request, or the server's own begin and end."""
        if scope["type"] == "http":
            await self._answer(Exchange(scope, receive, send, self._bodies))
        elif scope["type"] == "lifespan":
            await receive()
            self._begin()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._end()
            await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, exchange: Exchange) -> None:
        began = time.monotonic()
        try:
            await self._routed(exchange)
        except LeftError:
            pass
        except RefusedError as refused:
            await exchange.refuse(refused)
        except Exception as error:  # noqa: BLE001 - nothing of its inside is told
            log("failed", error=type(error).__name__, at=where(error))
            await exchange.refuse(
                RefusedError("The server failed.", status=500, kind="server_error")
            )
        finally:
            self._note(exchange, time.monotonic() - began)

    async def _routed(self, exchange: Exchange) -> None:
        said = exchange.header(b"authorization")
        if exchange.path not in self._without_key and not opens(said, self._key):
            raise RefusedError(
                "Incorrect API key provided.",
                code="invalid_api_key",
                status=401,
                kind="authentication_error",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if exchange.path not in self._routes:
            raise RefusedError("There is no such path.", code="unknown_url", status=404)
        method, handler = self._routes[exchange.path]
        if exchange.method not in {method, "HEAD" if method == "GET" else ""}:
            raise RefusedError(
                f"This path takes {method}.",
                code="method_not_allowed",
                status=405,
                headers={"Allow": method},
            )
        await handler(exchange)

    def _note(self, exchange: Exchange, seconds: float) -> None:
        name = exchange.path if exchange.path in self._routes else "other"
        self._metrics.add("requests_total", path=name, status=exchange.status)
        if name not in ASKED_ALL_THE_TIME:
            facts = {"status": exchange.status, "seconds": round(seconds, 3), **exchange.facts}
            log("request", path=name, id=exchange.id, **facts)
