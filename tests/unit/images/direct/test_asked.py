# SPDX-License-Identifier: Apache-2.0
"""Is a request understood as it is meant, and refused by the field that is wrong?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl_direct.asked import MOST_STOPS, Asked, BadAskedError, Sampling, asked_of


def of(**fields: object) -> Asked:
    return asked_of(fields)


def test_a_prompt_is_a_conversation_of_one_message() -> None:
    assert of(prompt="Hi") == Asked(messages=(("user", "Hi"),))


def test_everything_that_may_be_said_is_understood() -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    found = of(
        messages=messages, temperature=0, top_p=0.5, top_k=4.0, max_tokens=7, stop="END",
        seed=(1 << 63) - 1, stream=True,
    )  # fmt: skip
    assert found == Asked(
        messages=(("system", "Be kind."), ("user", "Hi")),
        sampling=Sampling(temperature=0.0, top_p=0.5, top_k=4, seed=(1 << 63) - 1),
        max_tokens=7,
        stop=("END",),
        stream=True,
    )
    assert found.sampling.greedy


def test_null_is_what_is_not_said() -> None:
    assert of(prompt="Hi", messages=None, temperature=None, seed=None, stop=None) == of(prompt="Hi")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        pytest.param({}, "messages", id="nothing is asked"),
        pytest.param({"prompt": "a", "messages": []}, "prompt", id="both"),
        pytest.param({"prompt": ""}, "prompt", id="empty"),
        pytest.param({"prompt": 1}, "prompt", id="no text"),
        pytest.param({"prompt": "\ud800"}, "prompt", id="half of a character"),
        pytest.param({"messages": []}, "messages", id="no message"),
        pytest.param({"messages": [{}]}, "messages[0]", id="no role"),
        pytest.param(
            {"messages": [{"role": "tool", "content": "a"}]}, "messages[0].role", id="other role"
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": None}]}, "messages[0].content", id="null"
        ),
        pytest.param({"prompt": "a", "temperature": 2.1}, "temperature", id="too hot"),
        pytest.param({"prompt": "a", "temperature": True}, "temperature", id="true is no number"),
        pytest.param({"prompt": "a", "top_p": 0}, "top_p", id="no probability"),
        pytest.param({"prompt": "a", "top_k": -1}, "top_k", id="negative"),
        pytest.param({"prompt": "a", "top_k": 1.5}, "top_k", id="not whole"),
        pytest.param({"prompt": "a", "max_tokens": 0}, "max_tokens", id="no token"),
        pytest.param({"prompt": "a", "max_tokens": 10**400}, "max_tokens", id="huge"),
        pytest.param({"prompt": "a", "seed": 1 << 63}, "seed", id="large seed"),
        pytest.param({"prompt": "a", "stop": [""]}, "stop", id="empty stop"),
        pytest.param({"prompt": "a", "stop": ["x"] * (MOST_STOPS + 1)}, "stop", id="many stops"),
        pytest.param({"prompt": "a", "stream": "yes"}, "stream", id="no flag"),
        pytest.param({"prompt": "a", "n": 2}, "n", id="unknown"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadAskedError) as caught:
        of(**fields)
    assert caught.value.param == param
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "body",
    [[], None, "prompt", 1, True],
    ids=["list", "null", "text", "number", "true"],
)
def test_what_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadAskedError, match="JSON"):
        asked_of(body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(["prompt", "messages", "top_p", "stop", "seed"]), VALUES))
def test_any_other_value_is_refused_and_no_more(fields: dict[str, object]) -> None:
    try:
        found = of(**fields)
    except BadAskedError:
        return
    assert found.messages
