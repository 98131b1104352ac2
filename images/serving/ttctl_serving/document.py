# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI documents of our servers have in common. Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SECURITY: Json = {"key": {"type": "http", "scheme": "bearer"}}
NEEDS_KEY: list[Json] = [{"key": []}]
WRONG_KEY = "The key is missing or wrong."
_TEXT: Json = {"type": "string"}
_MAYBE: Json = {"type": ["string", "null"]}


def closed(fields: Json, *, optional: tuple[str, ...] = ()) -> Json:
    """Return the schema of an object that has these fields and no others."""
    required = [name for name in fields if name not in optional]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": fields,
    }


ERROR = closed(
    {"error": closed({"message": _TEXT, "type": _TEXT, "param": _MAYBE, "code": _MAYBE})}
)
"""Source: OpenAI's API reference, "Errors"."""
MODELS = closed(
    {
        "object": {"const": "list"},
        "data": {
            "type": "array",
            "items": closed(
                {
                    "id": _TEXT,
                    "object": {"const": "model"},
                    "created": {"type": "integer"},
                    "owned_by": _TEXT,
                }
            ),
        },
    }
)
"""Source: OpenAI's API reference, "List models"."""
_RETRY: Json = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
}


def events(names: tuple[str, ...]) -> Json:
    """Return the schema of one server-sent event; before OpenAPI 3.2 that stands for the stream."""
    data = {**_TEXT, "contentMediaType": "application/json"}
    return closed({"event": {"enum": list(names)}, "data": data})


def refusals(said: dict[int, str]) -> Json:
    """Return the answers that are errors, by status."""
    error = {"$ref": "#/components/schemas/Error"}
    answers: Json = {
        str(status): {"description": text, "content": {"application/json": {"schema": error}}}
        for status, text in said.items()
    }
    if "503" in answers:
        answers["503"]["headers"] = _RETRY
    return answers


def about_itself(*, health: Json, metrics_need_key: bool) -> Json:
    """Return the paths that every server has.

    Args:
        health: Schema of what `/health` says.
    """
    models = {"$ref": "#/components/schemas/Models"}
    ready = {"description": "It answers requests.", "content": _json(health)}
    not_ready = {"description": "Not yet, or not any more.", "content": _json(health)}
    return {
        "/v1/models": _get("The model's name, as OpenAI's clients ask", _json(models), key=True),
        "/health": {
            "get": {
                "summary": "Whether requests are answered",
                "responses": {"200": ready, "503": not_ready},
            }
        },
        "/metrics": _get(
            "Numbers for Prometheus", {"text/plain": {"schema": _TEXT}}, key=metrics_need_key
        ),
    }


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _get(summary: str, content: Json, *, key: bool) -> Json:
    responses = {"200": {"description": summary, "content": content}}
    if not key:
        return {"get": {"summary": summary, "responses": responses}}
    responses |= refusals({401: WRONG_KEY})
    return {"get": {"summary": summary, "responses": responses, "security": NEEDS_KEY}}
