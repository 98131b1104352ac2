# SPDX-License-Identifier: Apache-2.0
"""Is the time taken as it was, and is a slow, broken or lying answer told for what it is?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.accepting_api import KEY, PIECE_S, AcceptingApi
from tests.unit.fakes import CARD_MODEL, Scene

from ttctl.adapters.acceptance_client import MeasuringClient
from ttctl.model.acceptance_kit import Question
from ttctl.model.pins import Target
from ttctl.model.tls import At
from ttctl.operations.acceptance_tiers import measured_tiers
from ttctl.rules.acceptance_answers import fault_of, why_not
from ttctl.rules.acceptance_trials import EIGHT, LONG, STOPPED, STREAM, measured, trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.acceptance_kit import Answer

SPEC = CARD_MODEL
TRIALS = {one.name: one for one in trials(SPEC)}


@pytest.fixture
def api() -> Iterator[AcceptingApi]:
    with AcceptingApi(SPEC.model) as here:
        yield here


def tried(api: AcceptingApi, name: str, *, limit_s: float = 20) -> tuple[str, tuple[Answer, ...]]:
    trial = TRIALS[name]
    answers = MeasuringClient(At(port=api.port)).at_once(trial.questions, key=KEY, limit_s=limit_s)
    return why_not(trial, answers, model=SPEC.model), answers


@pytest.mark.parametrize("name", TRIALS)
def test_a_good_server_passes_every_trial(api: AcceptingApi, name: str) -> None:
    assert tried(api, name)[0] == ""


def test_the_first_piece_and_the_pace_are_those_of_the_stream(api: AcceptingApi) -> None:
    found = measured(SPEC, shape="128/32", number=0)
    assert found
    answer = MeasuringClient(At(port=api.port)).ask(found[0], key=KEY, limit_s=20)
    assert (answer.tokens, answer.pieces, answer.prompt_tokens) == (32, 32, 128)
    assert 0 < answer.first_s < answer.last_s <= answer.seconds
    assert (answer.last_s - answer.first_s) / 31 >= PIECE_S * 0.9


def test_eight_are_asked_at_the_same_moment(api: AcceptingApi) -> None:
    assert tried(api, EIGHT)[0] == ""
    assert api.most_at_once > 4


def test_a_stopped_answer_hangs_up_so_that_the_engine_can_stop(api: AcceptingApi) -> None:
    fault, (answer,) = tried(api, STOPPED)
    assert fault == ""
    assert answer.pieces == 3
    assert api.left.wait(10)


def test_a_long_prompt_that_the_server_cuts_is_seen(api: AcceptingApi) -> None:
    api.mood = "cutting"
    assert "it read 32" in tried(api, LONG)[0]


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("refusing", "HTTP status 500"),
        ("hanging up", "cut off"),
        ("breaking", "cut off"),
        ("failing", "the stream holds an error"),
        ("silent", "no text came"),
        ("boasting", "10000 tokens, and 64 were allowed"),
        ("hiding", "1 tokens, and 20 pieces of text came"),
        ("babbling", "cut off"),
    ],
)
def test_a_broken_or_lying_stream_is_told_without_a_word_of_what_it_sent(
    api: AcceptingApi, mood: str, said: str
) -> None:
    api.mood = mood
    fault, _ = tried(api, STREAM)
    assert said in fault
    assert "SECRET" not in fault


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("another", "another model answered"),
        ("empty", "the answer holds no text"),
        ("babbling", "the answer is no JSON"),
    ],
)
def test_a_whole_answer_that_is_none_is_told(api: AcceptingApi, mood: str, said: str) -> None:
    api.mood = mood
    assert tried(api, LONG)[0] == said


@pytest.mark.parametrize("mood", ["slow", "dripping", "dripping on"])
def test_a_server_that_takes_for_ever_is_left_in_time(api: AcceptingApi, mood: str) -> None:
    api.mood = mood
    started = time.monotonic()
    assert tried(api, STREAM, limit_s=0.5)[0].startswith("timed out")
    assert tried(api, LONG, limit_s=0.5)[0].startswith("timed out")
    assert time.monotonic() - started < 5


def test_where_nothing_listens_that_is_said() -> None:
    with AcceptingApi("x") as gone:
        port = gone.port
    answer = MeasuringClient(At(port=port)).ask(Question(path="/health"), key="", limit_s=5)
    assert (answer.status, answer.problem) == (0, "nothing answers")


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("EMBEDDING", "acme/e"),
        ("AUDIO", "acme/a"),
        ("TEXT_TO_SPEECH", "acme/t"),
        ("IMAGE", "acme/i"),
        ("IMAGE", "acme/i-img-2-img"),
        ("IMAGE", "acme/i-inpainting"),
        ("VIDEO", "acme/v"),
        ("CNN", "acme/c"),
    ],
)
def test_each_kind_of_model_is_asked_by_its_own_path(
    api: AcceptingApi, kind: str, model: str
) -> None:
    spec = replace(SPEC, type=kind, model=model, engine="media")
    (trial,) = trials(spec)
    answers = MeasuringClient(At(port=api.port)).at_once(trial.questions, key=KEY, limit_s=20)
    assert why_not(trial, answers, model=model) == ""
    api.mood = "babbling"
    again = MeasuringClient(At(port=api.port)).ask(trial.questions[0], key=KEY, limit_s=20)
    assert fault_of(trial.questions[0], again, trial.expected)


def test_a_speed_is_measured_through_the_client_and_judged(api: AcceptingApi) -> None:
    slowest = Target(
        task="text", shape="16/16", concurrency=4, tier="functional", ttft_ms=5000, tput_user=1
    )
    fastest = replace(slowest, tier="target", ttft_ms=5000, tput_user=1000)
    spec = replace(SPEC, targets=(slowest, fastest))
    client = MeasuringClient(At(port=api.port))
    (run,) = measured_tiers(Scene().world, spec, client, key=KEY)
    assert (run.requests, run.failed, run.reached) == (16, 0, "functional")
    assert [one.verdict for one in run.figures] == ["met", "below"]
    measured_s = next(one.measured for one in run.figures if one.name == "tput_user")
    assert measured_s is not None
    assert measured_s <= 1 / PIECE_S
    # What a client has just read may still be ending here.
    assert 4 <= api.most_at_once < 8


def test_a_model_for_pictures_is_shown_one(api: AcceptingApi) -> None:
    spec = replace(SPEC, type="VLM")
    for trial in trials(spec):
        answers = MeasuringClient(At(port=api.port)).at_once(trial.questions, key=KEY, limit_s=20)
        assert why_not(trial, answers, model=spec.model) == "", trial.name
    assert api.asked[0][1]["messages"][0]["content"][0]["type"] == "image_url"
    assert {path for path, _ in api.asked} == {"/v1/chat/completions"}
