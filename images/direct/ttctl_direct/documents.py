# SPDX-License-Identifier: Apache-2.0
"""What the service says of itself: its OpenAPI document, and a page made from it. Pure."""

from __future__ import annotations

from typing import Any

from ttctl_direct.asked import (
    LONGEST_BODY,
    LONGEST_STOP,
    MOST_MESSAGES,
    MOST_STOPS,
    MOST_TOKENS,
    ROLES,
    SEEDS,
    Asked,
    Sampling,
)
from ttctl_serving.document import (
    ERROR,
    MODELS,
    NEEDS_KEY,
    SECURITY,
    WRONG_KEY,
    about_itself,
    closed,
    events,
    refusals,
)

Json = dict[str, Any]
ERRORS = {
    400: "The request is not as it must be; the error names the field.",
    401: WRONG_KEY,
    408: "The body did not arrive in time.",
    413: f"The body is longer than {LONGEST_BODY} bytes.",
    503: "Too many wait, or too many long bodies are read (try again after Retry-After seconds); "
    "or the model does not answer.",
}

_PLAIN = Sampling()
_MESSAGE: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["role", "content"],
    "properties": {
        "role": {"enum": list(ROLES)},
        "content": {"type": "string", "minLength": 1},
    },
}
_WORDS: Json = {"type": "string", "minLength": 1, "maxLength": LONGEST_STOP}
_FIELDS: Json = {
    "prompt": {"type": ["string", "null"], "minLength": 1, "description": "One question."},
    "messages": {
        "type": ["array", "null"], "items": _MESSAGE, "minItems": 1, "maxItems": MOST_MESSAGES,
        "description": "A conversation, in place of a prompt: objects of role and content.",
    },
    "temperature": {
        "type": ["number", "null"], "minimum": 0, "maximum": 2, "default": _PLAIN.temperature,
        "description": "0 always takes the likeliest token.",
    },
    "top_p": {
        "type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1, "default": _PLAIN.top_p,
        "description": "Draw from the likeliest that make up this much probability.",
    },
    "top_k": {
        "type": ["integer", "null"], "minimum": 0, "maximum": MOST_TOKENS,
        "default": _PLAIN.top_k, "description": "Draw from so many of the likeliest; 0: all.",
    },
    "max_tokens": {
        "type": ["integer", "null"], "minimum": 1, "maximum": MOST_TOKENS,
        "default": Asked.max_tokens, "description": "Tokens of the answer at most.",
    },
    "stop": {
        "anyOf": [_WORDS, {"type": "array", "items": _WORDS, "maxItems": MOST_STOPS},
                  {"type": "null"}],
        "description": "The answer ends before any of these texts.",
    },
    "seed": {
        "type": ["integer", "null"], "minimum": 0, "maximum": SEEDS - 1,
        "description": "Equal seeds give equal answers.",
    },
    "stream": {
        "type": ["boolean", "null"], "default": False,
        "description": "Send the answer as server-sent events while it is computed.",
    },
}  # fmt: skip


def openapi(*, model: str, context: int) -> Json:
    """Return the OpenAPI document of a server that serves `model`."""
    answer = {"$ref": "#/components/schemas/Answer"}
    done = {
        "description": "The answer; as events `text`, then one `end` or `error`, if it streams.",
        "content": {
            "application/json": {"schema": answer},
            "text/event-stream": {"schema": events(("text", "end", "error"))},
        },
    }
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}
    health = closed({"status": {"enum": ["ok", "stopping", "failed"]}, "model": {"type": "string"}})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"ttctl direct: {model}",
            "version": "1",
            "description": f"One model in memory, {context} tokens of prompt and answer together.",
        },
        "paths": {
            "/chat": {
                "post": {
                    "summary": "Answer a prompt or a conversation",
                    "operationId": "chat",
                    "requestBody": {"required": True, "content": body},
                    "responses": {"200": done, **refusals(ERRORS)},
                    "security": NEEDS_KEY,
                }
            },
            **about_itself(health=health, metrics_need_key=True),
        },
        "components": {
            "securitySchemes": SECURITY,
            "schemas": {"Asked": _asked(), "Answer": _answer(), "Error": ERROR, "Models": MODELS},
        },
    }


def _asked() -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": _FIELDS,
        "oneOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
            for name in ("prompt", "messages")
        ],
    }


def _answer() -> Json:
    whole, number = {"type": "integer"}, {"type": ["number", "null"]}
    fields = {
        "model": {"type": "string"},
        "text": {"type": "string"},
        "finish": {"enum": ["stop", "length"]},
        "prompt_tokens": whole,
        "tokens": whole,
        "tokens_per_second": number,
        "time_to_first_token_s": number,
        "queued_s": number,
    }
    return closed(fields)
