# SPDX-License-Identifier: Apache-2.0
"""Reads a request as the media server of a release does, and answers in its shape.

What is wrong with a field is said as FastAPI says it.

Source: tenstorrent/tt-inference-server:tt-media-server/{domain,open_ai_api}, at the tags v0.5.0 to
v0.20.0.
"""

from __future__ import annotations

import io
import json
import wave
from dataclasses import dataclass
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

from tests.standins.servers.answers import PIXEL

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
GUIDANCE_OPTIONAL_SINCE = (0, 13)
JOB = "video-1"
MOVIE = b"\x00\x00\x00\x18ftypmp42stand-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came."""

    release: tuple[int, ...]
    model: str
    content_type: str
    body: bytes

    @property
    def fields(self) -> Json:
        """Return what it says; of a form, the texts of its fields and the lengths of its files."""
        if "multipart/form-data" in self.content_type:
            return _form(self.content_type, self.body)
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


def answered(kind: str, asked: Asked) -> Said | None:
    """Return what a server of a kind answers; None where the kind has no shape of its own."""
    known = _KINDS.get(kind)
    return known(asked) if known else None


def looked_up(path: str) -> Said | None:
    """Return what a GET of the one job of a video gives, or of what came of it."""
    if path.endswith(f"/generations/{JOB}"):
        return _json({**_JOB, "status": "completed"})
    if path.endswith(f"/generations/{JOB}/download"):
        return Said(body=MOVIE, content_type="video/mp4")
    return None


_JOB = {"id": JOB, "job_type": "video", "status": "queued", "created_at": 1, "model": "stand-in"}


def _image(asked: Asked) -> Said:
    said = asked.fields
    wanted = ["prompt"]
    if asked.release < GUIDANCE_OPTIONAL_SINCE:
        wanted.append("guidance_scale")
    bounds = {
        "guidance_scale": (1.0, 20.0),
        "num_inference_steps": (12, 50),
        "number_of_images": (1, 4),
    }
    wrong = _missing(said, *wanted) or _beyond(said, bounds)
    if not wrong and said.get("image_return_format", "PNG") not in {"JPEG", "PNG"}:
        wrong = _wrong("image_return_format", "Value error, it must be 'JPEG' or 'PNG'")
    count = int(said.get("number_of_images", 1))
    return wrong or _json({"images": [PIXEL] * count, "generation_time": 0.1})


def _audio(asked: Asked) -> Said:
    if "file" not in asked.fields:
        return _json({"detail": "Use either multipart/form-data or application/json"}, 400)
    return _json({"text": "stand-in", "duration": 1.0, "task": "transcribe", "language": "en"})


def _speech(asked: Asked) -> Said:
    heard = io.BytesIO()
    with wave.open(heard, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(b"\0\0" * 16)
    wrong = _missing(asked.fields, "text")
    return wrong or Said(body=heard.getvalue(), content_type="audio/wav")


def _embedding(asked: Asked) -> Said:
    said = asked.fields
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    whole = {"object": "list", "model": said.get("model"), "data": data, "usage": usage}
    return _missing(said, "input", "model") or _json(whole)


def _video(asked: Asked) -> Said:
    said = asked.fields
    wrong = _missing(said, "prompt") or _beyond(said, {"num_inference_steps": (12, 50)})
    return wrong or _json({**_JOB, "request_parameters": said}, 202)


_KINDS: dict[str, Callable[[Asked], Said]] = {
    "image": _image,
    "audio": _audio,
    "speech": _speech,
    "embedding": _embedding,
    "video": _video,
}


def _form(content_type: str, body: bytes) -> Json:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    found: Json = {}
    for part in BytesParser().parsebytes(head + body).walk():
        name = part.get_param("name", header="content-disposition")
        text = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(text, bytes):
            found[name] = len(text) if part.get_filename() else text.decode()
    return found


def _missing(said: Json, *names: str) -> Said | None:
    absent = [name for name in names if said.get(name) is None]
    return _wrong(absent[0], "Field required") if absent else None


def _beyond(said: Json, bounds: dict[str, tuple[float, float]]) -> Said | None:
    for name, (low, high) in bounds.items():
        value = said.get(name)
        if value is not None and value < low:
            return _wrong(name, f"Input should be greater than or equal to {low}")
        if value is not None and value > high:
            return _wrong(name, f"Input should be less than or equal to {high}")
    return None


def _wrong(name: str, message: str) -> Said:
    return _json({"detail": [{"loc": ["body", name], "msg": message}]}, 422)


def _json(value: object, status: int = 200) -> Said:
    return Said(body=json.dumps(value, separators=(",", ":")).encode(), status=status)
