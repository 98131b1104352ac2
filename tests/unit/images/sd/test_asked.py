# SPDX-License-Identifier: Apache-2.0
"""Is what OpenAI's clients send read, and is the rest refused in their shape?"""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.resources.images import Images
from tests.unit.images.sd.fakes import ABILITIES

from ttctl_sd.asked import FIELDS, OTHER_NAMES, WITHOUT_EFFECT, Asked, Limits, asked
from ttctl_sd.schema import fields
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from ttctl_sd.drawing import Abilities

LIMITS = Limits(side_px=64)
FIXED = replace(
    ABILITIES,
    sizes=((1024, 1024),),
    default_size=(1024, 1024),
    negative_prompt=False,
    guidance=False,
)


def read(body: object, abilities: Abilities = ABILITIES) -> Asked:
    return asked(body, served="sd", abilities=abilities, limits=LIMITS, any_seed=lambda: 7)


def test_a_prompt_alone_is_enough() -> None:
    assert read({"prompt": "a red circle"}) == Asked(
        prompt="a red circle", negative_prompt="", images=1, width=16, height=16, steps=3,
        guidance=5.0, seed=7, stream=False, as_url=False,
    )  # fmt: skip


def test_every_field_is_read() -> None:
    body = {
        "prompt": "p", "negative_prompt": "q", "model": "sd", "n": 2, "size": "64x32",
        "response_format": "url", "steps": 9, "seed": 0, "guidance": 2, "stream": True,
        "output_format": "png", "quality": "auto", "user": "someone", "partial_images": 2,
    }  # fmt: skip
    assert read(body) == Asked(
        prompt="p", negative_prompt="q", images=2, width=64, height=32, steps=9, guidance=2.0,
        seed=0, stream=True, as_url=True,
    )  # fmt: skip


def test_the_names_of_diffusers_are_the_same_fields_and_null_is_as_left_out() -> None:
    found = read({"prompt": "p", "num_inference_steps": 9, "guidance_scale": 2.5, "n": None})
    assert (found.steps, found.guidance, found.images) == (9, 2.5, 1)
    assert read({"prompt": "p", "steps": 9, "num_inference_steps": 9}).steps == 9


@pytest.mark.parametrize(
    ("changes", "param", "code", "says"),
    [
        pytest.param(
            {"prompt": None}, "prompt", "missing_required_parameter", "is missing", id="0"
        ),
        pytest.param({"prompt": " \n"}, "prompt", "invalid_value", "is empty", id="blank"),
        pytest.param({"prompt": 3}, "prompt", "invalid_type", "a string", id="number"),
        pytest.param(
            {"prompt": "x" * 4001},
            "prompt",
            "string_above_max_length",
            "the most is 4000",
            id="long",
        ),
        pytest.param({"prompt": "\ud800"}, "prompt", "invalid_value", "surrogate", id="surrogate"),
        pytest.param({"n": 0}, "n", "invalid_value", "from 1 to 4", id="none"),
        pytest.param({"n": 5}, "n", "invalid_value", "from 1 to 4", id="many"),
        pytest.param({"n": True}, "n", "invalid_type", "whole number", id="true is no number"),
        pytest.param({"n": 1.5}, "n", "invalid_type", "whole number", id="half"),
        pytest.param({"n": 1e400}, "n", "invalid_type", "whole number", id="no end"),
        pytest.param(
            {"guidance": False, "guidance_scale": 0},
            "guidance",
            "invalid_value",
            "twice",
            id="false is not 0",
        ),
        pytest.param({"steps": 51}, "steps", "invalid_value", "from 1 to 50", id="steps"),
        pytest.param(
            {"steps": 2, "num_inference_steps": 3}, "steps", "invalid_value", "twice", id="2"
        ),
        pytest.param({"seed": -1}, "seed", "invalid_value", "from 0 to 4294967295", id="seed"),
        pytest.param({"guidance": float("nan")}, "guidance", "invalid_value", "0 to 20", id="nan"),
        pytest.param({"guidance": 10**400}, "guidance", "invalid_value", "0 to 20", id="huge"),
        pytest.param({"guidance": "2"}, "guidance", "invalid_type", "a number", id="text"),
        pytest.param({"size": "64"}, "size", "invalid_value", "as '512x512'", id="one side"),
        pytest.param({"size": "12x16"}, "size", "invalid_value", "multiple of 8", id="odd side"),
        pytest.param({"size": "128x64"}, "size", "invalid_value", "at most 64", id="too large"),
        pytest.param(
            {"size": "\u0666\u0664x64"}, "size", "invalid_value", "as '512x512'", id="other digits"
        ),
        pytest.param(
            {"response_format": "jpg"}, "response_format", "invalid_value", "one of", id="f"
        ),
        pytest.param({"response_format": []}, "response_format", "invalid_value", "one of", id="l"),
        pytest.param(
            {"output_format": "webp"}, "output_format", "invalid_value", "'png'", id="webp"
        ),
        pytest.param({"stream": 1}, "stream", "invalid_type", "true or false", id="stream"),
        pytest.param({"model": 3}, "model", "invalid_type", "a string", id="model"),
        pytest.param({"mask": "x"}, "mask", "unknown_parameter", "'mask'", id="unknown"),
    ],
)
def test_what_is_wrong_is_named(
    changes: dict[str, object], param: str, code: str, says: str
) -> None:
    with pytest.raises(RefusedError, match=says) as caught:
        read({"prompt": "p"} | changes)
    error = caught.value.body["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert error["type"] == "invalid_request_error"
    assert caught.value.status == 400


def test_another_model_is_not_found() -> None:
    with pytest.raises(RefusedError, match="'dall-e-3' does not exist") as caught:
        read({"prompt": "p", "model": "dall-e-3"})
    assert (caught.value.status, caught.value.body["error"]["code"]) == (404, "model_not_found")


def test_json_knows_one_kind_of_number() -> None:
    assert read({"prompt": "p", "n": 2.0, "steps": 3.0}) == read(
        {"prompt": "p", "n": 2, "steps": 3}
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"size": "512x512"}, "draws 1024x1024 and no other", id="size"),
        pytest.param({"guidance": 2.0}, "fixed at 5", id="guidance"),
        pytest.param({"negative_prompt": "q"}, "no negative prompt", id="negative prompt"),
    ],
)
def test_what_a_pipeline_cannot_do_is_refused_and_never_left_out(
    changes: dict[str, object], says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        read({"prompt": "p"} | changes, FIXED)
    assert read({"prompt": "p", "guidance": 5, "size": "1024x1024"}, FIXED).width == 1024


@pytest.mark.parametrize("body", [None, [], "prompt", 3])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(RefusedError, match="must be a JSON object"):
        read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.text(), inside, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(sorted(FIELDS | set(OTHER_NAMES) | WITHOUT_EFFECT))


@given(st.dictionaries(NAMES | st.text(), JSON, max_size=6))
def test_any_json_is_read_or_refused(body: dict[str, object]) -> None:
    try:
        found = read(body)
    except RefusedError:
        return
    assert found.prompt.strip()
    assert 1 <= found.images <= 4


def test_openais_fields_that_say_nothing_to_a_pipeline_are_taken() -> None:
    theirs = {
        "background": "opaque", "moderation": "low", "output_compression": 80, "partial_images": 2,
        "quality": "high", "style": "vivid", "user": "me",
    }  # fmt: skip
    assert set(theirs) <= set(signature(Images.generate).parameters)
    plain = {"prompt": "p", "output_format": "png", "seed": 3}
    assert read(plain | theirs) == read(plain)


def test_the_page_of_the_api_names_the_fields_that_are_read() -> None:
    assert set(fields(LIMITS)) == FIELDS | set(OTHER_NAMES) | WITHOUT_EFFECT
