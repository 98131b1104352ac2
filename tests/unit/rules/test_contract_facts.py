# SPDX-License-Identifier: Apache-2.0
"""Does each contract say what was read of its images? One test for each fact, named after it."""

from __future__ import annotations

import re

import pytest
from tests.unit.rules.launching import (
    contract_of,
    contracts,
    entries,
    files_of,
    pins_of,
    service_of,
)

from ttctl.rules.confinement import shm_mib
from ttctl.rules.contract import image_version
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.launch import GPU

HOME = "/home/container_app_user"
CACHE = f"{HOME}/cache_root"
SHIPPED = contracts()
PREBUILT = ("vllm-legacy", "vllm-current", "media", "media-cpp", "forge", "multihost")
SERVERS = ("media", "media-cpp", "forge")
VLLM = ("vllm-legacy", "vllm-current", "multihost", "own")
ON_CARDS = [spec for spec in entries() if spec.device != GPU]


def environment(name: str) -> dict[str, str]:
    return dict(SHIPPED[name].environment)


def exempt(name: str, what: str) -> list[str]:
    return [one.value for one in SHIPPED[name].exemptions if one.what == what]


@pytest.mark.parametrize("name", PREBUILT)
def test_the_cache_root_is_where_upstreams_images_have_it(name: str) -> None:
    contract = SHIPPED[name]
    assert contract.cache == CACHE
    assert [one.target for one in contract.writable if one.folder == "."] == [CACHE]
    assert not contract.hub.startswith(CACHE)


@pytest.mark.parametrize("name", sorted(set(PREBUILT) - {"multihost"}))
def test_converted_tensors_lie_by_model_and_mesh_as_upstream_lays_them(name: str) -> None:
    path = environment(name)["TT_CACHE_PATH"]
    assert path == "{cache}/tt_metal_cache/cache_{model_name}/{mesh}"


def test_a_mesh_is_named_as_upstream_names_it() -> None:
    odd = {
        "n150x4": "N150x4", "galaxy": "TG", "galaxy_t3k": "T3K", "p150x4": "P150x4",
        "p150x8": "P150x8", "p300x2": "P300x2", "blackhole_galaxy": "BH-Galaxy",
        "dual_galaxy": "(8,8)", "quad_galaxy": "(8,16)",
    }  # fmt: skip
    assert {name: size.mesh for name, size in SIZES.items()} == {
        name: odd.get(name, name.upper()) for name in SIZES
    }


@pytest.mark.parametrize("name", PREBUILT)
def test_the_logs_of_tt_metal_go_where_the_images_have_a_folder(name: str) -> None:
    assert environment(name)["TT_METAL_LOGS_PATH"] == f"{HOME}/logs"


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_server_listens_on_port_8000_and_is_stopped_in_120_seconds(name: str) -> None:
    assert (SHIPPED[name].port, SHIPPED[name].stop_grace_s) == (8000, 120)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_hugepages_are_at_the_path_that_the_driver_library_looks_for_and_memory_is_pinned(
    name: str,
) -> None:
    assert exempt(name, "hugepages") == ["/dev/hugepages-1G"]
    assert exempt(name, "locked memory") == ["unlimited"]


def test_images_below_0_11_0_have_32_gib_of_their_own_and_later_ones_the_hosts_ipc() -> None:
    assert shm_mib(SHIPPED["vllm-legacy"]) == 32 * 1024
    assert {name for name in SHIPPED if exempt(name, "shared memory")} == {"vllm-legacy"}
    assert {name for name in SHIPPED if exempt(name, "host ipc")} == set(PREBUILT) - {"vllm-legacy"}


def test_the_old_entrypoint_is_roots_and_has_what_chown_chmod_and_gosu_take() -> None:
    assert exempt("vllm-legacy", "user") == ["0:0"]
    assert exempt("vllm-legacy", "writable root") == [""]
    assert exempt("vllm-legacy", "capability") == [
        "CHOWN", "FOWNER", "FSETID", "SETGID", "SETUID", "KILL",
    ]  # fmt: skip
    reasons = [one.reason for one in SHIPPED["vllm-legacy"].exemptions if one.what == "user"]
    assert "15863, or 1000" in reasons[0]


@pytest.mark.parametrize("name", ["vllm-current", *SERVERS, "own"])
def test_images_from_0_11_0_and_media_servers_run_as_1000_without_a_capability(name: str) -> None:
    assert exempt(name, "user") == exempt(name, "capability") == []


def test_old_images_read_the_weights_path_and_new_ones_the_weights_folder() -> None:
    assert {name for name in SHIPPED if "MODEL_WEIGHTS_PATH" in environment(name)} == {
        "vllm-legacy"
    }
    assert {name for name in SHIPPED if "MODEL_WEIGHTS_DIR" in environment(name)} == {
        "vllm-current"
    }
    assert "TT_MODEL_SPEC_JSON_PATH" in environment("vllm-legacy")
    assert "RUNTIME_MODEL_SPEC_JSON_PATH" in environment("vllm-current")


def test_an_old_image_gets_its_flags_in_the_spec_file_and_a_new_one_behind_its_name() -> None:
    assert "--model" not in " ".join(SHIPPED["vllm-legacy"].command)
    assert SHIPPED["vllm-legacy"].spec_form == "composed"
    words = ("--model", "{model}", "--tt-device", "{device}", "--no-auth")
    assert SHIPPED["vllm-current"].command == words


def test_a_media_server_is_told_model_and_device_and_sdxl_in_cpp_all_that_it_derives_not() -> None:
    for name in ("media", "forge"):
        assert environment(name).items() >= {"MODEL": "{model_name}", "DEVICE": "{device}"}.items()
        assert SHIPPED[name].no_key == (("NO_AUTH", "1"),)
        assert (SHIPPED[name].key_variable, SHIPPED[name].no_key_since) == ("API_KEY", "0.15.0")
    cpp = SHIPPED["media-cpp"]
    assert environment("media-cpp").items() >= {
        "SERVER_MODE": "cpp", "MODEL_SERVICE": "image", "MAX_BATCH_SIZE": "1",
        "SDXL_IMAGE_RESOLUTION": "1024x1024",
    }.items()  # fmt: skip
    assert (cpp.key_variable, cpp.no_key_since) == ("OPENAI_API_KEY", "")
    assert {dict(told)["MODEL_RUNNER_TYPE"] for _, told in cpp.model_environment} == {
        "tt_sdxl_generate", "tt_sdxl_image_to_image", "tt_sdxl_edit",
    }  # fmt: skip
    for device, told in cpp.device_environment:
        given = dict(told)
        assert re.fullmatch(r"[12],1", given["DEVICE_MESH_SHAPE"]), device
        assert (given["IS_GALAXY"] == "true") == (device == "galaxy")


def test_vllm_is_healthy_by_its_status_and_a_media_server_by_what_it_answers() -> None:
    for name in VLLM:
        assert (SHIPPED[name].health_path, SHIPPED[name].health_text) == ("/health", "")
    for name in ("media", "forge"):
        assert (SHIPPED[name].health_path, SHIPPED[name].health_since) == ("/health", "0.10.0")
    cpp = SHIPPED["media-cpp"]
    assert (cpp.health_path, cpp.health_text) == ("/tt-liveness", '"model_ready":true')


def test_a_media_image_below_0_10_0_is_asked_for_its_model_and_not_only_whether_it_lives() -> None:
    for spec in ON_CARDS:
        if contract_of(spec).name not in SERVERS:
            continue
        line = service_of(spec).health.test[3]
        old = "GET /tt-liveness" in line
        assert old == ('"model_ready":true' in line), spec.id
        if "_98dcf62_" not in pins_of(spec).image:
            version, _ = image_version(pins_of(spec).image, pins_of(spec).version)
            assert old == (version < (0, 10)), spec.id


def test_the_gateway_lets_no_request_through_that_resets_a_board_or_trains() -> None:
    for name in SHIPPED:
        shut = [path for path in SHIPPED[name].paths if "reset" in path or "fine_tuning" in path]
        assert shut == []


def test_the_paths_of_a_media_server_are_those_that_upstream_names() -> None:
    named = {
        "/v1/images/generations", "/v1/images/image-to-image", "/v1/images/edits",
        "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/audio/speech",
        "/v1/videos/generations", "/v1/videos/generations/*", "/v1/videos/generations/*/download",
        "/v1/videos/generations/*/cancel", "/v1/videos/generations/i2v", "/v1/videos/jobs",
        "/v1/cnn/search-image", "/v1/embeddings", "/v1/chat/completions", "/tt-liveness",
        "/metrics", "/v1/models",
    }  # fmt: skip
    for name in ("media", "forge"):
        assert named <= set(SHIPPED[name].paths)
    assert {path for path in SHIPPED["media-cpp"].paths if "images" in path} < named


def test_what_runs_as_1000_on_a_read_only_root_has_a_home_and_a_name_that_are_its_own() -> None:
    for name in ("vllm-current", "media", "media-cpp"):
        given = environment(name)
        assert (given["USER"], given["LOGNAME"]) == ("container_app_user",) * 2
        assert given["HOME"] in {one.target for one in SHIPPED[name].writable}


def test_the_fork_and_its_plugin_get_their_target_at_run_time() -> None:
    for spec in ON_CARDS:
        if spec.engine == "vllm":
            assert dict(spec.environment)["VLLM_TARGET_DEVICE"] == "tt"
            assert "VLLM_PLUGINS" not in dict(spec.environment)
            told = " ".join(files_of(spec)) + " ".join(name for name, _ in spec.engine_args)
            assert "tensor_parallel" not in told.replace("-", "_")


def test_no_key_stands_in_a_contract() -> None:
    for contract in SHIPPED.values():
        text = repr(contract)
        assert "your-secret-key" not in text
        assert "HF_TOKEN" not in text
