# SPDX-License-Identifier: Apache-2.0
"""The service over HTTP: a chat, health and numbers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ttctl_direct.asked import LONGEST_BODY, asked_of
from ttctl_direct.documents import openapi
from ttctl_direct.service import Answered
from ttctl_serving.door import Door, about, listing
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from ttctl_direct.service import Service
    from ttctl_serving.exchange import Exchange
    from ttctl_serving.ticket import Ticket

SERVER_ERRORS = 500
OUTCOMES = {"line_full": "full", "too_many_bodies": "full", "stopping": "cancelled"}
"""How a question ended that was refused, by the error's code."""


class Wire:
    """The paths of one service."""

    def __init__(self, service: Service, *, context: int) -> None:
        """Remember the service; `context` is in tokens."""
        self._service = service
        self._created = int(time.time())
        self._document = openapi(model=service.model, context=context)

    def door(self, key: bytes) -> Door:
        """Return the application; without a key anyone may ask."""
        return Door(
            {
                "/chat": ("POST", self._chat),
                "/v1/models": ("GET", listing(self._service.model, created=self._created)),
                "/health": ("GET", self._health),
                **about(self._document, self._service.metrics),
            },
            key=key,
            metrics=self._service.metrics,
            begin=lambda: None,
            end=self._end,
            without_key=frozenset({"/health"}),
        )

    async def _end(self) -> None:
        self._service.stop()
        self._service.line.interrupt()

    async def _chat(self, exchange: Exchange) -> None:
        outcome = "cancelled"
        try:
            outcome = await self._answered(exchange) or outcome
        except RefusedError as refused:
            other = "failed" if refused.status >= SERVER_ERRORS else "bad"
            outcome = OUTCOMES.get(refused.body["error"]["code"], other)
            raise
        finally:
            self._service.metrics.add("answers_total", outcome=outcome)
            exchange.facts["outcome"] = outcome

    async def _answered(self, exchange: Exchange) -> str | None:
        """Answer; return how it ended, None where the client left."""
        asked = asked_of(await exchange.json(most_bytes=LONGEST_BODY))
        ticket = await exchange.while_there(self._service.enter(asked))
        if ticket is None:
            return None
        try:
            answer = self._streamed if asked.stream else self._whole
            return await exchange.while_there(answer(exchange, ticket))
        finally:
            self._service.line.leave(ticket)

    async def _whole(self, exchange: Exchange, ticket: Ticket) -> str:
        [last] = [one async for one in ticket.events()]
        await exchange.answer_json({"text": last.text, **self._noted(exchange, last)})
        return str(last.spoken.finish)

    async def _streamed(self, exchange: Exchange, ticket: Ticket) -> str:
        """Answer with events; what is refused before the first of them is a status."""
        finish = ""
        async for one in ticket.events():
            if isinstance(one, Answered):
                finish = one.spoken.finish
                await exchange.event("end", self._noted(exchange, one))
            else:
                await exchange.event("text", {"text": one})
        await exchange.end_events()
        return finish

    def _noted(self, exchange: Exchange, answered: Answered) -> dict[str, Any]:
        """Count an answer, and return its figures for who asked."""
        self._service.count(answered)
        spoken = answered.spoken
        tokens = {"prompt_tokens": spoken.prompt_tokens, "tokens": spoken.tokens}
        exchange.facts.update(tokens, computed_s=round(spoken.seconds, 3))
        speed = spoken.tokens_per_second
        return {
            "model": self._service.model,
            "finish": spoken.finish,
            **tokens,
            "tokens_per_second": None if speed is None else round(speed, 2),
            "time_to_first_token_s": round(answered.first_s, 4),
            "queued_s": round(answered.queued_s, 4),
        }

    async def _health(self, exchange: Exchange) -> None:
        state = self._service.state
        body = {"status": state, "model": self._service.model}
        await exchange.answer_json(body, status=200 if state == "ok" else 503)
