# SPDX-License-Identifier: Apache-2.0
"""The gateway lets through what it should, and answers the rest in OpenAI's shape."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import time

import openai
import pytest
from testcontainers.core.container import DockerContainer
from tests.integration.gateway_upstream.door import (
    AUTHORIZED,
    BODY_LIMIT,
    KEY,
    LIMIT,
    ROOT,
    STAND_IN,
    Door,
    answer_of,
    request_bytes,
    until,
)

from ttctl.adapters.templates import ShippedRecipes

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

REFUSED = (STAND_IN / "refused.txt").read_text().split()
"""vLLM's other paths, then allowed ones in disguise."""


# The key.


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="missing"),
        pytest.param(["Authorization:"], id="empty"),
        pytest.param(["Authorization: Bearer"], id="scheme only"),
        pytest.param(["Authorization: Bearer "], id="empty key"),
        pytest.param(["Authorization: Bearer wrong"], id="wrong"),
        pytest.param([f"Authorization: Bearer {KEY}x"], id="longer"),
        pytest.param([f"Authorization: Bearer {KEY[:-1]}"], id="shorter"),
        pytest.param([f"Authorization: Bearer {KEY.upper()}"], id="other case"),
        pytest.param([f"Authorization: Basic {KEY}"], id="other scheme"),
        pytest.param([f"Authorization: {KEY}"], id="no scheme"),
        pytest.param([f"Authorization: Bearer  {KEY}"], id="two spaces"),
        pytest.param([f"Authorization: Bearer {KEY} x"], id="trailing word"),
        pytest.param([f"Authorization: Bearer {KEY}, Bearer x"], id="list"),
        pytest.param([AUTHORIZED, AUTHORIZED], id="twice the same"),
        pytest.param([AUTHORIZED, "Authorization: Bearer x"], id="twice"),
        pytest.param(["Authorization: Bearer", f" {KEY}"], id="folded"),
        pytest.param([f"X-Api-Key: {KEY}"], id="other header"),
        pytest.param([f"Authorization: Bearer {'a' * 600}"], id="long"),
        pytest.param([f"Authorization: Bearer {'a' * 14000}"], id="huge"),
        pytest.param(["Authorization: Bearer \u00ff\u20ac"], id="not ASCII"),
        pytest.param([f"Authorization: Bearer \0{KEY}"], id="zero byte"),
        pytest.param(
            [f"Authorization: Bearer {hashlib.sha256(KEY.encode()).hexdigest()}"], id="the hash"
        ),
    ],
)
def test_a_wrong_or_missing_key_is_a_401_in_openais_shape(door: Door, lines: list[str]) -> None:
    answer = answer_of(door.raw(request_bytes("GET /v1/models HTTP/1.1", *lines)))
    assert answer.status == 401
    assert answer.error["code"] == "invalid_api_key"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert door.seen() == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_schemes_case_does_not_matter(door: Door, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {KEY}"}
    assert door.ask("/v1/models", key=None, headers=headers).status == 200


def test_headers_beyond_what_is_read_are_refused_as_a_bad_request(door: Door) -> None:
    huge = f"Authorization: Bearer {'a' * 100_000}"
    answer = answer_of(door.raw(request_bytes("GET /v1/models HTTP/1.1", huge)))
    assert answer.status == 400


def test_the_key_comes_before_the_path_the_method_and_the_size(door: Door) -> None:
    assert door.ask("/nowhere", key=None).status == 401
    assert door.ask("/v1/models", method="DELETE", key=None).status == 401
    assert door.ask("/gateway/metrics", key=None).status == 401
    assert door.ask("/metrics", key=None).status == 401
    too_large = {"Content-Length": str(BODY_LIMIT + 1)}
    answer = door.ask("/v1/completions", method="POST", key=None, headers=too_large)
    assert answer.status == 401


def test_the_openai_client_knows_the_gateways_errors(door: Door) -> None:
    with door.openai("wrong") as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "invalid_api_key"
    with door.openai() as client, pytest.raises(openai.NotFoundError) as unknown:
        client.images.generate(prompt="x", model="x")
    assert unknown.value.code == "unknown_url"
    assert "POST /v1/images/generations" in unknown.value.message


def test_a_large_body_with_a_wrong_key_still_gets_its_401(door: Door) -> None:
    for _ in range(5):
        with door.openai("wrong") as client, pytest.raises(openai.AuthenticationError):
            client.completions.create(model="any", prompt="x" * 1_000_000)


def test_an_unknown_model_is_the_engines_own_404(door: Door) -> None:
    with door.openai() as client, pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="missing", messages=[])
    assert caught.value.param == "model"
    assert caught.value.type == "NotFoundError"


# The paths.


@pytest.mark.parametrize(
    "path",
    [
        *ShippedRecipes(ROOT).defaults("gateway").paths,
        "/v1/models/llama",
        "/v1/models/meta-llama/Llama-3.1-8B-Instruct",
        "/v1/models?limit=1",
    ],
)
def test_an_allowed_path_reaches_the_engine_as_it_is(door: Door, path: str) -> None:
    assert door.ask(path).status == 200
    assert [seen["path"] for seen in door.seen()] == [path]


@pytest.mark.parametrize("path", REFUSED)
def test_no_other_path_reaches_the_engine(door: Door, path: str) -> None:
    for method in ("GET", "POST"):
        line = f"{method} {path} HTTP/1.1"
        answer = answer_of(door.raw(request_bytes(line, AUTHORIZED, "Content-Length: 0")))
        assert answer.status == 404
        assert answer.error["code"] == "unknown_url"
    assert door.seen() == []


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param("GET http://x/v1/models HTTP/1.1", 404, id="absolute"),
        pytest.param("GET http://x/pause HTTP/1.1", 404, id="absolute administrative"),
        pytest.param("GET http://other/v1/models HTTP/1.1", 400, id="absolute other host"),
        pytest.param("GET v1/models HTTP/1.1", 400, id="relative"),
        pytest.param("GET /v1/models#/pause HTTP/1.1", 400, id="fragment"),
        pytest.param("GET /v1/models /pause HTTP/1.1", 400, id="space"),
        pytest.param("CONNECT vllm:8000 HTTP/1.1", 400, id="connect"),
        pytest.param("OPTIONS * HTTP/1.1", 404, id="asterisk"),
        pytest.param("TRACE /v1/models HTTP/1.1", 405, id="trace"),
        pytest.param("PRI * HTTP/2.0", 400, id="HTTP/2"),
    ],
)
def test_no_trick_of_the_request_line_reaches_the_engine(
    door: Door, line: str, status: int
) -> None:
    assert answer_of(door.raw(request_bytes(line, AUTHORIZED))).status == status
    assert door.seen() == []


def test_health_needs_no_key_only_in_its_plain_form(door: Door) -> None:
    assert door.ask("/health", key=None).body == b'{"health": 200}'
    assert door.ask("/livez", key=None).status == 200
    assert door.raw(request_bytes("GET http://x/health HTTP/1.1")).startswith(b"HTTP/1.1 401 ")
    assert door.ask("/health/x", key=None).status == 401


def test_an_unknown_path_is_told_back_as_valid_json(door: Door) -> None:
    line = f'GET /"{"<" * 4000}\\ HTTP/1.1'
    answer = answer_of(door.raw(request_bytes(line, AUTHORIZED)))
    assert answer.error["message"].startswith('Unknown request URL: GET /"<<<')


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "FOO"])
def test_another_method_is_a_405(door: Door, method: str) -> None:
    answer = door.ask("/v1/models", method=method)
    assert answer.status == 405
    assert answer.error["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert door.seen() == []


def test_no_upgrade_tunnels_past_the_checks(door: Door) -> None:
    upgrade = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]
    raw = door.raw(request_bytes("GET /v1/models HTTP/1.1", AUTHORIZED, *upgrade))
    assert raw.startswith(b"HTTP/1.1 200 ")
    assert not {"upgrade", "http2-settings"} & set(door.seen()[0]["headers"])


# The body.


def test_a_prompt_of_one_megabyte_passes_byte_by_byte(door: Door) -> None:
    body = json.dumps({"prompt": os.urandom(524_288).hex()}).encode()
    assert door.ask("/v1/completions", body).status == 200
    (seen,) = door.seen()
    assert (seen["length"], seen["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_body_at_the_limit_passes(door: Door) -> None:
    body = b'{"prompt": "%b"}' % (b"x" * (BODY_LIMIT - 14))
    assert len(body) == BODY_LIMIT
    assert door.ask("/v1/completions", body).status == 200


def test_a_body_beyond_the_limit_is_a_413_for_the_openai_client(door: Door) -> None:
    for _ in range(3):
        with door.openai() as client, pytest.raises(openai.APIStatusError) as caught:
            client.completions.create(model="any", prompt="x" * (BODY_LIMIT + 1))
        assert caught.value.status_code == 413
        assert caught.value.code == "request_too_large"
    assert door.seen() == []


@pytest.mark.parametrize(
    ("length", "status"),
    [
        pytest.param(str(BODY_LIMIT + 1), 413, id="one more"),
        pytest.param(str(2**31), 413, id="31 bits"),
        pytest.param(str(2**32 + 1), 413, id="32 bits and one"),
        pytest.param(str(2**64 + 1), 413, id="64 bits and one"),
        pytest.param("0" * 20 + "2", 413, id="zeros before"),
        pytest.param("-1", 400, id="negative"),
        pytest.param("0x10", 400, id="hexadecimal"),
        pytest.param("2, 3", 400, id="two"),
    ],
)
def test_a_length_that_lies_is_refused(door: Door, length: str, status: int) -> None:
    line = "POST /v1/completions HTTP/1.1"
    raw = door.raw(request_bytes(line, AUTHORIZED, f"Content-Length: {length}", body=b"{}"))
    assert answer_of(raw).status == status
    assert door.seen() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_chunked_body_is_a_411_since_its_size_is_not_known(door: Door, method: str) -> None:
    line = f"{method} /v1/completions HTTP/1.1"
    chunked = [AUTHORIZED, "Transfer-Encoding: chunked"]
    answer = answer_of(door.raw(request_bytes(line, *chunked, body=b"2\r\n{}\r\n0\r\n\r\n")))
    assert answer.status == 411
    assert answer.error["code"] == "length_required"
    assert door.seen() == []


@pytest.mark.parametrize("coding", ["xchunked", "identity", "gzip, chunked", "chunked, chunked"])
def test_an_odd_coding_never_reaches_the_engine(door: Door, coding: str) -> None:
    lines = [AUTHORIZED, f"Transfer-Encoding: {coding}", "Content-Length: 2"]
    answer = answer_of(door.raw(request_bytes("POST /v1/completions HTTP/1.1", *lines, body=b"{}")))
    assert 400 <= answer.status < 500
    assert door.seen() == []


# What the engine sees.


def test_the_engine_sees_neither_the_key_nor_what_a_client_says_of_its_origin(door: Door) -> None:
    claimed = {
        "Forwarded": "for=1.2.3.4",
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-Prefix": "/evil",
        "X-Real-Ip": "1.2.3.4",
    }
    assert door.ask("/v1/models", headers=claimed).status == 200
    headers = door.seen()[0]["headers"]
    assert not {"authorization", *(name.lower() for name in claimed)} & set(headers)
    assert KEY not in json.dumps(headers)


def test_a_request_has_an_id_that_client_and_engine_see(door: Door) -> None:
    given = door.ask("/v1/models", headers={"X-Request-Id": "mine-1"})
    made = door.ask("/v1/models")
    odd = door.ask("/v1/models", headers={"X-Request-Id": 'a"b ' + "x" * 99})
    ids = [seen["headers"]["x-request-id"] for seen in door.seen()]
    assert ids == [answer.headers["X-Request-Id"] for answer in (given, made, odd)]
    assert ids[0] == "mine-1"
    assert {len(ids[1]), len(ids[2])} == {36}
    assert len(door.ask("/v1/models", key=None).headers["X-Request-Id"]) == 36


# The container.


def test_the_door_is_on_loopback_only_and_has_no_power(door: Door) -> None:
    door.container.reload()
    (published,) = door.container.attrs["NetworkSettings"]["Ports"]["8080/tcp"]
    assert published["HostIp"] == "127.0.0.1"
    command = ["bash", "-c", "cat /proc/[0-9]*/status; ! touch /x /etc/ttctl/gateway/x /usr/x"]
    exit_code, output = door.container.exec_run(command)
    assert exit_code == 0
    processes = re.findall(r"^Name:.*?(?=^Name:|\Z)", output.decode(), re.MULTILINE | re.DOTALL)
    assert sum(text.startswith("Name:\thaproxy\n") for text in processes) >= 2
    for text in processes:
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["1000"] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"


def test_what_the_image_promises_holds_inside_it(gateway_image: str) -> None:
    verify = ROOT / "images" / "gateway" / "verify"
    container = DockerContainer(gateway_image).with_volume_mapping(verify, "/verify")
    container.with_tmpfs_mount("/tmp")  # noqa: S108 - a container's
    container.with_kwargs(entrypoint=["/verify"], read_only=True, cap_drop=["ALL"])
    with container:
        result = container.get_wrapped_container().wait(timeout=LIMIT)
        assert result["StatusCode"] == 0, container.get_logs()


def test_the_gateways_own_metrics_count_requests(door: Door) -> None:
    door.ask("/v1/models")
    text = door.ask("/gateway/metrics").body.decode()
    assert 'haproxy_backend_http_responses_total{proxy="engine",code="2xx"}' in text
    assert door.seen()[-1]["path"] == "/v1/models"


def test_a_log_line_is_an_object_without_key_prompt_or_query(door: Door) -> None:
    secret = "canary-of-a-prompt"  # noqa: S105 - a word to look for
    answer = door.ask(f"/v1/models?q={secret}", headers={"X-Note": secret})
    door.ask(f"/v1/completions?key={KEY}", {"prompt": secret})
    door.ask(f"/{KEY}/{secret}")
    door.ask(f"/{KEY}", key=f"{KEY}-wrong")
    request_id = answer.headers["X-Request-Id"]
    until(lambda: request_id in door.log())
    log = door.log()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["id"] == request_id]
    assert (line["key"], line["method"], line["path"]) == ("user", "GET", "/v1/models")
    assert (line["status"], line["end"]) == (200, "--")
    assert KEY not in log
    assert secret not in log
    assert hashlib.sha256(KEY.encode()).hexdigest() not in log


def test_a_client_that_sends_its_headers_byte_by_byte_is_sent_away(door: Door) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", door.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nX: ")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert 3 < time.monotonic() - started < 8
