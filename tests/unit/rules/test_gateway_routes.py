# SPDX-License-Identifier: Apache-2.0
"""Engines behind one gateway are told apart, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ttctl.adapters import places
from ttctl.adapters.templates import ShippedRecipes
from ttctl.errors import UsageError
from ttctl.rules.gateway_routes import (
    BODY_BYTES,
    BUFFER_BYTES,
    MEMORY_MIB,
    Behind,
    several_values,
)

RECIPES = ShippedRecipes(places.shipped())
VLLM = Behind(name="vllm", port=8000, paths=("/v1/completions", "/metrics"), models=("llama",))
API = Behind(name="api", port=8001, paths=("/chat", "/metrics"), models=("acme/llama",))
SD = Behind(
    name="sd",
    port=8002,
    paths=("/v1/images/generations", "/v1/images/*/progress"),
    models=("sdxl",),
    says_models=False,
    liveness=True,
    sends_key=True,
    old_prefixes=(("/v1/images", "/image"),),
)


def config(*engines: Behind) -> str:
    gateway = RECIPES.defaults("gateway")
    values = several_values(engines, gateway=gateway, max_body_bytes=1000)
    return RECIPES.template("gateway/haproxy.cfg.j2", values)


def test_two_engines_may_serve_one_model_where_only_one_is_told_apart_by_it() -> None:
    same = Behind(name="api", port=8001, paths=("/chat",), says_models=False, serves="llama")
    text = config(VLLM, same)
    told = [line for line in text.splitlines() if "to_api { path /v1/models }" in line]
    unready, own = told
    assert unready.endswith(" !ready_api")
    assert '"id":"llama"' in own
    plain = [line for line in text.splitlines() if "var(txn.models)]" in line]
    assert [line.count('"owned_by":"vllm"') for line in plain] == [1]
    assert "str(api) if !meant { var(txn.model)" not in text


def test_each_engine_is_a_backend_behind_a_prefix() -> None:
    text = config(VLLM, API, SD)
    for name, port in (("vllm", 8000), ("api", 8001), ("sd", 8002)):
        assert f"\nbackend {name}\n" in text
        assert f"server {name} {name}:{port} check" in text
        assert f"use_backend {name} if to_{name}\n" in text
    assert "default_backend" not in text


def test_an_engine_is_ready_when_it_has_passed_a_check_since_it_was_down() -> None:
    lines = [line.strip() for line in config(replace(VLLM, name="llama-2"), SD).splitlines()]
    alive = "http-request set-log-level silent if { path /livez }"
    for name, variable in (("llama-2", "llama_2"), ("sd", "sd")):
        forget = f"http-request unset-var(proc.passed_{variable}) if {{ nbsrv({name}) eq 0 }}"
        assert lines.index(forget) < lines.index(alive)
        backend = lines[lines.index(f"backend {name}") :]
        passed = backend.index(f"http-check set-var(proc.passed_{variable}) bool(true)")
        assert backend[passed - 1].startswith("http-check expect ")
    assert sum("nbsrv(" in line for line in lines) == 2


def test_the_buffers_of_bodies_take_half_of_the_gateways_memory_and_no_more() -> None:
    text = config(VLLM, API)
    count = int(text.partition("tune.buffers.limit ")[2].split()[0])
    half = MEMORY_MIB * 2**20 // 2
    assert half - BUFFER_BYTES < count * BUFFER_BYTES <= half
    assert f"tune.bufsize {BUFFER_BYTES}\n" in text
    assert BUFFER_BYTES > BODY_BYTES


def test_there_are_more_buffers_than_connections_so_that_half_a_head_takes_no_ones() -> None:
    text = config(VLLM, API)
    buffers, most = (
        int(text.partition(f"{word} ")[2].split()[0]) for word in ("tune.buffers.limit", "maxconn")
    )
    assert buffers > most * 1.1


def test_a_path_that_one_engine_alone_has_names_it() -> None:
    text = config(VLLM, API, SD)
    assert "set-var(txn.to) str(api) if !meant { path /chat }" in text
    assert "{ path_reg ^/v1/images/[A-Za-z0-9][A-Za-z0-9_-]*/progress$ }" in text
    assert "if !meant { path /metrics }" not in text


def test_what_one_engine_needs_is_asked_for_that_one_alone() -> None:
    text = config(VLLM, SD)
    assert "set-path /tt-liveness if to_sd { path /health }" in text
    assert 'str(engine),map_str(/run/secrets/gateway/engine.map)]" if to_sd' in text
    assert "replace-path ^/v1/images(/.*)$ /image\\1 if to_sd\n" in text
    assert "/tt-liveness if to_vllm" not in text
    assert "http-check expect string '\"model_ready\":true'" in text.partition("backend sd\n")[2]


@pytest.mark.parametrize(
    ("engines", "word"),
    [
        ((VLLM, VLLM), "vllm"),
        ((VLLM, Behind(name="api", port=1, paths=(), models=("llama",))), "llama"),
        ((VLLM, Behind(name="v1", port=1, paths=())), "v1"),
    ],
)
def test_engines_that_cannot_be_told_apart_are_refused(
    engines: tuple[Behind, ...], word: str
) -> None:
    with pytest.raises(UsageError, match="cannot be told apart") as caught:
        config(*engines)
    assert repr(word) in caught.value.why


def test_a_path_that_several_engines_have_is_answered_with_where_it_is() -> None:
    text = config(VLLM, API, SD)
    (told,) = [line for line in text.splitlines() if "engine_not_named" in line]
    assert "before it: /vllm/metrics, /api/metrics." in told
    assert told.endswith("if !meant !{ method POST } { path /metrics }")


def test_each_entry_of_a_list_that_the_gateway_makes_up_has_openais_fields() -> None:
    text = config(VLLM, API, SD)
    entries = [line for line in text.splitlines() if '"object":"model"' in line]
    assert len(entries) == 3 + 1 + 3
    for line in entries:
        assert '"created":%[var(proc.since)],"owned_by":"' in line
    assert text.index("set-var proc.since date") < text.index("defaults\n")


def test_one_model_is_answered_by_the_gateway_under_each_name_and_prefix() -> None:
    text = config(VLLM, replace(API, models=(), serves="llama"))
    for name in ("vllm", "api"):
        assert f"if retrieves to_{name} {{ var(txn.model) -m str llama }}" in text
