# SPDX-License-Identifier: Apache-2.0
"""Does a name tell its family, its size and its generation, and an entry its tasks?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.validated import built_in, entry

from ttctl.model.match import TASKS
from ttctl.rules.model_families import (
    architecture_of,
    family_of,
    generation_of,
    is_plain_member,
    parameters_of,
)
from ttctl.rules.tasks import base_models, tasks_of


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("meta-llama/Llama-3.1-8B", "llama"),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "llama"),
        ("Qwen/QwQ-32B", "qwen"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "deepseek"),
        ("openai/gpt-oss-20b", "gpt-oss"),
        ("google/medgemma-4b-it", "gemma"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral"),
        ("tiiuae/Falcon3-7B-Instruct", "falcon"),
        ("distil-whisper/distil-large-v3", "whisper"),
        ("black-forest-labs/FLUX.1-dev", "flux"),
        ("diffusers/stable-diffusion-xl-1.0-inpainting-0.1", "stable-diffusion"),
        ("Tongyi-MAI/Z-Image-Turbo", "z-image"),
        ("microsoft/speecht5_tts", "speecht5"),
        ("mobilenetv2", "mobilenet"),
        ("acme/Nobody-Knows-1B", "nobody"),
    ],
)
def test_a_name_tells_its_family(model: str, family: str) -> None:
    assert family_of(model) == family


@pytest.mark.parametrize(
    ("model", "architecture", "size", "generation", "plain"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "llama", 70, (1,), True),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama", 70, (3, 3), True),
        ("Qwen/Qwen3-Embedding-0.6B", "qwen", 0.6, (3,), True),
        ("HuggingFaceTB/SmolLM2-360M-Instruct", "smollm", 0.36, (2,), True),
        ("google/medgemma-27b-it", "gemma", 27, (), False),
        ("openai/whisper-large-v3", "whisper", 0, (3,), True),
    ],
)
def test_a_name_tells_architecture_size_and_generation(
    model: str, architecture: str, size: float, generation: tuple[int, ...], *, plain: bool
) -> None:
    unsaid = entry(model, "n150", parameters=0)
    assert (architecture_of(model), parameters_of(unsaid)) == (architecture, size)
    assert (generation_of(model), is_plain_member(model)) == (generation, plain)


@given(st.text(max_size=80))
def test_any_text_has_a_family(name: str) -> None:
    assert family_of(name) == family_of(name.lower())
    assert generation_of(name) >= ()
    assert parameters_of(entry(name, "n150", parameters=0)) >= 0


@pytest.mark.parametrize(
    ("model", "tasks"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "chat agent"),
        ("meta-llama/Llama-3.1-8B", ""),
        ("Qwen/QwQ-32B", "chat reasoning agent"),
        ("Qwen/Qwen2.5-Coder-32B-Instruct", "chat code agent"),
        ("Qwen/Qwen3.6-27B", "chat code reasoning agent"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "chat agent vision"),
        ("black-forest-labs/FLUX.1-dev", "image"),
        ("genmo/mochi-1-preview", "video"),
        ("openai/whisper-large-v3", "audio"),
        ("microsoft/speecht5_tts", "speech"),
        ("BAAI/bge-m3", "embedding"),
        ("resnet-50", "classification"),
        ("yolox_nano", "classification vision"),
    ],
)
def test_an_entry_tells_its_tasks_each_with_its_reason(model: str, tasks: str) -> None:
    specs = built_in().specs
    spec = next(one for one in specs if one.model == model)
    found = tasks_of(spec, base=model in base_models(specs))
    assert " ".join(one.task for one in found) == tasks
    assert all(one.reason for one in found)


def test_every_task_has_a_model_and_every_model_that_is_no_base_has_a_task() -> None:
    specs = built_in().specs
    base = base_models(specs)
    of = {one.model: {tag.task for tag in tasks_of(one, base=one.model in base)} for one in specs}
    assert set().union(*of.values()) == set(TASKS)
    assert all(of[model] for model in of if model not in base)


def test_a_modality_makes_a_text_model_see() -> None:
    spec = entry("acme/Eye-8B-Instruct", "n150")
    seeing = replace(spec, modalities=("text", "image"))
    assert "vision" not in {one.task for one in tasks_of(spec)}
    assert "vision" in {one.task for one in tasks_of(seeing)}
