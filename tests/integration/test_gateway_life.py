# SPDX-License-Identifier: Apache-2.0
"""The gateway keeps streams and requests while engines, keys and itself come and go."""

from __future__ import annotations

import http.client
import threading
import time

import openai
import pytest
from tests.integration.gateway_upstream.door import (
    KEY,
    LIMIT,
    Door,
    Load,
    read_events,
    streaming,
    until,
)

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker


# Streams.


def test_each_chunk_arrives_before_the_next_one_is_sent(door: Door) -> None:
    with streaming(door) as (_, response):
        read_events(door, response, range(5))
        assert response.read() == b""


def test_a_client_that_leaves_a_stream_ends_the_work(door: Door) -> None:
    with streaming(door) as (_, response):
        read_events(door, response, range(1))
    assert door.side("left")


def test_a_client_that_leaves_before_an_answer_ends_the_work(door: Door) -> None:
    with door.connection() as connection:
        headers = {"Authorization": f"Bearer {KEY}"}
        connection.request("POST", "/v1/completions", b'{"model": "hang"}', headers)
        assert door.side("waiting")
    assert door.side("left")


# The engine comes and goes.


def test_before_the_engine_exists_the_gateway_says_when_to_come_back(lone_door: Door) -> None:
    assert lone_door.ask("/livez", key=None).status == 200
    for path, key in (("/health", None), ("/v1/models", KEY)):
        answer = lone_door.ask(path, key=key)
        assert answer.status == 503
        assert answer.error["code"] == "engine_not_ready"
        assert answer.headers["Retry-After"] == "5"
    assert lone_door.ask("/v1/models", key=None).status == 401
    assert lone_door.ask("/pause").status == 404
    with lone_door.openai() as client, pytest.raises(openai.InternalServerError) as caught:
        client.models.list()
    assert caught.value.status_code == 503
    assert caught.value.code == "engine_not_ready"


def test_an_engine_that_was_recreated_elsewhere_is_found_again(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    # The name is unknown before there is an engine, too.
    unknown = lone_door.log().count("DNS NX status")
    lone_door.stop_upstream()
    lone_door.wait_for(503)
    # Until its name is forgotten, whoever gets the address that is free now is taken for it.
    until(lambda: lone_door.log().count("DNS NX status") > unknown)
    # What holds that address, so that the engine gets another.
    with lone_door.new_upstream().with_network_aliases("other"):
        lone_door.start_upstream()
        lone_door.wait_for(200)
        # A check that began before the new one could answer may put it off once more.
        until(lambda: lone_door.ask("/v1/models").status == 200)
        assert len(lone_door.seen()) == 1


def test_an_engine_that_is_not_ready_gets_no_request_but_keeps_its_streams(door: Door) -> None:
    with streaming(door) as (_, response):
        read_events(door, response, range(2))
        door.side("health/503")
        until(lambda: b"engine_not_ready" in door.ask("/health", key=None).body)
        answer = door.ask("/v1/completions", {"prompt": "x"})
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        read_events(door, response, range(2, 5))
    assert [seen["path"] for seen in door.seen()] == ["/v1/chat/completions"]


def test_an_engine_that_breaks_off_is_a_502_and_is_not_asked_twice(door: Door) -> None:
    answer = door.ask("/v1/completions", {"model": "break"})
    assert answer.status == 502
    assert answer.error["type"] == "server_error"
    assert len(door.seen()) == 1


# Reload and stop.


def test_a_reload_under_load_loses_no_request(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with Load(lone_door) as load:
        for number in range(5):
            lone_door.reload(KEY, f"another-{number}")
            until(lambda: lone_door.ask("/livez", key=None).status == 200)
            time.sleep(0.3)
    assert load.failures == []
    assert set(load.statuses) == {200}
    assert len(load.statuses) > 100


def test_a_reload_reads_the_keys_again_and_keeps_the_streams(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with streaming(lone_door) as (_, response):
        read_events(lone_door, response, range(2))
        lone_door.reload("the-new-key")
        until(lambda: lone_door.ask("/v1/models", key="the-new-key").status == 200)
        assert lone_door.ask("/v1/models").status == 401
        read_events(lone_door, response, range(2, 5))


def test_a_configuration_that_is_wrong_leaves_the_old_one_serving(lone_door: Door) -> None:
    config = lone_door.folder / "config"
    (config / "new").write_text("frontend {\n")
    (config / "new").replace(config / "haproxy.cfg")
    lone_door.container.kill("SIGUSR2")
    until(lambda: "unknown keyword" in lone_door.log() or "Error(s) found" in lone_door.log())
    assert lone_door.ask("/livez", key=None).status == 200
    assert lone_door.ask("/v1/models", key=None).status == 401


def test_a_stop_lets_a_running_stream_end_and_takes_nothing_new(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with streaming(lone_door) as (_, response):
        read_events(lone_door, response, range(2))
        stopping = threading.Thread(target=lone_door.container.stop, kwargs={"timeout": LIMIT})
        stopping.start()
        time.sleep(0.5)
        with pytest.raises((OSError, http.client.HTTPException)):
            lone_door.ask("/livez", key=None)
        read_events(lone_door, response, range(2, 5))
        assert response.read() == b""
    stopping.join()
    assert lone_door.container.wait(timeout=LIMIT)["StatusCode"] == 0
