# SPDX-License-Identifier: Apache-2.0
"""Which family is a model of, how large is it, and is it a base model? Pure, from its name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

_WORDS = re.compile(r"[a-z]+")
_PARTS = re.compile(r"[-_. /]+")
_SIZE = re.compile(r"(?<![a-z0-9.])(?:a)?(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])")
_GENERATION = re.compile(r"[a-z]-?v?(\d+(?:\.\d+)*)(?![\d.]*[bm](?![a-z]))")

_OF_TWO_WORDS = frozenset({"gpt", "stable", "z"})
"""First words that say nothing without the second: gpt-oss, stable-diffusion, z-image."""

_BRANCHES = {"qwq": "qwen", "speecht": "speecht5", "mobilenetv": "mobilenet"}
"""First words that are not the family: QwQ is Qwen's, and two names have a number or a `v` in them.

Source: https://huggingface.co/Qwen/QwQ-32B
"""

_STEMS = ("llama", "gemma", "whisper", "qwen", "mistral")
"""Families whose models others build on: medgemma, TinyLlama, distil-whisper."""

_INSTRUCT = frozenset({"instruct", "it", "chat"})
_FOR_SPEED = frozenset({"schnell", "turbo", "lightning", "fast", "flash", "distill", "distilled"})
"""Words for a model that was distilled to need fewer steps, with some loss.

Source: https://huggingface.co/black-forest-labs/FLUX.1-schnell
"""


@lru_cache(maxsize=4096)
def family_of(model: str) -> str:
    """Return `llama` for `meta-llama/Llama-3.1-8B`: the first word of the name, without numbers.

    A word that ends in the name of a family that others build on counts to it (`medgemma`).
    """
    owner, _, name = model.lower().rpartition("/")
    words = _WORDS.findall(name)
    if not words:
        return name
    if words[0] == "distil" and owner:
        words = _WORDS.findall(owner)[::-1]
    first = words[0]
    if first in _OF_TWO_WORDS and len(words) > 1:
        return f"{first}-{words[1]}"
    stem = next((stem for stem in _STEMS if first.endswith(stem)), first)
    return _BRANCHES.get(first, stem)


@lru_cache(maxsize=4096)
def architecture_of(model: str) -> str:
    """Return the family whose layers a model has: `llama` for `DeepSeek-R1-Distill-Llama-70B`."""
    name = model.lower().rpartition("/")[2]
    _, distilled, student = name.partition("distill-")
    return family_of(student) if distilled and student else family_of(model)


def is_plain_member(model: str) -> bool:
    """Return whether a name begins with its family: Gemma does, medgemma does not."""
    return model.lower().rpartition("/")[2].startswith(family_of(model))


def parameters_of(spec: ModelSpec) -> float:
    """Return billions of parameters: what the entry says, else the name; 0 where neither does."""
    return spec.parameters or _size_in(spec.model)


@lru_cache(maxsize=4096)
def _size_in(model: str) -> float:
    found = _SIZE.search(model.lower().rpartition("/")[2])
    if not found:
        return 0.0
    return float(found[1]) / (1000 if found[2] == "m" else 1)


@lru_cache(maxsize=4096)
def generation_of(model: str) -> tuple[int, ...]:
    """Return the number behind the family's name: (3, 1) for `Llama-3.1-8B`, () without one."""
    found = _GENERATION.search(model.lower().rpartition("/")[2])
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def is_instruct(model: str) -> bool:
    """Return whether a name says that the model was taught to follow instructions."""
    return not _INSTRUCT.isdisjoint(_PARTS.split(model.lower().rpartition("/")[2]))


def is_preview(model: str) -> bool:
    """Return whether a name says that the model is not finished."""
    return "preview" in _PARTS.split(model.lower().rpartition("/")[2])


def is_for_speed(model: str) -> bool:
    """Return whether a name says that the model is the quick form of another one."""
    return not _FOR_SPEED.isdisjoint(_PARTS.split(model.lower().rpartition("/")[2]))


@lru_cache(maxsize=16384)
def stem_of(model: str) -> str:
    """Return a name without what marks an instruct model: equal for a base model and its child."""
    parts = _PARTS.split(model.lower().rpartition("/")[2])
    return "-".join(part for part in parts if part not in _INSTRUCT)
