# SPDX-License-Identifier: Apache-2.0
"""Is what came an answer, and how fast was it? Pure; an answer is not believed, it is looked at."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import TYPE_CHECKING, Any

from ttctl.model.acceptance import Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.model.acceptance_kit import Answer, Expected, Question, Trial
    from ttctl.model.pins import Target

OK = 200
TAKEN = 202
"""A job was taken, as the media server says it."""
TOKENS = frozenset({"text", "vlm"})
"""Tasks whose speed for a user is tokens a second."""
ANSWERS = frozenset({"image", "video", "cnn"})
"""Tasks whose speed for a user is answers a second: entries name it as one over the time."""
SMALLEST = 64
"""Bytes below which a picture or a sound is none."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_SOUNDS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"\xff\xfb", b"\xff\xf3")


def why_not(trial: Trial, answers: Sequence[Answer], *, model: str) -> str:
    """Return why a trial did not pass, for the person at the machine; empty where it did."""
    if len(answers) != len(trial.questions):
        return f"{len(answers)} answers to {len(trial.questions)} questions"
    for question, answer in zip(trial.questions, answers, strict=True):
        if fault := fault_of(question, answer, trial.expected, model=model):
            return fault
        told = answer.prompt_tokens
        if trial.prompt_tokens and told is not None and told < trial.prompt_tokens:
            return f"of a prompt of {trial.prompt_tokens} tokens or more it read {told}"
    return ""


def fault_of(question: Question, answer: Answer, expected: Expected, *, model: str = "") -> str:
    """Return what is wrong with an answer, empty where nothing is."""
    if answer.problem:
        return answer.problem
    if answer.status not in ({OK, TAKEN} if expected == "job" else {OK}):
        return f"HTTP status {answer.status}"
    if question.most_tokens and (lie := _lie(question, answer)):
        return lie
    if question.stream:
        return "" if answer.pieces else "no text came"
    return _body(answer.body, expected, model)


def measured(task: str, answers: Sequence[Answer], *, faults: int, concurrency: int) -> Measured:
    """Return what requests of one speed took.

    Args:
        task: `text`, `image`, ... of the target.
        answers: Those without a fault.
        faults: Requests that had one.
        concurrency: Requests at the same moment.
    """
    count = len(answers) + faults
    if not answers:
        return Measured(requests=count, failed=faults)
    firsts = [one.first_s or one.seconds for one in answers]
    ttft_ms = 1000 * sum(firsts) / len(firsts)
    if task in TOKENS:
        each = [one for one in map(_token_s, answers) if one is not None]
        user = 1 / (sum(each) / len(each)) if each else None
    elif task in ANSWERS:
        user = len(answers) / sum(one.seconds for one in answers)
    else:
        # What entries count of speech and embeddings, the answers do not tell.
        user = None
    return Measured(
        requests=count,
        failed=faults,
        ttft_ms=ttft_ms,
        tput_user=user,
        tput=None if user is None else user * max(1, concurrency),
    )


def patience_s(targets: Sequence[Target], *, least_s: float, most_s: float) -> float:
    """Return how long one request of a measurement may take, s.

    As long as the lowest tier allows twice over, within the bounds: what is slower is below every
    tier, and its seconds are of no use.
    """
    wanted = max((_seconds(one) for one in targets), default=0.0)
    return min(most_s, max(least_s, 2 * wanted))


def job_of(answer: Answer) -> tuple[str, str]:
    """Return the id and the state of a job, both empty where an answer tells none."""
    try:
        value = json.loads(answer.body)
        return str(value["id"]), str(value.get("status", "")).lower()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""


def _seconds(target: Target) -> float:
    written = target.shape.partition("/")[2].partition(" ")[0]
    tokens = int(written) if written.isdigit() else 0
    return (target.ttft_ms or 0) / 1000 + (tokens / target.tput_user if target.tput_user else 0)


def _token_s(answer: Answer) -> float | None:
    """Return the mean time of a token after the first, None where it cannot be told."""
    span = answer.last_s - answer.first_s
    if answer.tokens is None or answer.tokens < 2 or answer.pieces < 2 or span <= 0:  # noqa: PLR2004 - two make a span
        return None
    return span / (answer.tokens - 1)


def _lie(question: Question, answer: Answer) -> str:
    """Return how an answer's own counts cannot be true, empty where they can."""
    tokens = answer.tokens
    if tokens is None:
        # Not every server counts: then no speed of tokens is judged.
        return ""
    if tokens > question.most_tokens:
        return f"it says {tokens} tokens, and {question.most_tokens} were allowed"
    if tokens < answer.pieces:
        return f"it says {tokens} tokens, and {answer.pieces} pieces of text came"
    return ""


def _body(raw: bytes, expected: Expected, model: str) -> str:
    if expected == "sound" and raw.startswith(_SOUNDS):
        return "" if len(raw) >= SMALLEST else "the sound is empty"
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return "the answer is no JSON"
    if not isinstance(value, dict):
        return "the answer is no object"
    said = value.get("model")
    if expected == "text" and model and isinstance(said, str) and said != model:
        return "another model answered"
    try:
        return "" if _HOLDS[expected](value) else f"the answer holds no {expected}"
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return f"the answer holds no {expected}"


def _text(value: dict[str, Any]) -> bool:
    choice = value["choices"][0]
    text = choice["text"] if "text" in choice else choice["message"]["content"]
    return isinstance(text, str) and bool(text.strip())


def _embedding(value: dict[str, Any]) -> bool:
    numbers = value["data"][0]["embedding"]
    return bool(numbers) and all(map(math.isfinite, numbers)) and len(set(numbers)) > 1


def _transcript(value: dict[str, Any]) -> bool:
    # A tone has no words in it: that there is a text is all that can be asked.
    return isinstance(value["text"], str)


def _sound(value: dict[str, Any]) -> bool:
    return _decoded(value["audio"]).startswith(_SOUNDS)


def _picture(value: dict[str, Any]) -> bool:
    found = value["images"][0] if "images" in value else value["data"][0]["b64_json"]
    data = _decoded(found)
    return data.startswith(_PICTURES) and len(data) >= SMALLEST


def _job(value: dict[str, Any]) -> bool:
    return isinstance(value["id"], str) and bool(value["id"])


def _labels(value: dict[str, Any]) -> bool:
    return value.get("status", "success") == "success" and isinstance(value["image_data"], list)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.partition(",")[2] or text, validate=True)
    except binascii.Error as exc:
        raise ValueError(text[:20]) from exc


_HOLDS: dict[Expected, Callable[[dict[str, Any]], bool]] = {
    "text": _text,
    "embedding": _embedding,
    "transcript": _transcript,
    "sound": _sound,
    "picture": _picture,
    "job": _job,
    "labels": _labels,
}
