# SPDX-License-Identifier: Apache-2.0
"""Are speeds computed as upstream does, and is a picture, a sound, a number looked at?"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.fakes import CARD_MODEL

from ttctl.model.acceptance_kit import Answer, Question
from ttctl.model.pins import Target
from ttctl.rules.acceptance_answers import fault_of, job_of, measured, patience_s
from ttctl.rules.acceptance_media import png, wav
from ttctl.rules.acceptance_trials import measured as measuring
from ttctl.rules.acceptance_trials import trials

STREAMED = Answer(status=200, seconds=2.1, first_s=0.1, last_s=2.0, pieces=20, tokens=20)
PLAIN = Question(path="/v1/x", body=b"{}")


def test_a_users_speed_is_one_over_the_mean_time_of_a_token_after_the_first() -> None:
    slower = replace(STREAMED, last_s=3.9)
    found = measured("text", [STREAMED, slower], faults=0, concurrency=2)
    assert found.ttft_ms == pytest.approx(100)
    assert found.tput_user == pytest.approx(1 / ((0.1 + 0.2) / 2))
    assert found.tput == pytest.approx(2 / 0.15)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tokens": None}, id="nobody counted"),
        pytest.param({"pieces": 1}, id="in one piece"),
        pytest.param({"last_s": 0.1}, id="at one moment"),
    ],
)
def test_what_cannot_be_timed_has_no_speed(changes: dict[str, Any]) -> None:
    found = measured("text", [replace(STREAMED, **changes)], faults=0, concurrency=1)
    assert (found.tput_user, found.tput) == (None, None)
    assert found.ttft_ms == pytest.approx(100)


def test_a_picture_a_second_is_counted_by_whole_answers() -> None:
    whole = Answer(status=200, seconds=12.0)
    found = measured("image", [whole, whole], faults=0, concurrency=1)
    assert found.ttft_ms == pytest.approx(12_000)
    assert found.tput_user == pytest.approx(1 / 12)


@pytest.mark.parametrize("task", ["asr", "embedding", "tts"])
def test_a_speed_whose_unit_no_answer_tells_is_not_made_up(task: str) -> None:
    found = measured(task, [Answer(status=200, seconds=1.0)], faults=0, concurrency=1)
    assert found.tput_user is None
    assert found.ttft_ms == pytest.approx(1000)


def test_faults_are_counted_and_give_no_speed() -> None:
    found = measured("text", [], faults=3, concurrency=1)
    assert (found.requests, found.failed, found.ttft_ms) == (3, 3, None)


def test_a_request_is_waited_for_twice_as_long_as_the_lowest_tier_allows() -> None:
    video = Target(task="video", shape="", concurrency=1, tier="functional", ttft_ms=3_300_000)
    text = Target(
        task="text", shape="128/128", concurrency=1, tier="functional", ttft_ms=1000, tput_user=2
    )
    assert patience_s([video], least_s=60, most_s=1800) == 1800
    assert patience_s([text], least_s=60, most_s=1800) == 2 * (1 + 64)
    assert patience_s([], least_s=60, most_s=1800) == 60


def body(value: object) -> Answer:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Answer(status=200, body=raw)


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        ("picture", {"images": [coded(png(64, 64))]}, {"images": [coded(b"x" * 999)]}),
        ("picture", {"data": [{"b64_json": coded(png(64, 64))}]}, {"images": []}),
        ("sound", wav(1), b"no sound"),
        ("sound", {"audio": coded(wav(1))}, {"audio": "?"}),
        ("embedding", {"data": [{"embedding": [0.1, 0.2]}]}, {"data": [{"embedding": [0, 0]}]}),
        ("embedding", {"data": [{"embedding": [1, -1]}]}, {"data": [{"embedding": []}]}),
        ("transcript", {"text": ""}, {"text": None}),
        ("job", {"id": "x"}, {"id": ""}),
        ("labels", {"image_data": []}, {"image_data": [], "status": "failed"}),
        ("text", {"choices": [{"text": "a"}]}, {"choices": []}),
        ("text", {"choices": [{"message": {"content": "a"}}]}, [1]),
    ],
)
def test_what_an_answer_holds_is_looked_at(expected: Any, good: object, bad: object) -> None:  # noqa: ANN401
    assert fault_of(PLAIN, body(good), expected) == ""
    assert fault_of(PLAIN, body(bad), expected)


def test_a_job_that_was_taken_is_an_answer_and_its_state_is_read() -> None:
    taken = Answer(status=202, body=b'{"id": "7", "status": "Queued"}')
    assert fault_of(PLAIN, taken, "job") == ""
    assert fault_of(PLAIN, taken, "text") == "HTTP status 202"
    assert job_of(taken) == ("7", "queued")
    assert job_of(body(b"[")) == ("", "")


def test_a_measured_prompt_has_exactly_the_tokens_of_the_shape_and_none_is_like_another() -> None:
    bodies = []
    for number in range(3):
        found = measuring(CARD_MODEL, shape="128/64", number=number)
        assert found
        bodies.append(json.loads(found[0].body))
    assert {(len(one["prompt"]), one["max_tokens"]) for one in bodies} == {(128, 64)}
    assert len({tuple(one["prompt"]) for one in bodies}) == 3


def test_a_long_prompt_is_near_half_of_what_the_model_reads_and_fits() -> None:
    for most in (64, 2048, 131_072):
        limits = replace(CARD_MODEL.limits, max_model_len=most)
        for one in trials(replace(CARD_MODEL, limits=limits)):
            words = len(json.loads(one.questions[0].body)["prompt"].split())
            assert words <= max(20, min(most // 2, 16_384))


def test_of_a_kind_that_is_not_known_nothing_is_tried() -> None:
    assert trials(replace(CARD_MODEL, type="OTHER")) == ()
    assert measuring(replace(CARD_MODEL, type="OTHER"), shape="", number=0) is None
