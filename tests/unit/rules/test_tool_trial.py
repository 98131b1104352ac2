# SPDX-License-Identifier: Apache-2.0
"""Is a call of a tool told from words, and from what no program can read?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.fakes import CARD_MODEL, DEMO_MODEL

from ttctl.model.acceptance_kit import Answer
from ttctl.rules.tool_trial import calls_tools, judged_call, tool_question


def said(**message: object) -> Answer:
    body = {"choices": [{"message": {"content": None, **message}}]}
    return Answer(status=200, body=json.dumps(body).encode())


def call(name: str, arguments: str) -> Answer:
    return said(tool_calls=[{"function": {"name": name, "arguments": arguments}}])


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(call("look_up_weather", '{"city": "Paris"}'), "passed", id="a call"),
        pytest.param(said(content="It rains."), "skipped", id="words"),
        pytest.param(call("look_up_weather", '{"city": "Pa'), "failed", id="cut arguments"),
        pytest.param(call("look_up_weather", '{"city": "Rome"}'), "failed", id="no such city"),
        pytest.param(call("rm", '{"city": "Paris"}'), "failed", id="another tool"),
        pytest.param(call("look_up_weather", "[]"), "failed", id="no object"),
        pytest.param(said(tool_calls=["x"]), "failed", id="no call"),
        pytest.param(Answer(status=200, body=b"<html>"), "failed", id="no JSON"),
        pytest.param(Answer(status=400, body=b"{}"), "failed", id="refused"),
        pytest.param(Answer(problem="timed out after 9 s"), "failed", id="late"),
    ],
)
def test_what_came_is_judged(answer: Answer, outcome: str) -> None:
    found, why = judged_call(answer)
    assert found == outcome
    assert bool(why) == (outcome != "passed")


def test_it_is_forced_on_the_processor_and_left_to_the_model_on_a_card() -> None:
    forced = json.loads(tool_question(DEMO_MODEL).body)["tool_choice"]
    assert forced["function"]["name"] == "look_up_weather"
    assert json.loads(tool_question(CARD_MODEL).body)["tool_choice"] == (
        "auto" if CARD_MODEL.pins else forced
    )


def test_only_an_engine_that_reads_calls_is_asked_for_one() -> None:
    plain = replace(DEMO_MODEL, engine_args=(), tool_parser="")
    assert not calls_tools(plain)
    assert calls_tools(replace(plain, tool_parser="hermes"))
    assert calls_tools(replace(plain, engine_args=(("tool-call-parser", "hermes"),)))
