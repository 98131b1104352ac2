# SPDX-License-Identifier: Apache-2.0
"""Does a stack with a card have one door, that leads to what its engine serves?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.launching import (
    contract_of,
    contracts,
    entries,
    gateway_config,
    named,
    parts_of,
    pins_of,
    stack_of,
)

from ttctl.errors import NothingFitsError
from ttctl.model.contract import LaunchHost
from ttctl.rules.device_stack import host_stacks
from ttctl.rules.launch import refusal
from ttctl.rules.launch_values import ENGINE_KEY, ENGINE_MAP, engine_map

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

LLAMA_N150 = "id_tt-transformers_Llama-3.1-8B-Instruct_n150"
STARTED = [
    pytest.param(spec, id=spec.id) for spec in entries() if not refusal(spec, contract_of(spec))
]
SDXL_N150 = next(
    one
    for one in entries()
    if one.model == "stabilityai/stable-diffusion-xl-base-1.0" and one.device == "n150"
)
MEDIA = [one for one in entries() if one.engine == "media"]
OLD_MEDIA = next(one for one in MEDIA if ":0.9.0-" in pins_of(one).image)
NEW_MEDIA = next(one for one in MEDIA if ":0.18.0-" in pins_of(one).image)
VIDEO = next(one for one in MEDIA if one.type == "VIDEO" and ":0.17.0-" in pins_of(one).image)


@pytest.mark.parametrize("spec", STARTED)
def test_only_the_gateway_publishes_and_the_engine_is_on_the_inner_network(spec: ModelSpec) -> None:
    stack = stack_of(spec, boards=("asic-1",))
    engine, door = stack.services
    assert (engine.name, door.name) == (spec.engine, "gateway")
    assert (engine.publish, door.publish) == (None, 8080)
    assert engine.networks[0] == "back"
    assert next(one for one in stack.networks if one.name == "back").internal
    assert (stack.device, stack.boards) == (spec.device, ("asic-1",))
    assert stack.contract == contract_of(spec).name


@pytest.mark.parametrize("device", ["gpu", "dual_galaxy", "quad_galaxy"])
def test_an_entry_that_is_not_started_is_refused_with_the_reason(device: str) -> None:
    spec = next(one for one in entries() if one.device == device)
    with pytest.raises(NothingFitsError) as caught:
        stack_of(spec)
    step = f"ttctl models show {spec.model}"
    if device != "gpu":
        step = f"ttctl render {spec.model} --device {device} -o deepseek-r1-0528"
    assert caught.value.next_step == step
    assert caught.value.why


@pytest.mark.parametrize("device", ["gpu", "galaxy", "unheard"])
def test_an_image_of_several_hosts_is_not_rendered_for_a_device_of_one(device: str) -> None:
    many = next(one for one in entries() if one.device == "dual_galaxy")
    spec = replace(many, device=device)
    with pytest.raises(NothingFitsError, match="is not started") as caught:
        host_stacks(spec, contract_of(many), parts_of(many))
    assert caught.value.next_step == f"ttctl models show {spec.model}"


def test_a_vllm_stack_passes_what_the_processors_stack_passes() -> None:
    config = gateway_config(named(LLAMA_N150))
    for path in ("/v1/chat/completions", "/v1/completions", "/tokenize", "/metrics"):
        assert f"    acl known path {path}\n" in config
    assert "uri /health" in config
    assert "engine.map" not in config
    assert "server vllm vllm:8000" in config


def test_a_media_stack_passes_the_documented_paths_and_those_with_a_number() -> None:
    config = gateway_config(VIDEO)
    for path in ("/v1/videos/generations", "/v1/videos/generations/i2v", "/v1/videos/jobs"):
        assert f"    acl known path {path}\n" in config
    assert "/v1/images" not in config
    assert "/v1/audio" not in config
    number = "/v1/videos/generations/[A-Za-z0-9][A-Za-z0-9_-]*"
    assert f"    acl known path_reg ^{number}$\n" in config
    assert f"    acl known path_reg ^{number}/download$\n" in config
    assert "engine.map" not in config
    assert "replace-path" not in config
    assert "server media media:8000" in config


def test_what_resets_a_card_is_not_let_through() -> None:
    for spec in entries():
        assert "tt-deep-reset" not in gateway_config(spec)
        assert "tt-reset-device" not in gateway_config(spec)


def test_an_older_media_image_is_asked_in_its_own_words() -> None:
    config = gateway_config(OLD_MEDIA)
    assert "replace-path ^/v1/images(/.*)$ /image\\1\n" in config
    assert "uri /tt-liveness" in config
    assert """http-check expect string '"model_ready":true'\n""" in config
    assert "set-path /tt-liveness if { path /health }" in config
    assert "map_str(/run/secrets/gateway/engine.map)" in config
    assert f'"id":"{OLD_MEDIA.model}"' in config


def test_gateway_and_start_script_read_the_key_under_the_names_that_are_said() -> None:
    config = gateway_config(OLD_MEDIA)
    name, _, key = engine_map("a-key").strip().partition(" ")
    assert f"str({name}),map_str(/run/secrets/gateway/{ENGINE_MAP})" in config
    assert key == "a-key"
    assert f"/run/secrets/engine/{ENGINE_KEY}\n" in contract_of(OLD_MEDIA).script


def test_the_cpp_server_is_asked_for_liveness_with_a_key_and_never_for_its_models() -> None:
    cpp = contracts()["media-cpp"]
    pins = replace(pins_of(SDXL_N150), contract="media-cpp", image="r/m:0.20.0-de59f8a")
    spec = replace(SDXL_N150, pins=pins)
    stack = stack_of(spec)
    environment = dict(stack.services[0].environment)
    assert environment["MODEL_RUNNER_TYPE"] == "tt_sdxl_generate"
    assert environment["DEVICE_MESH_SHAPE"] == "1,1"
    assert environment["SERVER_MODE"] == "cpp"
    config = gateway_config(spec)
    assert "uri /tt-liveness" in config
    assert "engine.map" in config
    assert cpp.name == stack.contract


def test_every_gateway_keeps_the_keys_and_the_limits() -> None:
    for spec in entries():
        config = gateway_config(spec)
        assert "map_str(/run/secrets/gateway/keys.map)" in config
        assert f"req.body_size gt {contract_of(spec).max_body_bytes}" in config
        assert "{{" not in config


def test_another_group_makes_another_container() -> None:
    spec = named(LLAMA_N150)
    plain = stack_of(spec, boards=("a",)).services[0]
    grouped = stack_of(spec, boards=("a",), host=LaunchHost(groups=("985",))).services[0]
    assert plain != grouped
