# SPDX-License-Identifier: Apache-2.0
"""What is tried of a model, and asked to measure it? Pure.

Source: OpenAI's paths as vLLM serves them; for the media and forge servers
tenstorrent/tt-inference-server, tt-media-server/README.md@0127dd60e2a59c18f18eaf38710d01ae910217f1,
and in tt-media-server/domain image_search_request.py@1805a73d07b7c1c354dc249a9d739a07cd78ccd8,
text_to_speech_request.py@02b20ae1658031f54b59e8d150e87e49fd905641. Not yet run on a card.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ttctl.model.acceptance_kit import Question, Trial
from ttctl.rules.acceptance_media import base64_of, png, wav
from ttctl.rules.picture import MEDIA_GUIDANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.acceptance_kit import Expected
    from ttctl.model.spec import ModelSpec

COMPLETIONS = "/v1/completions"
CHAT = "/v1/chat/completions"
VIDEOS = "/v1/videos/generations"
TOGETHER = 8
SHORT, STREAMED, LONG_ANSWER = 16, 64, 512
"""Tokens that an answer may have."""
STOP_AFTER = 3
LONGEST_PROMPT = 16_384
"""Tokens of the long prompt at the most: two minutes are for all of the smoke."""
SIDE = 512
"""Pixels of a picture's side where the entry says none."""
SOUND_S = 5
FIRST_TOKEN = 1000
"""Token numbers from here on are words in every vocabulary of the catalog's models, which all
have more than 30,000."""
TOKEN_RANGE = 8000

ANSWERED = "an answer"
STREAM = "a streamed answer"
LONG = "a long prompt"
EIGHT = "eight at once"
STOPPED = "a stopped answer"
AFTER = "an answer after a stopped one"


def trials(spec: ModelSpec) -> tuple[Trial, ...]:
    """Return what is tried of a model, in order; nothing where its kind is not known."""
    match spec.type:
        case "LLM":
            return _talk(spec, first=_completion(spec, SHORT))
        case "VLM":
            return _talk(spec, first=_picture_question(spec, SIDE, SIDE, SHORT))
        case _:
            return tuple(
                Trial(name=ANSWERED, questions=(question,), expected=expected)
                for question, expected in _media(spec)
            )


def service_path(spec: ModelSpec) -> str:
    """Return the path of what a model is for, empty where it talks or its kind is not known."""
    media = () if spec.type in {"LLM", "VLM"} else _media(spec)
    return next((question.path for question, _ in media), "")


def measured(spec: ModelSpec, *, shape: str, number: int) -> tuple[Question, Expected] | None:
    """Return one request of a measurement, None where none of this kind can be asked.

    Args:
        spec: The entry.
        shape: `128/128 512x512` of one of its targets.
        number: Of the request: each prompt differs, so that none comes from a cache.
    """
    sizes = re.search(r"(\d+)/(\d+)", shape)
    picture = re.search(r"(\d+)x(\d+)", shape)
    if spec.type in {"LLM", "VLM"}:
        read, written = (int(sizes[1]), int(sizes[2])) if sizes else (128, 128)
        if picture:
            width, height = int(picture[1]), int(picture[2])
            return _picture_question(spec, width, height, written, exact=True), "text"
        if spec.engine == "vllm":
            return _tokens(spec, read, written, number=number), "text"
        return _completion(spec, written, words=read, stream=True, number=number), "text"
    return next(iter(_media(spec)), None)


def _talk(spec: ModelSpec, *, first: Question) -> tuple[Trial, ...]:
    words = min(spec.limits.max_model_len // 2, LONGEST_PROMPT)
    eight = tuple(
        _completion(spec, SHORT, stream=True, number=number) for number in range(TOGETHER)
    )
    return (
        Trial(name=ANSWERED, questions=(first,), expected="text"),
        Trial(name=STREAM, questions=(_completion(spec, STREAMED, stream=True),), expected="text"),
        Trial(
            name=LONG,
            questions=(_completion(spec, SHORT, words=words - SHORT),),
            expected="text",
            # A word is a token or more; a server that cuts prompts tells half of it.
            prompt_tokens=(words - SHORT) * 3 // 4,
        ),
        Trial(name=EIGHT, questions=eight, expected="text"),
        Trial(
            name=STOPPED,
            questions=(_completion(spec, LONG_ANSWER, stream=True, stop_after=STOP_AFTER),),
            expected="text",
        ),
        Trial(name=AFTER, questions=(_completion(spec, SHORT),), expected="text"),
    )


def _completion(
    spec: ModelSpec,
    tokens: int,
    *,
    words: int = 0,
    stream: bool = False,
    stop_after: int = 0,
    number: int = 0,
) -> Question:
    """Return a question in words; a model for pictures gets it as a conversation."""
    filling = " ".join(["card"] * max(0, words - 12))
    prompt = f"{number}. {filling} Count from one to one hundred in words: one, two,"
    if spec.type == "VLM":
        messages = [{"role": "user", "content": prompt}]
        body: dict[str, object] = {"model": spec.model, "messages": messages}
        path = CHAT
    else:
        body = {"model": spec.model, "prompt": prompt}
        path = COMPLETIONS
    return _asked(path, body, tokens, stream=stream, stop_after=stop_after)


def _tokens(spec: ModelSpec, read: int, written: int, *, number: int) -> Question:
    """Return a prompt of exactly `read` tokens whose answer has exactly `written`."""
    prompt = [FIRST_TOKEN + (number * 7919 + at * 31) % TOKEN_RANGE for at in range(read)]
    body = {"model": spec.model, "prompt": prompt, "ignore_eos": True}
    return _asked(COMPLETIONS, body, written, stream=True)


def _picture_question(
    spec: ModelSpec, width: int, height: int, tokens: int, *, exact: bool = False
) -> Question:
    url = f"data:image/png;base64,{base64_of(png(width, height))}"
    parts = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "Describe the colours of this picture at length."},
    ]
    body: dict[str, object] = {
        "model": spec.model,
        "messages": [{"role": "user", "content": parts}],
        **({"ignore_eos": True} if exact else {}),
    }
    return _asked(CHAT, body, tokens, stream=exact)


def _asked(
    path: str, body: Mapping[str, object], tokens: int, *, stream: bool, stop_after: int = 0
) -> Question:
    whole = {**body, "max_tokens": tokens, "temperature": 0}
    if stream:
        whole |= {"stream": True, "stream_options": {"include_usage": True}}
    return Question(
        path=path,
        body=_json(whole),
        stream=stream,
        stop_after=stop_after,
        most_tokens=tokens,
    )


def _media(spec: ModelSpec) -> tuple[tuple[Question, Expected], ...]:
    """Return what the media and forge servers are asked, by the kind of model."""
    if spec.type == "IMAGE":
        return (_image(spec),)
    known: dict[str, tuple[str, dict[str, object], Expected]] = {
        "EMBEDDING": (
            "/v1/embeddings",
            {"model": spec.model, "input": "A card computes."},
            "embedding",
        ),
        "AUDIO": (
            "/v1/audio/transcriptions",
            {"file": base64_of(wav(SOUND_S)), "stream": False},
            "transcript",
        ),
        "TEXT_TO_SPEECH": ("/v1/audio/speech", {"text": "A card computes."}, "sound"),
        "VIDEO": (VIDEOS, {"prompt": "Waves on a beach", "num_inference_steps": 20}, "job"),
        "CNN": ("/v1/cnn/search-image", {"prompt": base64_of(png(SIDE, SIDE))}, "labels"),
    }
    if spec.type not in known:
        return ()
    path, body, expected = known[spec.type]
    return ((Question(path=path, body=_json(body)), expected),)


def _image(spec: ModelSpec) -> tuple[Question, Expected]:
    name, picture = spec.model.lower(), base64_of(png(SIDE, SIDE))
    body: dict[str, object] = {
        "prompt": "A volcano on a beach",
        "num_inference_steps": 20,
        "guidance_scale": MEDIA_GUIDANCE,
        "seed": 0,
        "number_of_images": 1,
    }
    if "inpaint" in name:
        body |= {"image": picture, "mask": picture}
        return Question(path="/v1/images/edits", body=_json(body)), "picture"
    if "img-2-img" in name or "img2img" in name or "refiner" in name:
        body |= {"image": picture}
        return Question(path="/v1/images/image-to-image", body=_json(body)), "picture"
    return Question(path="/v1/images/generations", body=_json(body)), "picture"


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
