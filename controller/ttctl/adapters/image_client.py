# SPDX-License-Identifier: Apache-2.0
"""Ask a running stack for images, and read both kinds of answer: events, or all at once."""

from __future__ import annotations

import binascii
import http
import json
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, ValidationError

from ttctl.adapters.gateway_wire import cut_off, events_in, not_understood, refused, response_to
from ttctl.errors import EngineError
from ttctl.model.picture import Picture, Stroke
from ttctl.rules.picture import dimensions, images_in
from ttctl.rules.picture_refusal import field_in, refusal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from http.client import HTTPResponse

    from ttctl.errors import TtctlError
    from ttctl.model.picture import ImageRequest
    from ttctl.model.tls import At

FIELD_STATUSES = frozenset({http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.UNPROCESSABLE_ENTITY})
"""With which OpenAI's API and FastAPI refuse a field."""
PROGRESS, COMPLETED = "image_generation.progress", "image_generation.completed"

Count = Annotated[int, Field(ge=0)]


class _Error(BaseModel):
    message: str = ""


class _Event(BaseModel):
    """One event of a streamed answer; of kinds that are not known, nothing is read."""

    type: str
    image: Count = 0
    """From 0."""
    step: Count = 0
    steps: Count = 0
    b64_json: str = ""
    seed: int | None = None
    error: _Error | None = None


def draw(at: At, key: str, request: ImageRequest) -> Generator[Stroke | Picture]:
    """Yield how far each image is, and each that is whole.

    Raises:
        UsageError: The service refuses a field.
        EngineError: It does not answer, does not draw, or not all that was asked for.
    """
    began = time.monotonic()
    with response_to(at, "POST", request.path, key, dict(request.body)) as response:
        if response.status != http.HTTPStatus.OK:
            raise _refused(request, response.status, response.read())
        if request.streams:
            yield from _streamed(response, request.images, began)
        else:
            yield from _at_once(response.read(), request.images, began)


def _streamed(response: HTTPResponse, images: int, began: float) -> Iterator[Stroke | Picture]:
    whole = 0
    for line in events_in(response):
        event = _understood(line)
        if event.type == "error":
            raise EngineError(
                "The service ended without the image.",
                why=event.error.message[:400] if event.error else "",
                next_step="ttctl logs --tail 50",
            )
        if event.type == PROGRESS:
            yield Stroke(image=event.image + 1, done=event.step, steps=event.steps)
        if event.type == COMPLETED:
            whole += 1
            now = time.monotonic()
            yield _picture(whole, event.b64_json, event.seed, now - began)
            began = now
    if whole < images:
        raise cut_off()


def _at_once(raw: bytes, images: int, began: float) -> Iterator[Picture]:
    seconds = time.monotonic() - began
    try:
        found = images_in(json.loads(raw))
    except ValueError as exc:
        raise not_understood(raw) from exc
    if len(found) < images:
        raise not_understood(raw)
    for number, (text, seed) in enumerate(found, start=1):
        # They come together: each has its share of the time.
        yield _picture(number, text, seed, seconds / len(found))


def _picture(number: int, text: str, seed: int | None, seconds: float) -> Picture:
    try:
        data = b64decode(text, validate=True)
    except binascii.Error as exc:
        raise not_understood(text[:200].encode()) from exc
    size = dimensions(data)
    if size is None:
        raise EngineError(
            "What came is no image.",
            why="It does not begin as a PNG does.",
            evidence=repr(data[:16]),
            next_step="ttctl logs --tail 50",
        )
    width, height = size
    return Picture(
        image=number, data=data, width=width, height=height, seed=seed, seconds=round(seconds, 3)
    )


def _understood(raw: bytes) -> _Event:
    try:
        return _Event.model_validate_json(raw)
    except ValidationError as exc:
        raise not_understood(raw) from exc


def _refused(request: ImageRequest, status: int, raw: bytes) -> TtctlError:
    try:
        field, message = field_in(json.loads(raw))
    except ValueError:
        field, message = "", ""
    if status in FIELD_STATUSES and field in dict(request.body):
        return refusal(request, field, message)
    return refused(status, raw)
