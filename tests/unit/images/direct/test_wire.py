# SPDX-License-Identifier: Apache-2.0
"""Does the service answer over HTTP as its document says, and forget who has left?"""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from tests.unit.images.direct.speaking import QUESTION, House, Parrot, asking

from ttctl_direct.asked import LONGEST_BODY, BadAskedError, asked_of
from ttctl_direct.documents import openapi


def schema(name: str) -> Draft202012Validator:
    document = openapi(model="acme/small", context=64)
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def test_an_answer_has_its_text_and_how_fast_it_came(house: House) -> None:
    found = house.ask()
    assert (found.status, found.headers["content-type"]) == (200, "application/json")
    assert (found.data["text"], found.data["finish"]) == ("Hello there.", "stop")
    assert (found.data["model"], found.data["tokens"]) == ("acme/small", 13)
    assert found.data["tokens_per_second"] > 0
    assert found.data["time_to_first_token_s"] >= found.data["queued_s"] >= 0
    schema("Answer").validate(found.data)


def test_an_answer_streams_as_events_and_ends_with_the_figures(house: House) -> None:
    found = house.ask({**QUESTION, "stream": True})
    assert found.headers["content-type"].startswith("text/event-stream")
    *texts, (last, figures) = found.events
    assert {name for name, _ in texts} == {"text"}
    assert "".join(data["text"] for _, data in texts) == "Hello there."
    assert (last, figures["finish"], figures["tokens"]) == ("end", "stop", 13)


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_that_is_too_long_is_refused_with_the_field(house: House, *, stream: bool) -> None:
    found = house.ask({"prompt": "x" * 40, "stream": stream})
    assert (found.status, found.data["error"]["param"]) == (400, "messages")
    assert "has 40 tokens; 32 fit here" in found.data["error"]["message"]
    schema("Error").validate(found.data)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("POST", "/chat", {"prompt": ""}, 400, id="empty prompt"),
        pytest.param("POST", "/chat", b"\xff", 400, id="no text"),
        pytest.param("POST", "/chat", b"x" * (LONGEST_BODY + 1), 413, id="too large"),
        pytest.param("POST", "/chat", b'{"prompt": "a", "top_p": NaN}', 400, id="nan"),
        pytest.param("POST", "/chat", b"[" * 100_000 + b"]" * 100_000, 400, id="deep"),
        pytest.param("POST", "/chat", {"prompt": "a", "n": 1}, 400, id="unknown field"),
        pytest.param("GET", "/chat", None, 405, id="method"),
        pytest.param("DELETE", "/health", None, 405, id="method of a page"),
        pytest.param("GET", "/v1/chat/completions", None, 404, id="path"),
    ],
)
def test_what_is_wrong_is_told_as_an_error_of_the_client(
    house: House, method: str, path: str, body: object, status: int
) -> None:
    found = asking(house.door, method, path, body)
    assert found.status == status
    assert set(found.data["error"]) == {"message", "type", "param", "code"}
    assert found.data["error"]["type"] == "invalid_request_error"


def test_a_key_is_asked_for_where_there_is_one() -> None:
    house = House(Parrot(), key="abc")
    assert house.ask().status == 401
    assert house.ask(headers=[(b"authorization", b"Bearer abd")]).status == 401
    assert house.ask(headers=[(b"authorization", b"Bearer abc")]).status == 200
    assert asking(house.door, "GET", "/metrics").status == 401
    assert asking(house.door, "GET", "/health").status == 200
    house.close()


def test_the_pages_that_a_machine_reads(house: House) -> None:
    house.ask()
    house.ask({"prompt": ""})
    metrics = asking(house.door, "GET", "/metrics")
    lines = metrics.body.decode().splitlines()
    assert 'ttctl_direct_answers_total{outcome="stop"} 1' in lines
    assert 'ttctl_direct_answers_total{outcome="bad"} 1' in lines
    assert 'ttctl_direct_tokens_total{kind="answer"} 13' in lines
    assert 'ttctl_direct_first_token_seconds_bucket{le="+Inf"} 1' in lines
    health = asking(house.door, "GET", "/health")
    assert (health.status, health.data) == (200, {"status": "ok", "model": "acme/small"})
    assert asking(house.door, "GET", "/openapi.json").data["openapi"].startswith("3.1")
    page = asking(house.door, "GET", "/docs")
    assert b"<h2>POST /chat</h2>" in page.body
    assert b"http" not in page.body.replace(b"http-equiv", b"")


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "a"}, {"prompt": None, "messages": [{"role": "user", "content": "a"}]},
        {"prompt": "a", "stop": ["x"], "seed": 3, "top_p": 0.1}, {"prompt": "a", "n": 1}, {},
        {"prompt": "a", "messages": [{"role": "user", "content": "b"}]}, {"prompt": ""},
        {"prompt": "a", "top_p": 0}, {"prompt": "a", "stop": ""}, {"prompt": "a", "stream": 1},
    ],
)  # fmt: skip
def test_the_document_allows_what_the_service_takes(body: dict[str, object]) -> None:
    try:
        asked_of(body)
    except BadAskedError:
        takes = False
    else:
        takes = True
    assert schema("Asked").is_valid(body) is takes


def test_a_model_that_failed_is_not_healthy_and_says_nothing_of_the_prompt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    house = House(Parrot(fails_at=3))
    found = house.ask({**QUESTION, "stream": True})
    assert found.events[-1][0] == "error"
    assert found.events[-1][1]["error"]["code"] == "engine_failed"
    assert house.ask().status == 503
    assert asking(house.door, "GET", "/health").status == 503
    house.close()
    why, *lines = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    assert (why["event"], why["error"]) == ("failed", "RuntimeError")
    assert {(one["event"], one["outcome"]) for one in lines} == {("request", "failed")}
    assert "secret" not in json.dumps([why, *lines])


def test_the_log_has_the_clients_own_id_and_never_what_was_asked(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.ask(headers=[(b"x-request-id", b"mine-1")])
    [line] = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["id"], found["outcome"], found["tokens"]) == ("mine-1", "stop", 13)
    assert "secret" not in line
    assert "Hello" not in line


@pytest.mark.parametrize("name", [b"prompt", b"messages", b"stop", b"seed", b"other"])
def test_a_value_as_deep_as_a_reader_goes_is_refused_and_no_failure(
    house: House, name: bytes
) -> None:
    for depth in range(880, 1000, 2):
        deep = b"[" * depth + b"]" * depth
        found = house.ask(b'{"prompt": "a", "' + name + b'": ' + deep + b"}")
        assert found.status == 400


def test_the_one_model_is_listed_as_openais_clients_ask(house: House) -> None:
    found = asking(house.door, "GET", "/v1/models").data
    (one,) = found["data"]
    assert (found["object"], one["object"], one["id"]) == ("list", "model", "acme/small")
    assert one["created"] > 0
