# SPDX-License-Identifier: Apache-2.0
"""Which task, family or model do people mean by a word that no catalog has? Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from ttctl.model.match import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL: Mapping[str, str] = MappingProxyType(
    {
        "asr": "audio",
        "speech-to-text": "audio",
        "stt": "audio",
        "transcribe": "audio",
        "transcription": "audio",
        "transcriptions": "audio",
        "text-to-speech": "speech",
        "tts": "speech",
        "embed": "embedding",
        "embeddings": "embedding",
        "images": "image",
        "text-to-image": "image",
        "text-to-video": "video",
        "videos": "video",
        "sd": "stable-diffusion",
        "sd3": "stable-diffusion-3.5-large",
        "sd3.5": "stable-diffusion-3.5-large",
        "sd-3.5": "stable-diffusion-3.5-large",
        "sdxl": "stable-diffusion-xl-base-1.0",
    }
)
"""What is typed, in lower case with hyphens, to the catalog's own word."""

_BETWEEN = re.compile(r"[\s_-]+")


def usual(word: str) -> str:
    """Return the catalog's own word for what was typed: `speech` for `text to speech`."""
    return USUAL.get(_BETWEEN.sub("-", word.strip().lower()), word)


def task_named(word: str) -> str:
    """Return the task that a word names, by its own name or a usual one; empty for none."""
    return next((one for one in (word, usual(word)) if one in TASKS), "")
