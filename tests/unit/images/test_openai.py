# SPDX-License-Identifier: Apache-2.0
"""Does the middleware leave of vLLM's answers what OpenAI's schema has, and touch nothing else?"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from ttctl_openai import AsOpenAI, without_nulls

if TYPE_CHECKING:
    from ttctl_openai import Receive, Send

CHAT = "/v1/chat/completions"
NAMED = b'{"model":"m","messages":[]}'
JSON = b"application/json"
Message = dict[str, Any]


class Server:
    """vLLM's server as the middleware sees it: it reads a request whole, and sends its messages."""

    def __init__(self, *parts: bytes, status: int = 200, kind: bytes = JSON) -> None:
        self.parts, self.status, self.kind = parts, status, kind
        self.read: list[Message] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        while True:
            self.read.append(await receive())
            if not self.read[-1].get("more_body"):
                break
        length = str(sum(map(len, self.parts))).encode()
        headers = [(b"content-length", length), (b"content-type", self.kind), (b"x-kept", b"1")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for number, part in enumerate(self.parts, 1):
            more = number < len(self.parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})


def asked(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def ask(
    server: Server, *messages: Message, path: str = CHAT, method: str = "POST"
) -> list[Message]:
    """Return what the middleware sends."""
    coming, sent = list(messages), []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(AsOpenAI(server)(scope, receive, send))
    return sent


def body_of(sent: list[Message]) -> bytes:
    return b"".join(one["body"] for one in sent[1:])


ANSWER = {
    "id": "1",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "annotations": None,
                "audio": None,
                "function_call": None,
                "reasoning": None,
            },
            "logprobs": None,
            "stop_reason": None,
        }
    ],
    "service_tier": None,
    "system_fingerprint": None,
    "usage": {
        "prompt_tokens": 1,
        "prompt_tokens_details": None,
        "completion_tokens_details": None,
    },
    "kv_transfer_params": None,
}


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def test_nulls_that_the_schema_has_no_place_for_are_left_out_and_others_stay() -> None:
    sent = ask(Server(encoded(ANSWER)), asked(NAMED))
    told = json.loads(body_of(sent))
    message = {"role": "assistant", "content": None, "refusal": None, "audio": None}
    assert told == {
        "id": "1",
        "choices": [
            {
                "index": 0,
                "message": {**message, "reasoning": None},
                "logprobs": None,
                "stop_reason": None,
            }
        ],
        "usage": {"prompt_tokens": 1},
        "kv_transfer_params": None,
    }
    headers = dict(sent[0]["headers"])
    assert headers[b"content-length"] == str(len(body_of(sent))).encode()
    assert headers[b"x-kept"] == b"1"


def test_what_has_a_value_stays_byte_for_byte() -> None:
    full = {
        "choices": [{"message": {"content": "\N{EURO SIGN} :null", "tool_calls": [{"id": "a"}]}}],
        "service_tier": "auto",
        "usage": {"prompt_tokens_details": {"cached_tokens": 3}, "x": 1e-05, "y": None},
    }
    assert without_nulls(encoded(full)) == encoded(full)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"usage":null', id="cut"),
        pytest.param(b'"\xff:null"', id="no UTF-8"),
        pytest.param(b"[" * 200_000 + b":null", id="too deep"),
        pytest.param(b'[1,{"a":null}]', id="no object"),
        pytest.param(b'{"choices":3,"usage":null}', id="of another form"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_answer_that_is_none_of_openais_passes_as_it_is(body: bytes) -> None:
    assert body_of(ask(Server(body), asked(NAMED))) == body


def test_an_answer_in_parts_is_whole_before_it_is_read() -> None:
    whole = encoded(ANSWER)
    sent = ask(Server(whole[:50], whole[50:]), asked(NAMED))
    assert len(sent) == 2
    assert b"annotations" not in body_of(sent)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(
            Server(b'data: {"usage":null}\n\n', b"data: [DONE]\n\n", kind=b"text/event-stream"),
            id="a stream",
        ),
        pytest.param(Server(b'{"service_tier":null}', status=404), id="an error"),
    ],
)
def test_a_stream_and_an_error_pass_message_by_message(server: Server) -> None:
    sent = ask(server, asked(NAMED))
    assert [one["body"] for one in sent[1:]] == list(server.parts)
    assert (b"content-type", server.kind) in sent[0]["headers"]


@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/behind/v1/completions"])
@pytest.mark.parametrize("body", [b"{}", b'{"model":null}', b'{"model":""}'])
def test_a_request_without_a_model_is_refused_as_openai_refuses_it(body: bytes, path: str) -> None:
    sent = ask(Server(b'{"object":"chat.completion"}'), asked(body), path=path)
    assert sent[0]["status"] == 400
    error = json.loads(body_of(sent))["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "model")
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(body_of(sent))).encode()


def test_who_has_no_key_is_told_that_first_and_nothing_is_computed() -> None:
    server = Server(b'{"error":"Unauthorized"}', status=401)
    sent = ask(server, asked(b'{"messages":[{"role":"user","content":"Hello"}]}'))
    assert (sent[0]["status"], body_of(sent)) == (401, b'{"error":"Unauthorized"}')
    assert server.read == [asked(b"{}")]


@pytest.mark.parametrize(
    "body", [NAMED, b"", b"no JSON", b"\xff", b"[" * 200_000, b"[]", b'{"model":1}']
)
def test_every_other_request_reaches_vllm_as_it_came(body: bytes) -> None:
    server = Server(b"{}")
    assert ask(server, asked(body))[0]["status"] == 200
    assert server.read == [asked(body)]


def test_a_request_in_parts_arrives_whole_and_a_client_that_left_is_told_of() -> None:
    server = Server(b"{}")
    ask(server, asked(NAMED[:9], more=True), asked(NAMED[9:]))
    assert server.read == [asked(NAMED)]
    gone = {"type": "http.disconnect"}
    server = Server(b"{}")
    ask(server, asked(NAMED[:9], more=True), gone)
    assert server.read == [gone]


@pytest.mark.parametrize(
    ("path", "method"), [("/v1/embeddings", "POST"), (CHAT, "OPTIONS"), ("/health", "GET")]
)
def test_other_paths_are_not_touched(path: str, method: str) -> None:
    server = Server(b'{"service_tier":null}')
    sent = ask(server, asked(b"a", more=True), asked(b"b"), path=path, method=method)
    assert body_of(sent) == server.parts[0]
    assert server.read == [asked(b"a", more=True), asked(b"b")]


def test_what_is_no_request_reaches_vllm() -> None:
    asyncio.run(AsOpenAI(Server())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
