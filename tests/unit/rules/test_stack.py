# SPDX-License-Identifier: Apache-2.0
"""Has a stack a name that compose takes, and does its engine start as it would on a card?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.fakes import HUB_MODEL

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.rules.engine_command import model_folder, serve_arguments
from ttctl.rules.stack import stack_name

COMPOSE_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""Source: https://github.com/compose-spec/compose-spec/blob/main/04-version-and-name.md"""


@pytest.mark.parametrize(
    ("model", "name"),
    [
        pytest.param("llama", "llama", id="as it is"),
        pytest.param("acme/Small-1.5B_Chat", "small-1-5b-chat", id="the last part"),
        pytest.param("../../etc/passwd", "passwd", id="no path"),
        pytest.param("--x--", "x", id="no flag"),
        pytest.param("a" * 47 + "-b", "a" * 47, id="cut, without a dash at its end"),
        pytest.param("qwen2.5", "qwen2-5", id="a dot"),
    ],
)
def test_a_stack_is_named_after_its_model(model: str, name: str) -> None:
    assert stack_name(Request(model=model)) == name


@given(st.text(max_size=80))
def test_any_word_makes_a_name_that_compose_takes_or_is_refused(word: str) -> None:
    try:
        name = stack_name(Request(model=word))
    except UsageError:
        return
    assert COMPOSE_PROJECT.fullmatch(f"ttctl-{name}")
    assert COMPOSE_PROJECT.fullmatch(name)
    assert len(name) <= 48
    assert stack_name(Request(model="x", name=name)) == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a/b", "..", "a" * 49, "a\n", "\u00e9"])
def test_a_name_that_compose_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a stack"):
        stack_name(Request(model="llama", name=name))


def test_a_word_without_a_letter_makes_no_name() -> None:
    with pytest.raises(UsageError, match="cannot name a stack"):
        stack_name(Request(model="///"))


def test_the_engine_is_started_in_the_words_of_a_card() -> None:
    assert " ".join(serve_arguments(HUB_MODEL, models="/models", port=8000)) == (
        "serve /models/Small-1B --served-model-name acme/Small-1B --host 0.0.0.0 --port 8000"
        " --max-model-len 4096 --max-num-seqs 8 --block-size 64"
        " --enforce-eager --kv-cache-memory-bytes 1G"
    )


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        pytest.param("acme/Small-1B", "/models/Small-1B", id="an owner's"),
        pytest.param("demo-llama", "/models/demo-llama", id="nobody's"),
    ],
)
def test_the_weights_lie_in_a_folder_of_the_models_name(model: str, folder: str) -> None:
    assert model_folder(replace(HUB_MODEL, model=model), models="/models") == folder
