# SPDX-License-Identifier: Apache-2.0
"""How is a service asked for images, and what is in its answer? Pure.

Two shapes: ours is OpenAI's, with diffusion's own fields; Tenstorrent's media server has other
names and no size. The second one was not yet run on a card.

Source: tenstorrent/tt-inference-server, tt-media-server/domain/image_generate_request.py and its
README, release 0.20.0; and the former at the tags from v0.5.0 on.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.picture import ImageRequest
from ttctl.rules.parts import parts_of
from ttctl.rules.talk import encodable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.lock import Lock
    from ttctl.model.picture import Shape, Wanted
    from ttctl.rules.parts import Part

PATH = "/v1/images/generations"
"""Of both; images of the media server before 0.10.0 have another, which the gateway puts in."""
MEDIA_CONTRACTS = frozenset({"media", "media-cpp", "forge"})
DRAWING = frozenset({"sd"})
"""Engines that draw whatever they serve."""
PERHAPS_DRAWING = frozenset({"media", "forge"})
"""Engines that draw where their model is one for images."""
MEDIA_GUIDANCE = 5.0
"""What the media server takes where nothing is said, since 0.13.0; before, it has to be said."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD_BYTES = 24
"""Up to the height: the signature, a length, `IHDR`, two numbers.

Source: https://www.w3.org/TR/png-3/#11IHDR
"""

Body = tuple[tuple[str, str | int | float | bool], ...]


def shape_of(contract: str) -> Shape:
    """Return how a server that is launched by this contract wants to be asked."""
    return "media" if contract in MEDIA_CONTRACTS else "openai"


def drawing_parts(lock: Lock, *, draws: Callable[[str], bool]) -> tuple[Part, ...]:
    """Return the engines of a stack that draw.

    Args:
        lock: What the stack was resolved to.
        draws: Says of a model whether it draws from words; asked where its engine serves others.
    """
    return tuple(
        part
        for part in parts_of(lock)
        if part.engine in DRAWING or (part.engine in PERHAPS_DRAWING and draws(part.model))
    )


def request_of(wanted: Wanted, *, model: str, shape: Shape, base: str = "") -> ImageRequest:
    """Return what a server is asked; `base` stands before its paths.

    Raises:
        UsageError: The prompt is empty, or the server cannot be asked for this.
    """
    if not wanted.prompt.strip():
        raise UsageError(
            "There is nothing to draw.",
            why="The prompt is empty.",
            next_step='ttctl image "a red circle" -o out.png',
        )
    if wanted.guidance is not None and not isfinite(wanted.guidance):
        raise UsageError(
            f"{wanted.guidance} is no guidance.",
            why="It is a number that tells how closely the prompt is followed.",
            next_step="ttctl image --help",
        )
    streams = shape == "openai"
    body = _openai(wanted, model) if streams else _media(wanted)
    return ImageRequest(
        path=f"{base}{PATH}",
        body=tuple((name, value) for name, value in body if value not in {None, ""}),
        images=wanted.images,
        streams=streams,
    )


def _openai(wanted: Wanted, model: str) -> list[tuple[str, str | float | bool | None]]:
    return [
        ("model", model),
        ("prompt", encodable(wanted.prompt)),
        ("negative_prompt", encodable(wanted.negative_prompt)),
        ("n", wanted.images),
        ("size", wanted.size),
        ("steps", wanted.steps),
        ("seed", wanted.seed),
        ("guidance", wanted.guidance),
        ("response_format", "b64_json"),
        ("stream", True),
    ]


def _media(wanted: Wanted) -> list[tuple[str, str | float | bool | None]]:
    if wanted.size:
        raise UsageError(
            "This stack's server takes no size.",
            why="The media server draws each model's own size alone.",
            evidence=f"Asked for: {wanted.size}.",
            next_step="ttctl image --help",
        )
    return [
        ("prompt", encodable(wanted.prompt)),
        ("negative_prompt", encodable(wanted.negative_prompt)),
        ("number_of_images", wanted.images),
        ("num_inference_steps", wanted.steps),
        ("seed", wanted.seed),
        ("guidance_scale", MEDIA_GUIDANCE if wanted.guidance is None else wanted.guidance),
        ("image_return_format", "PNG"),
    ]


def images_in(answer: object) -> tuple[tuple[str, int | None], ...]:
    """Return (base64, seed) of each image in an answer that came at once; none where it is other.

    The media server says `images`, OpenAI's API `data` with `b64_json`.
    """
    if not isinstance(answer, dict):
        return ()
    found = answer.get("images")
    if isinstance(found, list):
        return tuple((one, None) for one in found if isinstance(one, str))
    data = answer.get("data")
    listed = data if isinstance(data, list) else []
    return tuple(
        (one["b64_json"], one.get("seed"))
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("b64_json"), str)
    )


def dimensions(png: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG in pixels, None where it is none."""
    if not png.startswith(SIGNATURE) or len(png) < HEAD_BYTES or png[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", png[16:HEAD_BYTES])
    return width, height
