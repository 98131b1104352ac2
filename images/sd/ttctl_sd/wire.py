# SPDX-License-Identifier: Apache-2.0
"""The service over HTTP: OpenAI's images, models, health and numbers.

Progress is in the answer itself, as server-sent events: one connection then holds the request, its
progress and, when it closes, that nobody waits any more. A path of its own for progress would want
names of requests, a store for them and a second way to leave.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from ttctl_sd.schema import GENERATIONS, MODELS, openapi
from ttctl_sd.service import Drawn, Step
from ttctl_serving.door import Door, about, listing
from ttctl_serving.log import log
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl_sd.asked import Asked
    from ttctl_sd.service import Service
    from ttctl_serving.exchange import Exchange
    from ttctl_serving.ticket import Ticket

MOST_BYTES = 131072
"""Of a request's body: two prompts of 4000 characters, each of which JSON may write in 12 bytes."""
SILENCE_S = 10.0
"""An idle stream says something so often, for whoever stands between and counts."""
PROBE_S = 15.0
"""A service that failed looks so often whether it works again: a gateway sends it nobody."""
STOP_S = 110.0
"""Seconds from the word to stop until the thread has given the device back; a stop has 120.

What is being loaded cannot be interrupted, and a mesh that is left open wedges its chips.
"""


class Wire:
    """The paths of one service."""

    def __init__(
        self, service: Service, *, cannot_load: Callable[[], None], probe_s: float = PROBE_S
    ) -> None:
        """Remember the service.

        Args:
            cannot_load: Called where the model cannot be loaded: the server has to end.
            probe_s: Seconds between two looks whether what failed works again.
        """
        self._service = service
        self._cannot_load, self._probe_s = cannot_load, probe_s
        self._document = openapi(service.served, service.limits)
        self._loading: asyncio.Task[None] | None = None

    def door(self, key: bytes) -> Door:
        """Return the application; without a key anyone may ask."""
        return Door(
            {
                GENERATIONS: ("POST", self._generations),
                MODELS: ("GET", listing(self._service.served, created=self._service.created)),
                "/health": ("GET", self._health),
                **about(self._document, self._service.metrics),
            },
            key=key,
            metrics=self._service.metrics,
            begin=self._begin,
            end=self._end,
        )

    def _begin(self) -> None:
        # It answers at once, and says that it loads: that may take an hour.
        self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        try:
            await self._service.load()
        except Exception:  # noqa: BLE001 - it was logged; what is left is to end
            self._cannot_load()
            return
        while True:
            await asyncio.sleep(self._probe_s)
            await self._service.probe()

    async def _end(self) -> None:
        if self._loading and self._service.state != "loading":
            self._loading.cancel()
        self._service.stop()
        self._service.line.interrupt()
        if not await self._service.line.join(self._service.until_stopped(STOP_S)):
            log("not given back")

    async def _generations(self, exchange: Exchange) -> None:
        wanted = self._service.read(await exchange.json(most_bytes=MOST_BYTES))
        ticket = self._service.enter(wanted)
        answer = _stream if wanted.stream else _whole
        try:
            await exchange.while_there(answer(exchange, ticket, wanted))
        except RefusedError:
            raise
        except Exception as exc:
            text = "The pipeline failed."
            raise RefusedError(text, status=500, kind="server_error") from exc
        finally:
            self._service.line.leave(ticket)

    async def _health(self, exchange: Exchange) -> None:
        state = self._service.state
        await exchange.answer_json({"status": state}, status=200 if state == "ready" else 503)


async def _whole(exchange: Exchange, ticket: Ticket, wanted: Asked) -> None:
    """Answer with all images at once."""
    images = [event async for event in ticket.events() if isinstance(event, Drawn)]
    # Some megabytes; the loop has others to answer meanwhile.
    body = await asyncio.to_thread(json.dumps, _images(images, wanted))
    await exchange.answer(body.encode())


def _images(images: list[Drawn], wanted: Asked) -> dict[str, Any]:
    return {
        "created": int(time.time()),
        "background": "opaque",
        "output_format": "png",
        "size": f"{wanted.width}x{wanted.height}",
        "data": [{**_image(one, as_url=wanted.as_url), "seed": one.seed} for one in images],
    }


def _image(one: Drawn, *, as_url: bool) -> dict[str, str]:
    """Return an image as it was asked for; an address is the image itself, since none is kept."""
    return {"url": f"data:image/png;base64,{one.b64}"} if as_url else {"b64_json": one.b64}


async def _stream(exchange: Exchange, ticket: Ticket, wanted: Asked) -> None:
    """Answer with events: OpenAI's `completed` for each image, and `progress` between."""
    await exchange.begin_events()
    events = ticket.events()
    following: asyncio.Future[Any] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(_next(events))
            await asyncio.wait({following}, timeout=SILENCE_S)
            if not following.done():
                await exchange.comment("waiting")
                continue
            event = following.result()
            following = None
            if event is None:
                break
            told = _event(event, wanted)
            await exchange.event(told["type"], told)
    finally:
        if following:
            following.cancel()
        # What it raised would hold this frame, and this frame what raised it.
        following = None
    await exchange.end_events()


async def _next(events: Any) -> Step | Drawn | None:  # noqa: ANN401 - of Ticket.events
    return await anext(events, None)


def _event(event: Step | Drawn, wanted: Asked) -> dict[str, Any]:
    if isinstance(event, Step):
        return {
            "type": "image_generation.progress",
            "image": event.image,
            "images": wanted.images,
            "step": event.done,
            "steps": event.steps,
        }
    return {
        "type": "image_generation.completed",
        "created_at": int(time.time()),
        "b64_json": event.b64,
        "background": "opaque",
        "output_format": "png",
        "quality": "auto",
        "size": f"{wanted.width}x{wanted.height}",
        "image": event.image,
        "images": wanted.images,
        "seed": event.seed,
    }
