# SPDX-License-Identifier: Apache-2.0
"""What the server's paths take and say, as OpenAPI. The reader of requests is asked.py. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ttctl_sd.asked import SEEDS, WITHOUT_EFFECT
from ttctl_serving.document import (
    ERROR,
    NEEDS_KEY,
    SECURITY,
    WRONG_KEY,
    about_itself,
    closed,
    events,
    refusals,
)
from ttctl_serving.document import (
    MODELS as MODELS_SCHEMA,
)

if TYPE_CHECKING:
    from ttctl_sd.asked import Limits

GENERATIONS = "/v1/images/generations"
MODELS = "/v1/models"
STATES = ("loading", "ready", "failing", "stopping", "broken")
LEFT_OUT = "left out: what drawing.json beside the weights says, else the pipeline's own"
ERRORS = {
    400: "A field is wrong.",
    401: WRONG_KEY,
    404: "There is no such model.",
    408: "The body did not arrive in time.",
    413: "The body is longer than 131072 bytes.",
    500: "The pipeline failed.",
    503: "It loads, it stops, too many wait, or too many long bodies are read (try again after "
    "Retry-After seconds).",
}


def fields(limits: Limits) -> dict[str, Any]:
    """Return what a request for images holds, by name; `null` is as if it were left out."""
    whole = {"type": ["integer", "null"], "minimum": 1}
    steps = {**whole, "maximum": limits.steps, "description": LEFT_OUT}
    guidance = {
        "type": ["number", "null"], "minimum": 0, "maximum": limits.guidance,
        "description": LEFT_OUT,
    }  # fmt: skip
    text = {"type": ["string", "null"], "maxLength": limits.prompt_chars}
    return {
        "prompt": {**text, "type": "string", "minLength": 1, "pattern": r"\S"},
        "negative_prompt": {**text, "description": "what shall not be seen"},
        "model": {"type": ["string", "null"]},
        "n": {**whole, "maximum": limits.images, "default": 1},
        "size": {
            "type": ["string", "null"],
            "pattern": "^(auto|[1-9][0-9]{0,4}x[1-9][0-9]{0,4})$",
            "default": "auto",
            "description": "sides that the pipeline draws; a refusal says which",
        },
        "steps": steps,
        "num_inference_steps": {**steps, "description": "the same as steps"},
        "guidance": guidance,
        "guidance_scale": {**guidance, "description": "the same as guidance"},
        "seed": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": SEEDS - 1,
            "description": "of the first image; each further one has the next",
        },
        "stream": {
            "type": ["boolean", "null"],
            "default": False,
            "description": "progress and images as server-sent events",
        },
        "response_format": {"enum": ["b64_json", "url", None], "default": "b64_json"},
        "output_format": {"enum": ["png", None], "default": "png"},
        **{name: {"description": "without effect"} for name in sorted(WITHOUT_EFFECT)},
    }


def openapi(served: str, limits: Limits) -> dict[str, Any]:
    """Return the document of a server."""
    body = {"application/json": {"schema": closed(fields(limits)) | {"required": ["prompt"]}}}
    drawn = {
        "description": "The images; as events, the last of an image `completed`, if it streams.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Images"}},
            "text/event-stream": {
                "schema": events(
                    ("image_generation.progress", "image_generation.completed", "error")
                )
            },
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"ttctl sd: {served}", "version": "1"},
        "paths": {
            GENERATIONS: {
                "post": {
                    "summary": "Draw images from words.",
                    "requestBody": {"required": True, "content": body},
                    "responses": {"200": drawn, **refusals(ERRORS)},
                    "security": NEEDS_KEY,
                }
            },
            **about_itself(
                health=closed({"status": {"enum": list(STATES)}}), metrics_need_key=False
            ),
        },
        "components": {
            "securitySchemes": SECURITY,
            "schemas": {"Images": _images(), "Error": ERROR, "Models": MODELS_SCHEMA},
        },
    }


def _images() -> dict[str, Any]:
    whole, text = {"type": "integer"}, {"type": "string"}
    one = {"b64_json": text, "url": text, "seed": whole}
    return closed(
        {
            "created": whole,
            "background": {"const": "opaque"},
            "output_format": {"const": "png"},
            "size": {"type": "string", "pattern": "^[0-9]+x[0-9]+$"},
            "data": {
                "type": "array",
                "minItems": 1,
                "items": closed(one, optional=("b64_json", "url")),
            },
        }
    )
