# SPDX-License-Identifier: Apache-2.0
"""Which services does --with mean?"""

from __future__ import annotations

import pytest

from ttctl.errors import UsageError
from ttctl.rules.beside import Wish, wants_page, wishes_of, words_in


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(["api,chat"], ("api", "chat"), id="by commas"),
        pytest.param(["api", "chat"], ("api", "chat"), id="one by one"),
        pytest.param([" api , ,api"], ("api",), id="blanks and twice"),
        pytest.param(["none"], (), id="none"),
        pytest.param([""], (), id="nothing"),
    ],
)
def test_words_are_parted_by_commas_and_said_once(given: list[str], words: tuple[str, ...]) -> None:
    assert words_in(given) == words


def test_none_stands_for_no_service_and_for_itself_alone() -> None:
    with pytest.raises(UsageError, match="stands for no service"):
        words_in(["none,api"])


@pytest.mark.parametrize(
    ("word", "service", "model", "engine"),
    [
        pytest.param("api", "api", "llama", "direct", id="api"),
        pytest.param("api=qwen", "api", "qwen", "direct", id="api of another model"),
        pytest.param("sd", "sd", "sd", "sd", id="sd"),
        pytest.param("sd=demo-sd", "sd", "demo-sd", "sd", id="sd of its model"),
        pytest.param("Qwen/Qwen3-8B", "qwen3-8b", "Qwen/Qwen3-8B", "vllm", id="a model"),
    ],
)
def test_a_word_is_a_service_or_a_model_that_vllm_serves_besides(
    word: str, service: str, model: str, engine: str
) -> None:
    wish = Wish(service=service, model=model, engine=engine)
    assert wishes_of((word, "chat"), model="llama", own="vllm") == (wish,)


@pytest.mark.parametrize(
    ("words", "own"),
    [
        pytest.param(("api", "api=qwen"), "vllm", id="twice"),
        pytest.param(("api",), "api", id="the stack's own"),
        pytest.param(("gateway",), "vllm", id="the door"),
        pytest.param(("metrics",), "vllm", id="a path of the gateway's"),
    ],
)
def test_a_service_is_had_once(words: tuple[str, ...], own: str) -> None:
    with pytest.raises(UsageError, match="cannot be had twice"):
        wishes_of(words, model="llama", own=own)


def test_what_is_no_service_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        wishes_of(("draw=demo-sd",), model="llama", own="vllm")
    assert caught.value.evidence == "Services: chat, vllm, api, sd."
    assert caught.value.next_step == "ttctl up llama --with api=demo-sd"


@pytest.mark.parametrize(("word", "meant"), [("aip=qwen", "api"), ("vlm=qwen", "vllm")])
def test_a_service_that_is_nearly_right_is_put_right(word: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        wishes_of((word,), model="llama", own="vllm")
    assert caught.value.meant == meant
    assert caught.value.next_step == f"ttctl up llama --with {meant}=qwen"


def test_the_page_takes_no_model() -> None:
    with pytest.raises(UsageError, match="'chat' takes no model") as caught:
        wishes_of(("chat=qwen",), model="llama", own="vllm")
    assert (caught.value.mistyped, caught.value.meant) == ("chat=qwen", "chat")
    assert caught.value.next_step == "ttctl up llama --with chat"


def test_the_page_is_no_engine() -> None:
    assert wants_page(("api", "chat"))
    assert not wants_page(("api",))
    assert wishes_of(("chat",), model="llama", own="vllm") == ()
