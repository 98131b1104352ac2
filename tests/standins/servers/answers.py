# SPDX-License-Identifier: Apache-2.0
"""The bodies of a stand-in's answers, in the shapes that the real servers give."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.standins.servers.faults import most_read

Json = dict[str, Any]
WORDS = ("one", "two", "three")
PIXEL = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"
    b":~\x9bU\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND"
    b"\xaeB`\x82"
).decode()
ROUTES = {
    "chat": ("/v1/chat/completions", "/v1/completions"),
    "image": ("/v1/images/generations", "/v1/images/edits"),
    "audio": ("/v1/audio/transcriptions",),
    "embedding": ("/v1/embeddings",),
    "speech": ("/v1/audio/speech",),
    "video": ("/v1/videos/generations",),
    "cnn": ("/v1/cnn/search-image",),
}
OLD_PATHS = {
    "/v1/images/": "/image/",
    "/v1/audio/": "/audio/",
    "/v1/videos/": "/video/",
    "/v1/cnn/": "/cnn/",
}
"""Source: tenstorrent/tt-inference-server:tt-media-server/open_ai_api/__init__.py@v0.9.0."""


def routes(kind: str, *, old: bool) -> tuple[str, ...]:
    """Return the paths that take a POST for a kind of model."""
    return tuple(_old(path) if old else path for path in ROUTES[kind])


def _old(path: str) -> str:
    for new, before in OLD_PATHS.items():
        path = path.replace(new, before)
    return path


def models(model: str) -> Json:
    """Return the list of the one model."""
    return {"object": "list", "data": [{"id": model, "object": "model", "owned_by": "stand-in"}]}


def answer(path: str, asked: Json, model: str) -> Json:
    """Return what a POST to one of the routes gives."""
    match path.rpartition("/")[2]:
        case "completions":
            return _completion(path, asked, model)
        case "generations" if "image" in path:
            return {"images": [PIXEL], "generation_time": 0.1}
        case "transcriptions":
            return {"text": "stand-in", "language": "en"}
        case "embeddings":
            rows = asked.get("input", "")
            count = len(rows) if isinstance(rows, list) else 1
            data = [{"object": "embedding", "index": at, "embedding": [0.0]} for at in range(count)]
            return {"object": "list", "model": model, "data": data}
    return {"model": model}


def stream(model: str) -> list[bytes]:
    """Return the events of a chat that is streamed."""
    chunks = [
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}],
        }
        for word in WORDS
    ]
    return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


def _read(asked: Json) -> int:
    """Return how many words of a prompt are read: what a real one counts as tokens is no fewer."""
    said = asked.get("messages") or [{"content": asked.get("prompt", "")}]
    words = sum(len(str(one.get("content", "")).split()) for one in said)
    return most_read(words)


def _completion(path: str, asked: Json, model: str) -> Json:
    text = " ".join(WORDS)
    chat = "chat" in path
    read = _read(asked)
    said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", **said}],
        "usage": {"prompt_tokens": read, "completion_tokens": 3, "total_tokens": read + 3},
    }
