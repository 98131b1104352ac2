# SPDX-License-Identifier: Apache-2.0
"""Is every answer of a gateway understood, and every bad one a refusal?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.stub_server import Stub, port, stub

from ttctl.adapters.gateway import StackGateway
from ttctl.errors import EngineError, TooLongError
from ttctl.model.talk import Door
from ttctl.model.tls import At

if TYPE_CHECKING:
    from ttctl.model.talk import Completion

__all__ = ["stub"]


def door(stub: Stub) -> Door:
    return Door(stack="s", model="m", device="cpu", at=At(port=port(stub)), max_model_len=64)


def chat(stub: Stub, pieces: list[str] | None = None) -> Completion:
    return StackGateway().chat(
        door(stub),
        "the-key",
        model="m",
        messages=[{"role": "user", "content": "A?"}],
        max_tokens=5,
        temperature=0.5,
        on_text=(pieces if pieces is not None else []).append,
    )


def complete(stub: Stub) -> Completion:
    return StackGateway().complete(
        At(port=port(stub)), "the-key", model="m", prompt="Hello", limit_s=9
    )


def events(*values: object) -> bytes:
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)


def delta(text: str | None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}}]}


def test_a_streamed_answer_comes_piece_by_piece_with_its_counts(stub: Stub) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    stub.body = (
        b": a comment\n\n" + events(delta(None), delta("Hi"), delta(" y\u00f6u"), usage)
        + b"data: [DONE]\n\n"
    )  # fmt: skip
    pieces: list[str] = []
    answer = chat(stub, pieces)
    assert pieces == ["Hi", " y\u00f6u"]
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("Hi y\u00f6u", 3, 2)
    assert 0 < answer.first_token_s <= answer.seconds


def test_what_is_asked_is_what_was_said_with_the_key_in_its_header_only(stub: Stub) -> None:
    stub.body = b"data: [DONE]\n\n"
    chat(stub)
    ((method, path, key, body),) = stub.asked
    assert (method, path, key) == ("POST", "/v1/chat/completions", "Bearer the-key")
    assert b"the-key" not in body
    asked = json.loads(body)
    assert asked["stream"] is True
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("m", 5, 0.5)


def test_a_stream_that_is_cut_off_is_no_answer_and_what_came_was_shown(stub: Stub) -> None:
    stub.body = events(delta("Hi"))
    pieces: list[str] = []
    with pytest.raises(EngineError, match="cut off"):
        chat(stub, pieces)
    assert pieces == ["Hi"]


def test_a_connection_that_breaks_within_a_stream_is_a_refusal(stub: Stub) -> None:
    stub.body = events(delta("Hi"))
    stub.cut = True
    with pytest.raises(EngineError):
        chat(stub)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param({"message": "too long", "code": 400}, id="as vLLM says it"),
        pytest.param({"message": "too long", "code": "context_length_exceeded"}, id="as OpenAI"),
        pytest.param({"message": "too long", "code": None}, id="without a code"),
        pytest.param("too long", id="only words"),
    ],
)
def test_an_error_within_a_stream_is_told_in_its_own_words(stub: Stub, error: object) -> None:
    stub.body = events(delta("Hi"), {"error": error})
    with pytest.raises(EngineError) as caught:
        chat(stub)
    assert caught.value.why == "too long"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"data: {not json\n\n", id="no JSON"),
        pytest.param(b"data: []\n\n", id="a list"),
        pytest.param(b"data: null\n\n", id="nothing"),
        pytest.param(events({"choices": None}), id="choices are none"),
        pytest.param(events({"choices": [1]}), id="a choice is a number"),
        pytest.param(events({"choices": [{"delta": None}]}), id="delta is none"),
        pytest.param(events({"usage": 5}), id="usage is a number"),
        pytest.param(b"\xff\xfe\n", id="no text"),
    ],
)
def test_a_stream_that_is_not_understood_is_a_refusal(stub: Stub, body: bytes) -> None:
    stub.body = body
    with pytest.raises(EngineError):
        chat(stub)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        pytest.param(401, b'{"error": {"message": "Missing key."}}', "Missing key.", id="OpenAI"),
        pytest.param(404, b'{"error": "not found"}', "not found", id="only words"),
        pytest.param(500, b"<html>Oops</html>", "<html>Oops</html>", id="a web page"),
        pytest.param(503, b"", "", id="nothing"),
        pytest.param(400, b"[1]", "[1]", id="a list"),
        pytest.param(400, b'"x"', '"x"', id="a word"),
        pytest.param(400, b'{"detail": "no"}', '{"detail": "no"}', id="another shape"),
        pytest.param(422, b"\xff", "\ufffd", id="no text"),
    ],
)
def test_a_refusal_is_told_with_its_status_and_words(
    stub: Stub, status: int, body: bytes, why: str
) -> None:
    stub.status, stub.body = status, body
    for ask in (chat, complete):
        with pytest.raises(EngineError, match=f"answered {status}") as caught:
            ask(stub)
        assert caught.value.why == why
        assert caught.value.exit_code == 5


def test_a_long_answer_in_another_shape_is_cut(stub: Stub) -> None:
    stub.status, stub.body = 500, b"x" * 100_000
    with pytest.raises(EngineError) as caught:
        complete(stub)
    assert len(caught.value.why) <= 400


def test_a_completion_is_read(stub: Stub) -> None:
    stub.body = json.dumps(
        {"model": "m", "choices": [{"text": "x"}], "usage": {"completion_tokens": 1}}
    ).encode()
    assert complete(stub).text == "x"
    assert json.loads(stub.asked[0][3])["max_tokens"] == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"OK", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"choices": []}', id="no choice"),
        pytest.param(b'{"choices": [{"message": 1}]}', id="another choice"),
        pytest.param(b'{"choices": [{"text": "x"}], "usage": 1}', id="another usage"),
    ],
)
def test_an_answer_that_is_not_understood_is_a_refusal(stub: Stub, body: bytes) -> None:
    stub.body = body
    with pytest.raises(EngineError):
        complete(stub)


@pytest.mark.parametrize(
    "body",
    [b"OK", b"[1]", b'{"data": null}', b'{"data": [1]}', b'{"data": [{"name": "x"}]}'],
    ids=repr,
)
def test_a_list_of_models_that_is_not_understood_is_a_refusal(stub: Stub, body: bytes) -> None:
    stub.body = body
    with pytest.raises(EngineError):
        StackGateway().models(At(port=port(stub)), "k")


def test_the_models_are_read(stub: Stub) -> None:
    stub.body = b'{"data": [{"id": "a"}, {"id": "b"}]}'
    assert StackGateway().models(At(port=port(stub)), "k") == ("a", "b")


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False), (404, False)])
def test_health_is_a_200_and_is_asked_without_the_key(
    stub: Stub,
    status: int,
    expected: bool,  # noqa: FBT001
) -> None:
    stub.status = status
    assert StackGateway().healthy(At(port=port(stub))) == expected
    assert stub.asked[0][1:3] == ("/health", None)


def test_where_nobody_listens_nobody_answers() -> None:
    with Stub() as closed:
        free = port(closed)
    assert not StackGateway().healthy(At(port=free))
    with pytest.raises(EngineError, match=f"Nothing answers at http://127.0.0.1:{free}"):
        StackGateway().models(At(port=free), "k")


def test_a_proxy_of_the_environment_is_not_asked(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert StackGateway().healthy(At(port=port(stub)))


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(
            {"message": "This model's maximum context length is 8 tokens.", "code": 400}, id="vLLM"
        ),
        pytest.param({"message": "Too long.", "code": "context_length_exceeded"}, id="OpenAI"),
    ],
)
def test_a_prompt_that_does_not_fit_is_told_apart(stub: Stub, error: dict[str, object]) -> None:
    stub.status, stub.body = 400, json.dumps({"error": error}).encode()
    with pytest.raises(TooLongError) as caught:
        chat(stub)
    assert caught.value.why == error["message"]


def test_an_answer_that_is_stopped_keeps_what_came_with_its_counts(stub: Stub) -> None:
    counts = {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    stub.body = events({**delta("Hi"), **counts}, delta(" you"))
    pieces: list[str] = []

    def stop(piece: str) -> None:
        pieces.append(piece)
        raise KeyboardInterrupt

    answer = StackGateway().chat(
        door(stub), "k", model="m", messages=[], max_tokens=5, temperature=0, on_text=stop
    )
    assert pieces == ["Hi"]
    assert (answer.text, answer.finish, answer.prompt_tokens) == ("Hi", "stopped", 3)


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_why_an_answer_ended_is_told(stub: Stub, reason: str) -> None:
    stub.body = (
        events(delta("Hi"), {"choices": [{"delta": {}, "finish_reason": reason}]})
        + b"data: [DONE]\n\n"
    )
    assert chat(stub).finish == reason
