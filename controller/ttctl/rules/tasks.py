# SPDX-License-Identifier: Apache-2.0
"""What is a model good for, and what says so? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.model.match import Tagged
from ttctl.rules.model_families import is_instruct, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.match import Task
    from ttctl.model.spec import ModelSpec

_BY_TYPE: dict[str, tuple[Task, str]] = {
    "IMAGE": ("image", "it makes images"),
    "VIDEO": ("video", "it makes videos"),
    "AUDIO": ("audio", "it writes down what is said"),
    "TEXT_TO_SPEECH": ("speech", "it speaks a text"),
    "EMBEDDING": ("embedding", "it turns text into vectors"),
    "CNN": ("classification", "upstream's type of classifiers and detectors"),
}
_TALKS = frozenset({"LLM", "VLM"})
_CODE = re.compile(r"cod(e|er|ing)(?![a-z])")
_THINKS = re.compile(r"(?<![a-z])(r1|qwq|think|thinking|reasoning)(?![a-z])")
_TAKES_IMAGES = re.compile(r"inpaint|img-?2-?img|image-to-image|(?<![a-z])edit(?![a-z])")
_SEES = re.compile(r"seg|unet|yolo")


def base_models(specs: Iterable[ModelSpec]) -> frozenset[str]:
    """Return the models that are the base of another one: the same name, without `Instruct`.

    A name alone does not tell: Qwen3-8B follows instructions, Qwen2.5-7B does not.
    """
    names = {spec.model for spec in specs if spec.type in _TALKS}
    children = {stem_of(name) for name in names if is_instruct(name)}
    return frozenset(
        name
        for name in names
        if not is_instruct(name) and (stem_of(name) in children or name.lower().endswith("-base"))
    )


def tasks_of(spec: ModelSpec, *, base: bool = False) -> tuple[Tagged, ...]:
    """Return the tasks, each with its reason.

    Args:
        spec: The entry.
        base: Whether it is the base of another model: it continues text, and does not answer.
    """
    found: list[Tagged] = []
    if spec.type in _BY_TYPE:
        task, what = _BY_TYPE[spec.type]
        found.append(Tagged(task=task, reason=f"type {spec.type}: {what}"))
    if spec.type in _TALKS and not base:
        found += _of_talkers(spec)
    found += _of_seers(spec)
    return tuple(found)


def is_good_for(spec: ModelSpec, task: str, *, base: bool = False) -> bool:
    """Return whether `task` is one of the model's."""
    return any(one.task == task for one in tasks_of(spec, base=base))


def starts_from_text(spec: ModelSpec) -> bool:
    """Return whether a model makes an image of a text alone: one that changes images does not."""
    name = spec.model.lower().rpartition("/")[2]
    return spec.type != "IMAGE" or not _TAKES_IMAGES.search(name)


def _of_talkers(spec: ModelSpec) -> list[Tagged]:
    name = spec.model.lower().rpartition("/")[2]
    found = [Tagged(task="chat", reason=f"type {spec.type}: it answers in text")]
    if _CODE.search(name):
        found.append(Tagged(task="code", reason="its name says that it is made for code"))
    elif "coder" in spec.tool_parser:
        found.append(Tagged(task="code", reason=f"its tool parser is {spec.tool_parser}"))
    if spec.reasoning_parser:
        reason = f"it has the reasoning parser {spec.reasoning_parser}"
        found.append(Tagged(task="reasoning", reason=reason))
    elif _THINKS.search(name):
        found.append(Tagged(task="reasoning", reason="its name says that it reasons"))
    if spec.tool_parser:
        found.append(Tagged(task="agent", reason=f"it calls tools, parser {spec.tool_parser}"))
    return found


def _of_seers(spec: ModelSpec) -> list[Tagged]:
    if spec.type == "VLM":
        return [Tagged(task="vision", reason="type VLM: it reads images")]
    if spec.type in _TALKS and "image" in spec.modalities:
        return [Tagged(task="vision", reason="its modalities name images")]
    if spec.type == "CNN" and _SEES.search(spec.model.lower()):
        return [Tagged(task="vision", reason="its name is that of a detector or segmenter")]
    return []
