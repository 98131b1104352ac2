# SPDX-License-Identifier: Apache-2.0
"""Does the server keep what OpenAI's images promise, and hold when clients leave or crowd?"""

from __future__ import annotations

import base64
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from openai import APIStatusError, OpenAI
from tests.unit.images.sd.fakes import ABILITIES, FakeBackend
from tests.unit.images.sd.serving import Running, running, until
from tests.unit.images.sd.test_png import read


def client(server: Running, key: str = "none") -> OpenAI:
    return OpenAI(base_url=f"{server.base}/v1", api_key=key, max_retries=0)


def events_of(body: bytes) -> list[dict[str, Any]]:
    blocks = body.decode().strip().split("\n\n")
    found = [
        json.loads(line.removeprefix("data: "))
        for block in blocks
        for line in block.splitlines()
        if line.startswith("data: ")
    ]
    assert [f"event: {one['type']}" for one in found] == [
        line for line in body.decode().splitlines() if line.startswith("event: ")
    ]
    return found


def test_openais_client_draws_and_gets_a_png() -> None:
    with running() as server:
        found = client(server).images.generate(
            prompt="a red circle", model="sd", n=2, size="16x24", response_format="b64_json",
            extra_body={"seed": 5, "steps": 2, "negative_prompt": "blue"},
        )  # fmt: skip
        assert found.data is not None
        pixels = [read(base64.b64decode(one.b64_json or "")) for one in found.data]
        assert [one[:2] for one in pixels] == [(16, 24)] * 2
        # Each further image has the next seed.
        assert [one[2][0] for one in pixels] == [5, 6]
        assert found.size == "16x24"
        assert server.backend.drawn[0].negative_prompt == "blue"
        assert [one.id for one in client(server).models.list()] == ["sd"]


def test_the_same_seed_gives_the_same_bytes_alone_or_among_others() -> None:
    with running() as server:
        several = server.draw(seed=5, n=3).json["data"]
        assert [one["seed"] for one in several] == [5, 6, 7]
        alone = [server.draw(seed=seed).json["data"][0]["b64_json"] for seed in (5, 6, 7)]
        assert [one["b64_json"] for one in several] == alone
        # A seed that was not given is told, and draws the same again.
        (any_one,) = server.draw().json["data"]
        assert server.draw(seed=any_one["seed"]).json["data"] == [any_one]


def test_an_address_holds_the_image_itself() -> None:
    with running() as server:
        (found,) = server.draw(response_format="url").json["data"]
        kind, _, data = found["url"].partition(",")
        assert kind == "data:image/png;base64"
        assert read(base64.b64decode(data))[:2] == (16, 16)
        assert "b64_json" not in found


def test_a_stream_tells_each_step_and_ends_each_image_as_openai_does() -> None:
    with running() as server:
        answer = server.draw(stream=True, n=2, seed=1)
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = events_of(answer.body)
        kinds = [one["type"].removeprefix("image_generation.") for one in found]
        assert kinds == ["progress"] * 3 + ["completed"] + ["progress"] * 3 + ["completed"]
        assert [(one["step"], one["steps"]) for one in found[:3]] == [(1, 3), (2, 3), (3, 3)]
        assert [one["image"] for one in found] == [0] * 4 + [1] * 4
        assert found[3]["b64_json"] == server.draw(seed=1).json["data"][0]["b64_json"]


def test_openais_client_reads_the_stream() -> None:
    with running() as server:
        stream = client(server).images.generate(prompt="a red circle", stream=True)
        found = [event for event in stream if event.type == "image_generation.completed"]
        assert read(base64.b64decode(found[0].b64_json))[:2] == (16, 16)


@pytest.mark.parametrize(
    ("path", "raw", "status", "code"),
    [
        pytest.param("/v1/images/generations", b"{", 400, "not_json", id="no JSON"),
        pytest.param("/v1/images/generations", b"[" * 60000, 400, "not_json", id="deep"),
        pytest.param(
            "/v1/images/generations",
            b'"' + b"x" * 140000 + b'"',
            413,
            "request_too_large",
            id="long",
        ),
        pytest.param("/v1/images/generations", b"\xff\xfe", 400, "not_json", id="no text"),
        pytest.param(
            "/v1/images/generations", None, 405, "method_not_allowed", id="another method"
        ),
        pytest.param("/v1/images/edits", b"{}", 404, "unknown_url", id="no such path"),
        pytest.param(
            "/v1/images/generations", b"{}", 400, "missing_required_parameter", id="nothing"
        ),
        pytest.param(
            "/v1/images/generations",
            b'{"prompt": "p", "model": "x"}',
            404,
            "model_not_found",
            id="another model",
        ),
    ],
)
def test_every_refusal_is_in_openais_shape(
    path: str, raw: bytes | None, status: int, code: str | None
) -> None:
    with running() as server:
        answer = server.ask(path, raw=raw)
        assert answer.status == status
        error = answer.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["code"] == code


def test_a_value_as_deep_as_a_reader_goes_is_refused_and_no_failure() -> None:
    with running() as server:
        for depth in range(880, 1000, 2):
            deep = b"[" * depth + b"]" * depth
            for name in (b"steps", b"size", b"model", b"response_format", b"output_format"):
                body = b'{"prompt": "p", "num_inference_steps": ' + deep + b', "%s": %s}'
                assert server.ask("/v1/images/generations", raw=body % (name, deep)).status == 400


def test_while_it_loads_it_says_so_and_nobody_waits() -> None:
    backend = FakeBackend()
    backend.may_load.clear()
    with running(backend, loaded=False) as server:
        assert (server.ask("/health").status, server.ask("/health").json["status"]) == (
            503,
            "loading",
        )
        answer = server.draw()
        assert (answer.status, answer.json["error"]["code"]) == (503, "model_loading")
        assert int(answer.headers["retry-after"]) >= 1
        backend.may_load.set()
        until(lambda: server.ask("/health").status == 200, "it is healthy")
        assert server.draw().status == 200


def test_a_model_that_cannot_be_loaded_ends_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running(FakeBackend(broken="no weights"), loaded=False) as server:
        until(lambda: server.could_not_load, "the server is told to end")
        assert server.ask("/health").json["status"] == "broken"
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["reason"] for one in said if one["event"] == "cannot load"] == ["no weights"]


def test_the_key_opens_all_but_health_and_metrics() -> None:
    with running(key=b"a-secret") as server:
        assert server.ask("/metrics").status == 200
        for path in ("/v1/models", "/docs", "/openapi.json", "/no-such-path"):
            answer = server.ask(path)
            assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
        for given in ("Bearer a-secre", "Bearer a-secret2", "a-secret", "Bearer \xff"):
            assert server.ask("/v1/models", headers={"Authorization": given}).status == 401
        found = client(server, "a-secret").images.generate(prompt="p")
        assert found.data
        with pytest.raises(APIStatusError) as caught:
            client(server, "another").images.generate(prompt="p")
        assert caught.value.status_code == 401


def test_a_full_line_says_when_to_come_back() -> None:
    backend = FakeBackend()
    with running(backend, room=2) as server, ThreadPoolExecutor(3) as pool:
        backend.may_step.clear()
        drawn = [pool.submit(server.draw, seed=1)]
        assert backend.stepping.wait(20)
        drawn += [pool.submit(server.draw, seed=seed) for seed in (2, 3)]
        until(lambda: server.metric("waiting") == 2, "two wait")
        assert server.metric("running_seconds") > 0
        answer = server.draw(seed=4)
        assert (answer.status, answer.json["error"]["code"]) == (503, "line_full")
        assert int(answer.headers["retry-after"]) >= 1
        assert server.ask("/health").status == 200
        backend.may_step.set()
        assert [one.result().status for one in drawn] == [200] * 3
    assert sorted(one.seed for one in backend.drawn) == [1, 2, 3]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_client_that_leaves_is_not_drawn_for_any_more(*, stream: bool) -> None:
    backend = FakeBackend()
    with running(backend) as server:
        backend.may_step.clear()
        connection = server.begin(n=4, steps=50, stream=stream)
        assert backend.stepping.wait(20)
        connection.close()
        until(lambda: server.service.line.deserted, "the work is told")
        backend.may_step.set()
        until(lambda: server.metric("running") == 0, "it is idle")
        assert (len(backend.drawn), backend.steps) == (1, 1)
        assert server.metric("abandoned_total") == 1
        assert server.draw().status == 200


def test_a_card_finishes_the_image_and_no_further_one() -> None:
    backend = FakeBackend()
    backend.abilities = type(backend.abilities)(
        default_size=(16, 16), default_steps=3, default_guidance=5.0
    )
    with running(backend) as server:
        backend.may_step.clear()
        connection = server.begin(n=4)
        assert backend.stepping.wait(20)
        connection.close()
        until(lambda: server.service.line.deserted, "the work is told")
        backend.may_step.set()
        until(lambda: server.metric("abandoned_total") == 1, "it is thrown away")
        assert (len(backend.drawn), backend.steps) == (1, 3)


def test_fifty_at_once_half_of_whom_leave_lose_nobody_and_leave_the_line_empty() -> None:
    backend = FakeBackend()
    with running(backend, room=64) as server, ThreadPoolExecutor(25) as pool:
        backend.may_step.clear()
        first = server.begin()
        assert backend.stepping.wait(20)
        leaving = [server.begin(stream=bool(number % 2)) for number in range(24)]
        staying = [pool.submit(server.draw, seed=seed) for seed in range(25)]
        until(lambda: server.metric("waiting") == 49, "all wait")
        for connection in [first, *leaving]:
            connection.close()
        until(lambda: server.metric("waiting") == 25, "those who left are out of the line")
        backend.may_step.set()
        assert [one.result().status for one in staying] == [200] * 25
        until(lambda: (server.metric("running"), server.metric("waiting")) == (0, 0), "idle")
    assert {one.seed for one in backend.drawn[1:]} == set(range(25))


def test_a_failure_says_nothing_of_the_prompt_and_many_make_it_unhealthy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    backend = FakeBackend()
    with running(backend) as server:
        backend.fails = 4
        for _ in range(3):
            answer = server.draw(prompt="my-secret-prompt")
            assert (answer.status, answer.json["error"]["type"]) == (500, "server_error")
        assert server.ask("/health").json["status"] == "failing"
        (event,) = events_of(server.draw(prompt="my-secret-prompt", stream=True).body)
        assert event["error"]["type"] == "server_error"
        assert server.draw().status == 200
        assert server.ask("/health").status == 200
        assert server.metric("failures_total") == 4
    assert "my-secret-prompt" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("sizes", [(), ((48, 32),)], ids=["any size", "one size"])
def test_what_failed_comes_back_by_itself_since_behind_a_gateway_nobody_asks_it(
    sizes: tuple[tuple[int, int], ...],
) -> None:
    abilities = replace(ABILITIES, default_size=(48, 32), multiple=4, sizes=sizes)
    backend = FakeBackend(abilities)
    with running(backend) as server:
        backend.fails = 5
        assert [server.draw().status for _ in range(3)] == [500] * 3
        assert server.ask("/health").status == 503
        until(lambda: backend.fails == 0, "two of its own drawings fail, too")
        assert server.ask("/health").json["status"] == "failing"
        until(lambda: server.ask("/health").status == 200, "it is well again, unasked")
        own = backend.drawn[3:]
        assert {(one.width, one.height) for one in own} == {sizes[0] if sizes else (32, 32)}
        # Of its own drawings nobody is told, and while all is well it draws none.
        assert (len(own), server.metric("images_total"), server.metric("failures_total")) == (
            3, 0, 3,
        )  # fmt: skip


def test_the_log_is_lines_of_json_without_prompts(capsys: pytest.CaptureFixture[str]) -> None:
    with running() as server:
        server.draw(prompt="my-secret-prompt", negative_prompt="my-other-secret")
        server.ask("/my-secret-path")
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert not said.out
    assert {"loaded", "request"} <= {one["event"] for one in lines}
    paths = [one["path"] for one in lines if one["event"] == "request"]
    assert paths == ["/v1/images/generations", "other"]
    assert "secret" not in said.err


def test_the_numbers_are_as_prometheus_reads_them() -> None:
    with running() as server:
        server.draw(n=2)
        text = server.ask("/metrics").body.decode()
        assert server.metric("images_total") == 2
        assert server.metric("ready") == 1
        path = 'path="/v1/images/generations",status="200"'
        assert server.metric(f"requests_total{{{path}}}") == 1
        for line in text.splitlines():
            assert line.startswith(("# HELP ttctl_sd_", "# TYPE ttctl_sd_", "ttctl_sd_")), line


def test_the_page_of_the_api_is_there() -> None:
    with running() as server:
        schema = server.ask("/openapi.json").json
        assert "requestBody" in schema["paths"]["/v1/images/generations"]["post"]
        found = server.ask("/docs")
        assert b"<code>negative_prompt</code>" in found.body
        assert "default-src 'none'" in found.headers["content-security-policy"]


def test_told_to_stop_it_ends_what_it_draws_refuses_who_waits_and_gives_the_device_back() -> None:
    backend = FakeBackend()
    with running(backend) as server, ThreadPoolExecutor(2) as pool:
        backend.may_step.clear()
        first = pool.submit(server.draw, seed=1)
        assert backend.stepping.wait(20)
        second = pool.submit(server.draw, seed=2)
        until(lambda: server.metric("waiting") == 1, "one waits")
        server.server.handle_exit(signal.SIGTERM, None)
        answer = second.result()
        assert (answer.status, answer.json["error"]["code"]) == (503, "stopping")
        backend.may_step.set()
        assert first.result().status == 200
    assert backend.closed
    assert backend.threads == {"model"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_image_that_outlasts_a_stop_ends_with_an_error(*, stream: bool) -> None:
    backend = FakeBackend()
    with running(backend) as server, ThreadPoolExecutor(1) as pool:
        backend.may_step.clear()
        asked = pool.submit(server.draw, stream=stream)
        assert backend.stepping.wait(20)
        server.service.line.interrupt()
        backend.may_step.set()
        answer = asked.result()
    error = events_of(answer.body)[-1] if stream else answer.json
    assert error["error"]["code"] == "stopping"
    assert answer.status == (200 if stream else 503)


def test_told_to_stop_while_it_loads_it_waits_for_the_device() -> None:
    backend = FakeBackend()
    backend.may_load.clear()
    with running(backend, loaded=False) as server:
        server.server.handle_exit(signal.SIGTERM, None)
        until(lambda: server.service.state == "stopping", "it stops")
        assert not backend.closed
    # Leaving the block let it load.
    assert backend.closed
