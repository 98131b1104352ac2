# SPDX-License-Identifier: Apache-2.0
"""Does each stand-in read, refuse and serve what the real server does?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.standins.hand_launches import HOME, flag_of, launch_of
from tests.standins.server_images import standin_image

if TYPE_CHECKING:
    from tests.standins.ground import Ground

pytest_plugins = ["tests.standins.ground_fixture"]
pytestmark = pytest.mark.docker


def test_a_legacy_image_given_arguments_takes_them_for_a_program(ground: Ground) -> None:
    launch = launch_of("vllm-legacy", ground, (0,))
    code, said = launch.but("--model", "stand-in/tiny", "--tt-device", "n150").ended()
    assert code != 0
    assert 'exec: "--model": executable file not found in $PATH' in said


def test_a_current_image_without_arguments_asks_for_them(ground: Ground) -> None:
    code, said = launch_of("vllm-current", ground, (0,)).but().ended()
    assert code == 2
    assert "run_vllm_api_server.py: error: the following arguments are required" in said


@pytest.mark.parametrize(
    ("contract", "launched_as", "words"),
    [
        pytest.param("vllm-legacy", "vllm-current", "stat: cannot", id="legacy as current"),
        pytest.param(
            "vllm-current", "vllm-legacy", "arguments are required", id="current as legacy"
        ),
        pytest.param("vllm-current", "media", "No such file or directory", id="current as media"),
        pytest.param("forge", "media", "No such file or directory", id="forge as media"),
    ],
)
def test_an_image_launched_by_another_contract_does_not_start(
    contract: str, launched_as: str, words: str, ground: Ground
) -> None:
    code, said = launch_of(launched_as, ground, (0,)).of(standin_image(contract)).ended()
    assert code != 0
    assert words in said


REFUSED = [
    pytest.param("vllm-legacy", "TT_MODEL_SPEC_JSON_PATH", "TT_MODEL_SPEC_JSON_PATH", id="spec"),
    pytest.param("vllm-legacy", "MODEL_WEIGHTS_PATH", "MODEL_WEIGHTS_PATH", id="legacy weights"),
    pytest.param("vllm-legacy", "TT_CACHE_PATH", "TT_CACHE_PATH", id="tensors"),
    pytest.param("vllm-legacy", "CACHE_ROOT", "stat: cannot", id="cache root"),
    pytest.param("vllm-current", "MODEL_WEIGHTS_DIR", "the hub cannot", id="current weights"),
    pytest.param(
        "vllm-current", "RUNTIME_MODEL_SPEC_JSON_PATH", "knows no model", id="not in the image"
    ),
    pytest.param("media", "HF_HUB_CACHE", "there are no weights", id="media weights"),
]


@pytest.mark.parametrize(("contract", "variable", "words"), REFUSED)
def test_a_variable_that_the_real_server_needs_is_missed(
    contract: str, variable: str, words: str, ground: Ground
) -> None:
    launch = launch_of(contract, ground, (0,))
    code, said = launch.without(flag_of(launch, f"--env={variable}=")).ended()
    assert code != 0
    assert words in said


@pytest.mark.parametrize(
    ("contract", "flag", "words"),
    [
        ("media", "--env=MODEL=stand-in/FLUX.1-dev", "'stand-in/FLUX.1-dev' is not a valid"),
        ("media", "--env=DEVICE=N150", "'N150' is not a valid DeviceTypes"),
        ("media-cpp", "--env=MODEL_RUNNER_TYPE=tt-sdxl-trace", "MODEL_RUNNER_TYPE"),
        ("media-cpp", "--env=DEVICE_MESH_SHAPE=1x1", "DEVICE_MESH_SHAPE"),
    ],
)
def test_a_value_that_the_real_server_does_not_know_ends_it(
    contract: str, flag: str, words: str, ground: Ground
) -> None:
    code, said = launch_of(contract, ground, (0,)).plus(flag).ended()
    assert code == 1
    assert words in said


@pytest.mark.parametrize(
    ("contract", "release", "known"),
    [
        ("vllm-legacy", "0.10.1", "override_tt_config"),
        ("vllm-current", "0.14.0", "override_tt_config"),
        ("vllm-current", "0.20.0", "additional_config"),
    ],
)
def test_each_era_knows_one_spelling_of_the_tenstorrent_options(
    contract: str, release: str, known: str, ground: Ground
) -> None:
    image = standin_image(contract, release=release)
    path = ground.folder / "spec.json"
    spec = json.loads(path.read_text("utf-8"))
    for option in ("override_tt_config", "additional_config"):
        told = {**spec["device_model_spec"]["vllm_args"], option: "{}"}
        path.write_text(json.dumps({**spec, "device_model_spec": {"vllm_args": told}}), "utf-8")
        launch = launch_of(contract, ground, (0,)).of(image)
        if option == known:
            with launch.started() as running:
                assert running.report()["arguments"][option] == "{}"
        else:
            code, said = launch.ended()
            assert code == 2
            assert f"unrecognized arguments: --{option.replace('_', '-')}" in said


def test_what_a_current_image_does_not_know_is_for_vllm(ground: Ground) -> None:
    launch = launch_of("vllm-current", ground, (0,))
    words = (*launch.command, "--max-model-len", "512", "--service-port", "9000")
    with launch.but(*words).started() as running:
        told = running.report(port=9000)["arguments"]
    assert (told["max_model_len"], told["port"]) == ("512", "9000")


def test_a_forge_image_edits_itself_where_memory_for_keys_is_asked_for(ground: Ground) -> None:
    code, said = launch_of("forge", ground, (0,)).plus("--env=TT_KV_POOL_GB=24").ended()
    assert code != 0
    assert "sed: couldn't open temporary file" in said


# What it serves.


def test_a_vllm_answers_a_chat_at_once_and_in_pieces(ground: Ground) -> None:
    with launch_of("vllm-current", ground, (0,)).started() as running:
        running.healthy()
        asked = {"model": "stand-in/tiny", "messages": [{"role": "user", "content": "Hello"}]}
        status, body = running.ask("/v1/chat/completions", asked)
        assert status == 200
        assert json.loads(body)["choices"][0]["message"]["content"] == "one two three"
        status, body = running.ask("/v1/chat/completions", {**asked, "stream": True})
        assert body.endswith(b"data: [DONE]\n\n")
        assert json.loads(running.ask("/v1/models")[1])["data"][0]["id"] == "stand-in/tiny"
        assert running.ask("/tt-liveness")[0] == 404


@pytest.mark.parametrize(
    ("contract", "model", "path"),
    [
        ("media", "FLUX.1-dev", "/v1/images/generations"),
        ("media", "whisper-large-v3", "/v1/audio/transcriptions"),
        ("media", "bge-large-en-v1.5", "/v1/embeddings"),
        ("forge", "Qwen3-4B", "/v1/chat/completions"),
    ],
)
def test_a_media_server_answers_for_its_kind_of_model_and_for_no_other(
    contract: str, model: str, path: str, ground: Ground
) -> None:
    with launch_of(contract, ground, (0,)).plus(f"--env=MODEL={model}").started() as running:
        running.healthy()
        asked = {"input": "x", "prompt": "x", "file": "eA==", "model": model}
        assert running.ask(path, asked)[0] == 200
        assert running.ask("/v1/videos/generations", {})[0] == 404
        assert json.loads(running.ask("/tt-liveness")[1])["model_ready"] is True


@pytest.mark.parametrize(
    ("contract", "key"),
    [("media", "API_KEY"), ("forge", "API_KEY"), ("media-cpp", "OPENAI_API_KEY")],
)
def test_a_media_server_with_a_key_asks_for_it(contract: str, key: str, ground: Ground) -> None:
    launch = launch_of(contract, ground, (0,)).without("--env=NO_AUTH=1")
    path = "/v1/chat/completions" if contract == "forge" else "/v1/images/generations"
    with launch.plus(f"--env={key}=given").started() as running:
        assert running.report()["secrets"] == [key]
        assert running.ask(path, {"prompt": "x"})[0] == 401
        assert running.ask(path, {"prompt": "x"}, key="given")[0] == 200


def test_images_before_0_15_ask_for_a_key_whatever_is_said(ground: Ground) -> None:
    image = standin_image("media", release="0.14.0")
    with launch_of("media", ground, (0,)).of(image).started() as running:
        assert running.report()["auth"]


def test_the_cpp_server_asks_for_a_key_whatever_is_said(ground: Ground) -> None:
    with launch_of("media-cpp", ground, (0,)).started() as running:
        running.healthy()
        assert running.ask("/v1/images/generations", {"prompt": "x"})[0] == 401


def test_a_hub_that_cannot_be_written_is_left_for_an_empty_one(ground: Ground) -> None:
    launch = launch_of("media", ground, (0,))
    mounted = [flag for flag in launch.flags if "HF_H" in flag and "OFFLINE" not in flag]
    read_only = launch.without(*mounted).plus(f"--env=HF_HOME={HOME}/readonly_hub")
    code, said = read_only.plus(f"--tmpfs={HOME}/.cache:mode=1777").ended()
    assert code == 1
    assert f"{HOME}/.cache/huggingface is used" in said
    assert "there are no weights" in said
    # Images before 0.19.0 stay with it.
    early = read_only.of(standin_image("media", release="0.18.0"))
    with early.started() as running:
        running.healthy()
