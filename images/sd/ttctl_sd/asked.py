# SPDX-License-Identifier: Apache-2.0
"""What does a request to `/v1/images/generations` ask for, and may it? Pure.

OpenAI's fields, and those that diffusion has beside them: `steps` (or `num_inference_steps`),
`seed`, `guidance` (or `guidance_scale`) and `negative_prompt`.

Source: OpenAI's API reference, "Create image", for the fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ttctl_sd.drawing import Abilities

SEEDS = 2**32
OTHER_NAMES = {"num_inference_steps": "steps", "guidance_scale": "guidance"}
"""The names of diffusers and of Tenstorrent's media server, to ours.

Source: tenstorrent/tt-inference-server, tt-media-server/domain/image_generate_request.py.
"""
WITHOUT_EFFECT = frozenset(
    {
        "background", "moderation", "output_compression", "partial_images", "quality", "style",
        "user",
    }
)  # fmt: skip
"""OpenAI's fields that say nothing to a diffusion pipeline: taken, and not used."""
FIELDS = frozenset(
    {
        "prompt", "negative_prompt", "model", "n", "size", "steps", "guidance", "seed", "stream",
        "response_format", "output_format",
    }
)  # fmt: skip
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one request may ask for."""

    images: int = 4
    """Source: as `number_of_images` of tt-media-server/domain/image_generate_request.py."""
    steps: int = 50
    """Source: as `num_inference_steps` there."""
    guidance: float = 20.0
    """Source: as `guidance_scale` there."""
    side_px: int = 1024
    prompt_chars: int = 4000
    """Source: OpenAI's API reference, "Create image", `prompt` of dall-e-3."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one request asks for, complete and allowed."""

    prompt: str
    negative_prompt: str
    images: int
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    """Of the first image; each further one has the next."""
    stream: bool
    as_url: bool


def asked(
    body: object,
    *,
    served: str,
    abilities: Abilities,
    limits: Limits,
    any_seed: Callable[[], int],
) -> Asked:
    """Read a request's JSON.

    Args:
        served: The model's name.
        any_seed: Gives a seed where the request has none.

    Raises:
        RefusedError: A field is unknown, of another type, or out of its range.
    """
    fields = _fields(body)
    _check_model(fields.get("model", served), served)
    if fields.get("output_format", "png") != "png":
        raise _refused("output_format", "Only 'png' is drawn.")
    width, height = _size(fields.get("size", "auto"), abilities, limits)
    steps = min(abilities.default_steps, limits.steps)
    seed = fields.get("seed")
    return Asked(
        prompt=_prompt(fields, limits),
        negative_prompt=_negative(fields, abilities, limits),
        images=_whole(fields, "n", 1, 1, limits.images),
        width=width,
        height=height,
        steps=_whole(fields, "steps", steps, 1, limits.steps),
        guidance=_guidance(fields, abilities, limits),
        seed=any_seed() % SEEDS if seed is None else _whole(fields, "seed", 0, 0, SEEDS - 1),
        stream=_flag(fields, "stream"),
        as_url=_one_of(fields, "response_format", ("b64_json", "url")) == "url",
    )


def _fields(body: object) -> dict[str, Any]:
    """Return what is set, by our names; `null` is as if it were left out."""
    if not isinstance(body, dict):
        raise RefusedError("The body must be a JSON object.")
    fields: dict[str, Any] = {}
    for name, value in body.items():
        ours = OTHER_NAMES.get(name, name)
        if ours not in FIELDS | WITHOUT_EFFECT:
            raise _refused(name[:64], f"Unknown parameter: {name[:64]!r}.", "unknown_parameter")
        if value is None or ours in WITHOUT_EFFECT:
            continue
        if ours in fields and not _same(fields[ours], value):
            raise _refused(ours, f"{ours!r} is given twice, with two values.")
        fields[ours] = value
    return fields


def _same(one: object, other: object) -> bool:
    """Return whether two values of JSON are equal; to Python false is 0, too."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _refused(param: str, message: str, code: str = "invalid_value") -> RefusedError:
    return RefusedError(message, param=param, code=code)


def _check_model(model: object, served: str) -> None:
    if model == served:
        return
    text = f"The model {model[:128]!r} does not exist." if isinstance(model, str) else ""
    if not text:
        raise _refused("model", "'model' must be a string.", "invalid_type")
    raise RefusedError(
        f"{text} This server has {served!r}.", param="model", code="model_not_found", status=404
    )


def _text(fields: Mapping[str, Any], name: str, limits: Limits) -> str:
    text = fields.get(name, "")
    if not isinstance(text, str):
        raise _refused(name, f"{name!r} must be a string.", "invalid_type")
    if len(text) > limits.prompt_chars:
        raise _refused(
            name,
            f"{name!r} has {len(text)} characters; the most is {limits.prompt_chars}.",
            "string_above_max_length",
        )
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise _refused(name, f"{name!r} holds half a character (a lone surrogate).") from exc
    return text


def _prompt(fields: Mapping[str, Any], limits: Limits) -> str:
    if "prompt" not in fields:
        raise _refused("prompt", "'prompt' is missing.", "missing_required_parameter")
    text = _text(fields, "prompt", limits)
    if not text.strip():
        raise _refused("prompt", "'prompt' is empty.")
    return text


def _negative(fields: Mapping[str, Any], abilities: Abilities, limits: Limits) -> str:
    text = _text(fields, "negative_prompt", limits)
    if text and not abilities.negative_prompt:
        raise _refused("negative_prompt", "This model takes no negative prompt.")
    return text


def _whole(fields: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = fields.get(name, default)
    if isinstance(value, float) and value.is_integer():
        # JSON knows one kind of number: 8.0 is 8.
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refused(name, f"{name!r} must be a whole number.", "invalid_type")
    if not least <= value <= most:
        raise _refused(name, f"{name!r} must be from {least} to {most}.")
    return value


def _guidance(fields: Mapping[str, Any], abilities: Abilities, limits: Limits) -> float:
    if "guidance" not in fields:
        return abilities.default_guidance
    value = fields["guidance"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refused("guidance", "'guidance' must be a number.", "invalid_type")
    if not 0 <= value <= limits.guidance:
        raise _refused("guidance", f"'guidance' must be from 0 to {limits.guidance:g}.")
    if value != abilities.default_guidance and not abilities.guidance:
        raise _refused(
            "guidance", f"This model's guidance is fixed at {abilities.default_guidance:g}."
        )
    return float(value)


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise _refused(name, f"{name!r} must be true or false.", "invalid_type")
    return value


def _one_of(fields: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = fields.get(name, allowed[0])
    if value not in allowed:
        raise _refused(name, f"{name!r} must be one of {', '.join(map(repr, allowed))}.")
    return str(value)


def _size(size: object, abilities: Abilities, limits: Limits) -> tuple[int, int]:
    if size == "auto":
        return abilities.default_size
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if not found:
        raise _refused("size", "'size' must be as '512x512', or 'auto'.")
    width, height = int(found[1]), int(found[2])
    if abilities.sizes:
        if (width, height) not in abilities.sizes:
            known = ", ".join(f"{one}x{other}" for one, other in abilities.sizes)
            raise _refused("size", f"This model draws {known} and no other size.")
        return width, height
    for side in (width, height):
        if side % abilities.multiple or not abilities.multiple <= side <= limits.side_px:
            raise _refused(
                "size",
                f"Each side must be a multiple of {abilities.multiple} pixels, and at most "
                f"{limits.side_px}.",
            )
    return width, height
