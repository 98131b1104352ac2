# SPDX-License-Identifier: Apache-2.0
"""Does the name of a task, or what people call it, find the best validated entry of a device?"""

from __future__ import annotations

import pytest
from tests.unit.rules.validated import asked, built_in

from ttctl.errors import NothingFitsError, UsageError
from ttctl.model.match import TASKS, Place
from ttctl.model.spec import STATUSES, Request
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.find import nearest
from ttctl.rules.stack import stack_name
from ttctl.rules.tasks import base_models, is_good_for, starts_from_text
from ttctl.rules.usual_words import USUAL, task_named, usual

SPECS = built_in().specs
BASE = base_models(SPECS)
DEVICES = sorted({one.device for one in SPECS} & {*SIZES, "cpu"})
MEDIA = ("image", "video", "audio", "speech", "embedding")
NO_CARD = Place(devices=("cpu",))


@pytest.mark.parametrize("task", MEDIA)
@pytest.mark.parametrize("device", DEVICES)
def test_a_task_finds_an_entry_of_the_best_status_or_says_where_there_is_one(
    task: str, device: str
) -> None:
    there = [
        one
        for one in SPECS
        if one.device == device and is_good_for(one, task, base=one.model in BASE)
    ]
    if there:
        found = asked(task, device)
        assert is_good_for(found.spec, task)
        best = max(STATUSES.index(one.status) for one in there if starts_from_text(one))
        assert STATUSES.index(found.spec.status) == best
        assert f"{task} is a task" in found.reasons
        return
    with pytest.raises(NothingFitsError) as caught:
        asked(task, device, place=NO_CARD)
    assert caught.value.evidence.startswith("Validated on: ")
    assert caught.value.next_step.startswith("ttctl ")


@pytest.mark.parametrize(
    ("word", "task"),
    [
        pytest.param("text to speech", "speech", id="words"),
        pytest.param("Text-To-Speech", "speech", id="hyphens"),
        pytest.param("text_to_speech", "speech", id="low lines"),
        pytest.param("tts", "speech", id="tts"),
        pytest.param("speech to text", "audio", id="the other way round"),
        pytest.param("stt", "audio", id="stt"),
        pytest.param("transcription", "audio", id="transcription"),
        pytest.param("embeddings", "embedding", id="embeddings"),
    ],
)
@pytest.mark.parametrize("device", ["n150", "n300"])
def test_what_people_call_a_task_finds_what_the_task_finds_and_says_so(
    word: str, task: str, device: str
) -> None:
    found = asked(word, device, unattended=True)
    assert found.spec == asked(task, device).spec
    assert found.how == "task"
    assert found.reasons[0] == f"{word} is a usual word for {task}; {task} is a task"


@pytest.mark.parametrize(
    ("word", "device", "model"),
    [
        pytest.param("whisper", "n150", "openai/whisper-large-v3", id="whisper"),
        pytest.param("speecht5", "n150", "microsoft/speecht5_tts", id="speecht5"),
        pytest.param("tts", "p150", "microsoft/speecht5_tts", id="tts"),
        pytest.param("stt", "galaxy", "openai/whisper-large-v3", id="stt"),
        pytest.param("video", "t3k", "Wan-AI/Wan2.2-T2V-A14B-Diffusers", id="video"),
        pytest.param("embeddings", "galaxy", "Qwen/Qwen3-Embedding-8B", id="embeddings"),
        pytest.param("sd", "n150", "stabilityai/stable-diffusion-xl-base-1.0", id="sd, one chip"),
        pytest.param("sd", "n300", "stabilityai/stable-diffusion-xl-base-1.0", id="sd, a board"),
        pytest.param("sd", "t3k", "stabilityai/stable-diffusion-3.5-large", id="sd, eight chips"),
        pytest.param("sd", "galaxy", "stabilityai/stable-diffusion-3.5-large", id="sd, a Galaxy"),
        pytest.param("sdxl", "t3k", "stabilityai/stable-diffusion-xl-base-1.0", id="sdxl"),
        pytest.param("SD 3.5", "t3k", "stabilityai/stable-diffusion-3.5-large", id="SD 3.5"),
    ],
)
def test_a_script_gets_the_best_validated_entry_of_the_device_by_a_short_word(
    word: str, device: str, model: str
) -> None:
    assert asked(word, device, unattended=True).spec.model == model


def test_sd_3_5_is_validated_on_t3k_and_galaxy_only_and_what_fits_an_n150_is_offered() -> None:
    for word in ("sd3.5", "SD 3.5", "stable-diffusion-3.5-large"):
        with pytest.raises(NothingFitsError) as caught:
            asked(word, "n150", place=Place(devices=("n150", "cpu"), boards=("n150",)))
        assert caught.value.exit_code == 7
        assert caught.value.evidence.splitlines()[0] == "Validated on: galaxy, t3k."
        sdxl = "stabilityai/stable-diffusion-xl-base-1.0"
        assert f"works here: {sdxl} on n150 (image, COMPLETE" in caught.value.evidence
        assert caught.value.next_step == f"ttctl plan {sdxl} --device n150"


def test_sdxl_is_validated_on_n150_and_up_and_where_nothing_draws_that_is_said() -> None:
    for device in ("n150", "n300", "t3k", "galaxy"):
        assert asked("sdxl", device).spec.device == device
    with pytest.raises(NothingFitsError) as caught:
        asked("sdxl", "p150", place=Place(devices=("p150", "cpu"), boards=("p150",)))
    assert caught.value.evidence.splitlines()[0] == "Validated on: galaxy, n150, n300, t3k."
    # What draws on the processor is there for every machine.
    drawn = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    assert f"works here: {drawn} on cpu" in caught.value.evidence
    assert caught.value.next_step == f"ttctl plan {drawn} --device cpu"


def test_what_draws_from_a_text_is_offered_for_what_does_and_not_what_needs_an_image() -> None:
    with pytest.raises(NothingFitsError) as caught:
        asked("Qwen-Image", "n300", place=NO_CARD)
    assert "works there: stabilityai/stable-diffusion-xl-base-1.0 on n300" in caught.value.evidence


@pytest.mark.parametrize(
    ("word", "offer"),
    [
        pytest.param("whisper", "openai/whisper-large-v3 --device n150", id="speech to text"),
        pytest.param("stt", "openai/whisper-large-v3 --device n150", id="the task"),
        pytest.param("tts", "microsoft/speecht5_tts --device n150", id="text to speech"),
        pytest.param("embeddings", "Qwen/Qwen3-Embedding-8B --device n150", id="embeddings"),
        pytest.param("video", "Wan-AI/Wan2.2-T2V-A14B-Diffusers --device p150x4", id="video"),
        pytest.param("sdxl", "stable-diffusion-v1-5/stable-diffusion-v1-5 --device cpu", id="sdxl"),
    ],
)
def test_on_the_processor_media_needs_a_card_and_the_smallest_one_is_offered(
    word: str, offer: str
) -> None:
    with pytest.raises(NothingFitsError) as caught:
        asked(word, "cpu", place=NO_CARD)
    assert caught.value.exit_code == 7
    assert caught.value.why.endswith("needs a card: nothing of it runs on the processor.")
    assert caught.value.next_step == f"ttctl plan {offer}"


def test_a_task_with_a_typo_names_what_is_near_and_a_person_gets_it() -> None:
    assert nearest(SPECS, "text to speach")[0][0] == "text-to-speech"
    assert asked("text to speach", "n150", guesses=True).spec.model == "microsoft/speecht5_tts"
    with pytest.raises(UsageError) as caught:
        asked("text to speach", "n150", unattended=True)
    assert "Nearest: text-to-speech" in caught.value.evidence


def test_every_usual_word_is_one_of_a_task_or_of_a_model_and_shadows_no_name() -> None:
    names = {one.model.lower().rpartition("/")[2] for one in SPECS}
    for word, proper in USUAL.items():
        assert task_named(word) == (proper if proper in TASKS else "")
        assert proper in TASKS or any(name.startswith(proper) for name in names)
        assert word not in names
        assert usual(word) == proper
    assert usual("Llama-3.1-8B") == "Llama-3.1-8B"


def test_a_stack_is_called_after_the_task_that_was_typed() -> None:
    assert stack_name(Request(model="whisper")) == "whisper"
    assert stack_name(Request(model="text to speech")) == "text-to-speech"
    assert stack_name(Request(model="tts")) == "tts"
