# SPDX-License-Identifier: Apache-2.0
"""Is a service asked in its own words, and is its refusal put right?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import UsageError
from ttctl.model.picture import ImageRequest, Wanted
from ttctl.model.spec import Request
from ttctl.operations.up import up
from ttctl.rules.acceptance_media import png
from ttctl.rules.picture import dimensions, drawing_parts, images_in, request_of, shape_of
from ttctl.rules.picture_refusal import field_in, nearest, refusal

if TYPE_CHECKING:
    from ttctl.model.lock import Lock

ALL = Wanted(
    prompt="a red circle",
    negative_prompt="blue",
    images=2,
    size="512x256",
    steps=4,
    seed=0,
    guidance=0.0,
)


def test_ours_is_asked_as_openai_with_diffusions_own_fields() -> None:
    asked = request_of(ALL, model="acme/sd", shape="openai")
    assert (asked.path, asked.images, asked.streams) == ("/v1/images/generations", 2, True)
    assert dict(asked.body) == {
        "model": "acme/sd",
        "prompt": "a red circle",
        "negative_prompt": "blue",
        "n": 2,
        "size": "512x256",
        "steps": 4,
        "seed": 0,
        "guidance": 0.0,
        "response_format": "b64_json",
        "stream": True,
    }


def test_the_media_server_is_asked_in_its_own_words_and_answers_at_once() -> None:
    asked = request_of(replace(ALL, size=""), model="acme/sd", shape="media")
    assert (asked.path, asked.images, asked.streams) == ("/v1/images/generations", 2, False)
    assert dict(asked.body) == {
        "prompt": "a red circle",
        "negative_prompt": "blue",
        "number_of_images": 2,
        "num_inference_steps": 4,
        "seed": 0,
        "guidance_scale": 0.0,
        "image_return_format": "PNG",
    }


def test_what_was_not_asked_for_is_the_services_choice() -> None:
    ours, theirs = (
        dict(request_of(Wanted(prompt="x"), model="m", shape=shape).body)  # type: ignore[arg-type]
        for shape in ("openai", "media")
    )
    assert ours.keys() == {"model", "prompt", "n", "response_format", "stream"}
    assert theirs.keys() == {"prompt", "number_of_images", "image_return_format", "guidance_scale"}


def test_media_servers_before_0_13_are_told_the_guidance_that_later_ones_take_by_themselves() -> (
    None
):
    asked = request_of(Wanted(prompt="x"), model="m", shape="media")
    assert dict(asked.body)["guidance_scale"] == 5.0


def test_the_media_server_cannot_be_asked_for_a_size() -> None:
    with pytest.raises(UsageError, match="takes no size"):
        request_of(ALL, model="m", shape="media")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_not_asked(number: float) -> None:
    with pytest.raises(UsageError, match="is no guidance"):
        request_of(Wanted(prompt="x", guidance=number), model="m", shape="openai")


@pytest.mark.parametrize("prompt", ["", " \n"], ids=repr)
def test_nothing_is_not_drawn(prompt: str) -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        request_of(Wanted(prompt=prompt), model="m", shape="openai")


@pytest.mark.parametrize(
    ("contract", "shape"),
    [("own", "openai"), ("sd", "openai"), ("media", "media"), ("media-cpp", "media"),
     ("forge", "media")],
)  # fmt: skip
def test_the_shape_follows_from_the_contract(contract: str, shape: str) -> None:
    assert shape_of(contract) == shape


@pytest.fixture
def lock() -> Lock:
    scene = Scene()
    up(scene.world, Request(model="llama", port=8123))
    found = scene.store.lock("llama")
    assert found
    return found


@pytest.mark.parametrize(
    ("engine", "model", "draws"),
    [
        pytest.param("sd", "anything", True, id="ours"),
        pytest.param("media", "acme/draws", True, id="a model for images"),
        pytest.param("forge", "acme/draws", True, id="the same by forge"),
        pytest.param("media", "acme/hears", False, id="speech"),
        pytest.param("vllm", "acme/draws", False, id="words"),
        pytest.param("direct", "acme/draws", False, id="words, directly"),
    ],
)
def test_a_stack_that_draws_is_known_by_its_lock(
    lock: Lock, engine: str, model: str, *, draws: bool
) -> None:
    parts = drawing_parts(
        replace(lock, engine=engine, model=model), draws=lambda one: one == "acme/draws"
    )
    assert bool(parts) == draws


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param({"images": ["YQ==", "Yg=="], "generation_time": 1.5},
                     (("YQ==", None), ("Yg==", None)), id="media server"),
        pytest.param({"data": [{"b64_json": "YQ==", "seed": 3}]}, (("YQ==", 3),), id="openai"),
        pytest.param({"data": [{"url": "x"}, "y"]}, (), id="no image in it"),
        pytest.param({"images": [1]}, (), id="no text"),
        pytest.param(["x"], (), id="no object"),
    ],
)  # fmt: skip
def test_images_are_found_in_both_answers(answer: object, found: object) -> None:
    assert images_in(answer) == found


def test_a_png_says_its_size_and_what_is_none_does_not() -> None:
    assert dimensions(png(32, 16)) == (32, 16)
    assert dimensions(b"\xff\xd8\xff" + b"0" * 40) is None
    assert dimensions(png(32, 16)[:20]) is None


@pytest.mark.parametrize(
    ("field", "value", "message", "meant"),
    [
        pytest.param("size", "513x512",
                     "Each side must be a multiple of 8 pixels, and at most 1024.", "512x512",
                     id="a multiple"),
        pytest.param("size", "4x9000",
                     "Each side must be a multiple of 8 pixels, and at most 1024.", "8x1024",
                     id="both bounds"),
        pytest.param("size", "512x512", "This model draws 1024x1024 and no other size.",
                     "1024x1024", id="one size"),
        pytest.param("size", "big", "'size' must be as '512x512', or 'auto'.", "auto",
                     id="no size"),
        pytest.param("steps", "99", "'steps' must be from 1 to 50.", "50", id="too many"),
        pytest.param("steps", "0", "'steps' must be from 1 to 50.", "1", id="too few"),
        pytest.param("guidance", "30", "'guidance' must be from 0 to 20.", "20", id="a number"),
        pytest.param("num_inference_steps", "2",
                     "Input should be greater than or equal to 12", "12", id="pydantic"),
        pytest.param("seed", "1", "Something else.", "", id="unsaid"),
    ],
)  # fmt: skip
def test_the_nearest_value_that_is_allowed_follows_from_the_refusal(
    field: str, value: str, message: str, meant: str
) -> None:
    assert nearest(field, value, message) == meant


def test_a_refusal_names_the_value_and_the_one_to_type() -> None:
    asked = request_of(replace(ALL, guidance=30.0), model="m", shape="openai")
    error = refusal(asked, "guidance", "'guidance' must be from 0 to 20.")
    assert (error.mistyped, error.meant) == ("30", "20")
    assert error.evidence == "Asked for: 30."
    assert error.why == "'guidance' must be from 0 to 20."


def test_a_refused_prompt_is_not_repeated() -> None:
    asked = ImageRequest(path="/", body=(("prompt", "secret"),), images=1, streams=True)
    error = refusal(asked, "prompt", "'prompt' has 5000 characters; the most is 4000.")
    assert "secret" not in f"{error.message}{error.evidence}{error.mistyped}{error.meant}"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param({"error": {"message": "No.", "param": "size"}}, ("size", "No."), id="openai"),
        pytest.param({"error": {"message": "No.", "param": None}}, ("", "No."), id="no field"),
        pytest.param({"detail": [{"loc": ["body", "seed"], "msg": "No."}]}, ("seed", "No."),
                     id="fastapi"),
        pytest.param({"detail": "Not found"}, ("", ""), id="a word"),
        pytest.param("x", ("", ""), id="no object"),
    ],
)  # fmt: skip
def test_the_field_is_found_in_both_refusals(answer: object, found: object) -> None:
    assert field_in(answer) == found
