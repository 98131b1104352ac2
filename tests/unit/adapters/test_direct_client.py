# SPDX-License-Identifier: Apache-2.0
"""Is the service `api` understood as it speaks, and every bad answer a refusal?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.standins.stub_server import Stub, port, stub

from ttctl.adapters.gateway import StackGateway
from ttctl.errors import EngineError, TooLongError
from ttctl.model.talk import Door
from ttctl.model.tls import At

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.talk import Completion

__all__ = ["stub"]
END = {"finish": "stop", "prompt_tokens": 3, "tokens": 4, "tokens_per_second": None}


def chat(stub: Stub, say: Callable[[str], None] = lambda _: None, base: str = "") -> Completion:
    door = Door(
        stack="s", model="m", device="cpu", at=At(port=port(stub)), max_model_len=64, speaks="chat",
        base=base,
    )  # fmt: skip
    return StackGateway().chat(
        door, "the-key", model="m", messages=[{"role": "user", "content": "A?"}], max_tokens=5,
        temperature=0.5, on_text=say,
    )  # fmt: skip


def events(*named: tuple[str, object]) -> bytes:
    return b"".join(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in named)


def texts(*pieces: str) -> list[tuple[str, object]]:
    return [("text", {"text": one}) for one in pieces]


def test_an_answer_comes_piece_by_piece_with_the_counts_of_its_end(stub: Stub) -> None:
    stub.body = b": a comment\n\n" + events(*texts("Hi", " y\u00f6u"), ("end", END))
    pieces: list[str] = []
    answer = chat(stub, pieces.append)
    assert pieces == ["Hi", " y\u00f6u"]
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("Hi y\u00f6u", 3, 4)
    assert (answer.model, answer.finish) == ("m", "stop")
    assert 0 < answer.first_token_s <= answer.seconds


@pytest.mark.parametrize("base", ["", "/api"])
def test_only_what_the_service_knows_is_asked_and_the_key_is_in_its_header(
    stub: Stub, base: str
) -> None:
    stub.body = events(("end", END))
    chat(stub, base=base)
    ((method, path, key, body),) = stub.asked
    assert (method, path, key) == ("POST", f"{base}/chat", "Bearer the-key")
    assert json.loads(body) == {
        "messages": [{"role": "user", "content": "A?"}],
        "stream": True,
        "max_tokens": 5,
        "temperature": 0.5,
    }


def test_an_answer_that_is_stopped_keeps_what_came_and_counts_its_pieces(stub: Stub) -> None:
    stub.body = events(*texts("Hi", " you", " there"))
    pieces: list[str] = []

    def stop_at_the_second(piece: str) -> None:
        pieces.append(piece)
        if len(pieces) > 1:
            raise KeyboardInterrupt

    answer = chat(stub, stop_at_the_second)
    assert (answer.text, answer.finish, answer.completion_tokens) == ("Hi you", "stopped", 2)


def test_a_stream_without_its_end_is_no_answer(stub: Stub) -> None:
    stub.body = events(*texts("Hi"))
    with pytest.raises(EngineError, match="cut off"):
        chat(stub)


def test_an_error_within_a_stream_is_told_in_its_own_words(stub: Stub) -> None:
    error = {"message": "The model does not answer.", "code": "engine_failed"}
    stub.body = events(*texts("Hi"), ("error", {"type": "error", "error": error}))
    with pytest.raises(EngineError) as caught:
        chat(stub)
    assert caught.value.why == "The model does not answer."


def test_a_prompt_that_does_not_fit_is_told_apart(stub: Stub) -> None:
    error = {"message": "The prompt has 70 tokens; 63 fit here.", "code": "bad_request"}
    stub.status, stub.body = 400, json.dumps({"error": error}).encode()
    with pytest.raises(TooLongError) as caught:
        chat(stub)
    assert caught.value.why == error["message"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"event: text\ndata: {no\n\n", id="no JSON"),
        pytest.param(b"event: text\ndata: []\n\n", id="a list"),
        pytest.param(events(("text", {"text": None})), id="no text"),
        pytest.param(events(("end", {"finish": "stop"})), id="an end without counts"),
        pytest.param(events(("other", {})), id="an event of another kind"),
        pytest.param(b"\xff\xfe\n", id="no characters"),
    ],
)
def test_a_stream_that_is_not_understood_is_a_refusal(stub: Stub, body: bytes) -> None:
    stub.body = body
    with pytest.raises(EngineError):
        chat(stub)
