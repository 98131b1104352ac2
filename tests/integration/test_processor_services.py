# SPDX-License-Identifier: Apache-2.0
"""Do our own servers answer on the processor, each in its image and held in as a service is?"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from openai import OpenAI
from tests.standins.processor_services import (
    DIRECT,
    IMAGES,
    SD,
    Started,
    events,
    small_pipeline,
    started,
    until,
)
from tests.unit.images.sd.test_png import read

from ttctl.adapters.templates import ShippedRecipes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ttctl.model.spec import ModelSpec

pytestmark = pytest.mark.docker

LLAMA = IMAGES / "demo-llama" / "model"
QUESTION = {"prompt": "What is Tenstorrent?", "temperature": 0, "max_tokens": 24}
DRAWING = {"prompt": "a red circle of a-secret-prompt", "seed": 3, "steps": 4}
GENERATIONS = "/v1/images/generations"
STOP_S = 30


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_pipeline(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def direct() -> Iterator[Started]:
    with started(DIRECT, LLAMA) as found:
        yield found


@pytest.fixture(scope="module")
def sd(pipeline: Path) -> Iterator[Started]:
    with started(SD, pipeline) as found:
        yield found


@pytest.fixture(params=["direct", "sd"])
def service(request: pytest.FixtureRequest) -> Started:
    found: Started = request.getfixturevalue(request.param)
    return found


def test_a_chat_is_answered_as_a_whole_and_as_it_grows(direct: Started) -> None:
    whole = direct.answer("/chat", QUESTION)
    assert len(whole["text"].split()) > 3
    assert (whole["model"], whole["prompt_tokens"] > 0) == ("demo-llama", True)
    assert 0 < whole["tokens"] <= 24
    status, text = direct.ask("/chat", {**QUESTION, "stream": True})
    *pieces, (last, figures) = events(text.decode())
    assert (status, last, figures["tokens"]) == (200, "end", whole["tokens"])
    assert "".join(data["text"] for _, data in pieces) == whole["text"]


def test_openais_client_gets_images_and_the_same_seed_gives_the_same_bytes(sd: Started) -> None:
    with OpenAI(api_key="none", base_url=f"{sd.base}/v1", max_retries=0) as client:

        def draw(seed: int) -> bytes:
            found = client.images.generate(
                model="demo-sd", prompt="a red circle", size="64x64", n=2,
                extra_body={"seed": seed, "steps": 4},
            )  # fmt: skip
            assert found.data is not None
            return b"".join(base64.b64decode(one.b64_json or "") for one in found.data)

        one, again, other = draw(3), draw(3), draw(30)
    assert one == again
    assert one != other
    assert read(one[: one.index(b"IEND") + 8])[:2] == (64, 64)


def test_progress_is_told_step_by_step_before_the_image(sd: Started) -> None:
    status, text = sd.ask(GENERATIONS, {**DRAWING, "stream": True})
    found = events(text.decode())
    assert status == 200
    assert [data["step"] for _, data in found[:-1]] == [1, 2, 3, 4]
    assert found[-1][0] == "image_generation.completed"
    whole = sd.answer(GENERATIONS, DRAWING)["data"][0]
    assert found[-1][1]["b64_json"] == whole["b64_json"]


def test_a_drawing_that_nobody_waits_for_ends_midway(sd: Started) -> None:
    before = sd.metrics()
    asking = sd.begin(GENERATIONS, {**DRAWING, "n": 4, "steps": 50, "stream": True})
    answer = asking.answer()
    assert answer.readline().startswith(b"event: image_generation.progress")
    asking.leave()
    until(lambda: not sd.metrics()["running"], "it stops")
    after = sd.metrics()
    assert after["abandoned_total"] == before["abandoned_total"] + 1
    assert after["images_total"] < before["images_total"] + 4
    assert sd.answer(GENERATIONS, DRAWING)["data"]


def test_an_answer_that_nobody_waits_for_ends_midway(direct: Started) -> None:
    before = direct.metrics()
    body = {"prompt": "Tell me a story.", "temperature": 1.5, "max_tokens": 1500, "stream": True}
    asking = direct.begin("/chat", body)
    assert asking.answer().readline() == b"event: text\n"
    asking.leave()
    until(lambda: not direct.metrics()["running"], "it stops")
    name = 'answers_total{outcome="cancelled"}'
    assert direct.metrics()[name] == before[name] + 1


def test_what_the_gateway_lets_through_is_there(service: Started) -> None:
    image = "direct-cpu" if "chat" in service.ask("/openapi.json")[1].decode() else "sd-cpu"
    for path in ShippedRecipes(IMAGES.parent).defaults(image).paths:
        status, _ = service.ask(path)
        assert status == (405 if path in {"/chat", GENERATIONS} else 200), path
    (model,) = service.answer("/v1/models")["data"]
    assert model["id"] in {"demo-llama", "demo-sd"}
    assert b"<!doctype html>" in service.ask("/docs")[1]


@pytest.mark.parametrize("spec", [DIRECT, SD], ids=["direct", "sd"])
def test_it_starts_without_a_network_and_says_how_long_that_took(
    spec: ModelSpec, pipeline: Path, record_property: Callable[[str, object], None]
) -> None:
    with started(spec, LLAMA if spec is DIRECT else pipeline, network="none") as found:
        memory = found.memory_mib()
        record_property(spec.image, f"ready in {found.ready_s:.1f} s, {memory:.0f} MiB of its own")
        assert 0 < memory < spec.memory_mib / 2
        took, code = found.stop()
    assert (code, took < STOP_S) == (0, True)


@pytest.mark.parametrize(
    ("spec", "path", "body", "last"),
    [
        pytest.param(DIRECT, "/chat", {**QUESTION, "max_tokens": 100}, "end", id="direct"),
        pytest.param(SD, GENERATIONS, {**DRAWING, "n": 2, "steps": 50},
                     "image_generation.completed", id="sd"),
    ],
)  # fmt: skip
def test_what_is_answered_when_it_is_told_to_stop_is_finished(
    spec: ModelSpec, path: str, body: dict[str, object], last: str, pipeline: Path
) -> None:
    with started(spec, LLAMA if spec is DIRECT else pipeline) as found:
        asking = found.begin(path, {**body, "stream": True})
        answer = asking.answer()
        first = answer.readline().decode()
        took, code = found.stop()
        rest = events(first + answer.read().decode())
        asking.leave()
        said = [one["event"] for one in found.logged()]
    assert (rest[-1][0], code, took < STOP_S) == (last, 0, True)
    assert said[-1] == "stopped"


def test_no_prompt_and_no_answer_is_in_the_log(service: Started) -> None:
    lines = service.logged()
    assert {"loaded", "request"} <= {one["event"] for one in lines}
    text = json.dumps(lines)
    for word in ("a-secret-prompt", "Tenstorrent", "circle", "story"):
        assert word not in text
