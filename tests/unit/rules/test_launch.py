# SPDX-License-Identifier: Apache-2.0
"""Is every entry of the built-in catalog launched as it was validated, and held in?"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.rules.explained import unexplained
from tests.unit.rules.launching import (
    REVISION,
    contract_of,
    contracts,
    entries,
    files_of,
    named,
    pins_of,
    service_of,
    weights_of,
)

from ttctl.model.contract import LaunchHost
from ttctl.model.spec import ModelSpec, Weights
from ttctl.rules.launch import LISTED_ONLY, launch_files, refusal
from ttctl.rules.launch_mounts import PAGES, cache_folders
from ttctl.rules.launch_values import is_on_the_hub, needs_key
from ttctl.rules.multihost import host_services
from ttctl.rules.tt_options import is_flag

EVERY = [pytest.param(spec, id=spec.id) for spec in entries()]
STARTED = [
    pytest.param(spec, id=spec.id) for spec in entries() if not refusal(spec, contract_of(spec))
]
NODES = {
    "n150": 1, "n300": 1, "n150x4": 4, "t3k": 4, "galaxy": 32, "galaxy_t3k": 8, "p100": 1,
    "p150": 1, "p150x4": 4, "p150x8": 8, "p300": 2, "p300x2": 4,
}  # fmt: skip
LLAMA_N150 = "id_tt-transformers_Llama-3.1-8B-Instruct_n150"
LLAMA_P150 = "id_tt-transformers_Llama-3.1-8B-Instruct_p150"
PARSERS = {"tool-call-parser", "enable-auto-tool-choice", "reasoning-parser"}
SECRET = re.compile(r"TOKEN$|SECRET|PASSWORD|(?<!NO_)(?:API|AUTH)_?KEY", re.IGNORECASE)
HARMFUL = re.compile(
    r"LD_.*|PYTHON(?!_ENV_DIR).*|PATH|HOME|BASH_ENV|ENV|IFS|.*_proxy", re.IGNORECASE
)


def spec_file(spec: ModelSpec) -> dict[str, Any]:
    found = json.loads(files_of(spec)["launch/model_spec.json"])
    assert isinstance(found, dict)
    return found


def test_all_entries_are_there_and_only_those_of_gpus_and_several_hosts_are_refused() -> None:
    refused = Counter(
        (pins_of(spec).contract, spec.device)
        for spec in entries()
        if refusal(spec, contract_of(spec))
    )
    assert len(entries()) == 225
    assert refused == {
        ("vllm-legacy", "gpu"): 2,
        ("multihost", "dual_galaxy"): 1,
        ("multihost", "quad_galaxy"): 1,
    }
    assert len(STARTED) == 221


def test_each_refusal_says_why() -> None:
    gpu = named("id_tt-transformers_Llama-3.1-8B_gpu")
    assert refusal(gpu, contract_of(gpu)) == LISTED_ONLY
    many = named("id_deepseek-r1-galaxy_DeepSeek-R1-0528_quad_galaxy")
    assert "several hosts" in refusal(many, contract_of(many))
    cpp = replace(gpu, device="p100")
    assert "no setting for p100" in refusal(cpp, contracts()["media-cpp"])


@pytest.mark.parametrize("spec", STARTED)
def test_a_service_gets_the_nodes_of_its_device_and_no_folder(spec: ModelSpec) -> None:
    service = service_of(spec)
    assert service.nodes == NODES[spec.device]
    assert not [mount for mount in service.mounts if "tenstorrent" in mount.source]


@pytest.mark.parametrize("spec", STARTED)
def test_every_difference_from_the_houses_rule_has_its_reason(spec: ModelSpec) -> None:
    service = service_of(spec)
    assert unexplained(service) == ()
    for one in service.confinement.exemptions:
        assert one.reason, one
        assert one.source, one
    assert len(set(service.confinement.exemptions)) == len(service.confinement.exemptions)


@pytest.mark.parametrize("spec", STARTED)
def test_nothing_can_be_written_but_what_is_listed(spec: ModelSpec) -> None:
    service = service_of(spec)
    listed = {one.value for one in service.confinement.exemptions if one.what == "writable path"}
    written = {mount.target for mount in service.mounts if not mount.read_only}
    assert written - {"/dev/hugepages-1G"} <= listed
    assert {one.target for one in service.scratch} <= listed
    weights = [mount for mount in service.mounts if "TTCTL_WEIGHTS" in mount.source]
    cache = contract_of(spec).cache
    assert all(mount.read_only for mount in weights)
    assert not [mount for mount in weights if mount.target.startswith(cache)]
    assert bool(weights) == is_on_the_hub(spec)


@pytest.mark.parametrize("spec", STARTED)
def test_no_secret_and_nothing_harmful_is_in_the_environment(spec: ModelSpec) -> None:
    service = service_of(spec)
    own = dict(contract_of(spec).environment)
    for name, value in service.environment:
        assert not SECRET.search(name), name
        assert name in own or not HARMFUL.fullmatch(name), name
        assert "{" not in value or name in dict(spec.environment), (name, value)
        assert "your-secret-key" not in value


@pytest.mark.parametrize("spec", STARTED)
def test_a_service_stops_slowly_waits_long_and_has_no_memory_limit_and_says_why(
    spec: ModelSpec,
) -> None:
    service = service_of(spec)
    assert service.stop_grace_s >= 120
    assert service.restart == "no"
    assert service.health.start_period_s == spec.start_s
    assert service.memory_mib == 0
    assert ("memory limit", "none") in {
        (one.what, one.value) for one in service.confinement.exemptions
    }
    assert service.publish is None
    pages = [mount for mount in service.mounts if "hugepages" in mount.target]
    assert [(one.source, one.target) for one in pages] == [(PAGES, "/dev/hugepages-1G")]


@pytest.mark.parametrize("spec", STARTED)
def test_the_probe_uses_bash_alone_and_asks_what_the_image_has(spec: ModelSpec) -> None:
    words = service_of(spec).health.test
    assert words[:3] == ("CMD", "bash", "-c")
    assert not re.search(r"\b(curl|wget|python|cat|grep)\b", words[3])
    old = pins_of(spec).contract in {"media", "forge"} and needs_key(spec, contract_of(spec))
    assert ("GET /health" in words[3]) or (old and "/tt-liveness" in words[3])


@pytest.mark.parametrize("spec", STARTED)
def test_each_contract_says_the_model_in_its_own_way(spec: ModelSpec) -> None:
    service = service_of(spec)
    environment = dict(service.environment)
    match pins_of(spec).contract:
        case "vllm-legacy":
            assert service.entrypoint == ()
            assert "--model" not in service.command
            assert environment["TT_MODEL_SPEC_JSON_PATH"] == "/etc/ttctl/launch/model_spec.json"
            assert REVISION in environment["MODEL_WEIGHTS_PATH"]
        case "vllm-current":
            assert service.entrypoint == ()
            assert service.command == (
                "--model", spec.model, "--tt-device", spec.device, "--no-auth",
            )  # fmt: skip
            path = environment["RUNTIME_MODEL_SPEC_JSON_PATH"]
            assert path == "/etc/ttctl/launch/model_spec.json"
            assert REVISION in environment["MODEL_WEIGHTS_DIR"]
        case _:
            assert service.entrypoint == ("/bin/bash", "/etc/ttctl/launch/start")
            assert environment["MODEL"] == spec.model.rpartition("/")[2]
            assert environment["DEVICE"] == spec.device
            assert environment["MESH_DEVICE"] == dict(spec.environment)["MESH_DEVICE"]


@pytest.mark.parametrize("spec", [one for one in STARTED if one.values[0].engine == "vllm"])  # type: ignore[union-attr]
def test_the_spec_file_says_the_first_validated_arguments_in_the_pins_own_flag(
    spec: ModelSpec,
) -> None:
    told = spec_file(spec)
    arguments = told["device_model_spec"]["vllm_args"]
    own = {name: value or True for name, value in spec.engine_args}
    assert own.items() <= arguments.items()
    assert {name for name in arguments if name not in own} <= PARSERS
    flag = pins_of(spec).flag.lstrip("-").replace("-", "_")
    assert {name.replace("-", "_") for name in arguments if is_flag(name)} <= {flag}
    assert told["env_vars"] == dict(spec.environment)
    assert told["hf_model_repo"] == spec.model
    assert told["impl"]["impl_id"] == spec.implementation
    assert told["has_builtin_warmup"] is spec.warms_up
    legacy = pins_of(spec).contract == "vllm-legacy"
    assert ("cli_args" in told) == legacy
    if legacy:
        assert told["cli_args"]["no_auth"] is True


def test_a_model_that_warms_up_by_itself_is_not_warmed_up_again() -> None:
    assert sum(spec.warms_up for spec in entries()) == 43


def test_how_many_entries_of_each_contract_take_which_flag() -> None:
    found = Counter((pins_of(spec).contract, pins_of(spec).flag) for spec in entries())
    assert found == {
        ("vllm-legacy", "--override_tt_config"): 90,
        ("vllm-current", "--override_tt_config"): 17,
        ("vllm-current", "--additional-config"): 19,
        ("multihost", "--override_tt_config"): 2,
        ("media", ""): 69,
        ("forge", ""): 28,
    }


@pytest.mark.parametrize("spec", EVERY)
def test_the_same_input_gives_the_same_files_and_they_parse_back(spec: ModelSpec) -> None:
    once, again = files_of(spec), files_of(spec)
    assert once == again
    for path, text in once.items():
        assert path.startswith("launch/")
        if path.endswith(".json"):
            assert json.loads(text)


def test_the_hub_finds_the_snapshot_without_asking_anybody() -> None:
    spec = named(LLAMA_N150)
    hub = "/home/container_app_user/readonly_hub/models--meta-llama--Llama-3.1-8B-Instruct"
    service = service_of(spec)
    assert files_of(spec)["launch/refs/main"] == REVISION
    targets = [mount.target for mount in service.mounts]
    assert f"{hub}/snapshots/{REVISION}" in targets
    assert f"{hub}/refs" in targets
    assert dict(service.environment)["HF_HUB_OFFLINE"] == "1"


def test_weights_of_another_name_are_found_under_both() -> None:
    spec = next(one for one in entries() if one.model != one.weights.repository)
    targets = " ".join(mount.target for mount in service_of(spec).mounts)
    for repository in (spec.model, spec.weights.repository):
        assert f"/models--{repository.replace('/', '--')}/snapshots/{REVISION}" in targets


def test_old_images_load_what_meta_itself_published() -> None:
    found = {
        spec.id: dict(service_of(spec).environment)["MODEL_WEIGHTS_PATH"].endswith("/original")
        for spec in entries()
        if pins_of(spec).contract == "vllm-legacy" and not refusal(spec, contract_of(spec))
    }
    old = {
        spec.id
        for spec in entries()
        if spec.model.startswith("meta-llama/")
        and pins_of(spec).first_release in {"0.2.0", "0.4.0"}
    }
    assert {name for name, original in found.items() if original} == old
    assert len(old) == 9


@pytest.mark.parametrize(
    ("implementation", "variable"),
    [("llama3_70b_galaxy", "TT_LLAMA_TEXT_VER"), ("qwen3_32b_galaxy", "TT_QWEN3_TEXT_VER")],
)
def test_an_old_image_is_told_which_implementation_it_runs(
    implementation: str, variable: str
) -> None:
    spec = replace(named(LLAMA_N150), implementation=implementation)
    assert dict(service_of(spec).environment)[variable] == implementation
    assert variable not in dict(service_of(named(LLAMA_N150)).environment)


def test_weights_that_are_no_repository_are_fetched_by_the_image_over_a_network_of_its_own() -> (
    None
):
    spec = next(one for one in entries() if one.model == "resnet-50" and one.device == "n150")
    service = service_of(spec)
    assert service.networks == ("back", "out")
    assert "outbound network" in {one.what for one in service.confinement.exemptions}
    assert "HF_HUB_OFFLINE" not in dict(service.environment)


SPEECH = "id_speecht5-tts_speecht5_tts_n150"


def test_a_model_that_needs_more_than_its_weights_may_fetch_it_beside_them() -> None:
    spec = named(SPEECH)
    service = service_of(spec)
    given = dict(service.environment)
    hub = "/home/container_app_user/readonly_hub"
    targets = {mount.target: mount for mount in service.mounts}
    assert service.networks == ("back", "out")
    assert given["HF_HUB_CACHE"] == hub
    assert "HF_HUB_OFFLINE" not in given
    assert not targets[hub].read_only
    assert targets[f"{hub}/models--microsoft--speecht5_tts/snapshots/{REVISION}"].read_only
    assert unexplained(service) == ()
    said = {one.what: one.reason for one in service.confinement.exemptions}
    assert "speecht5_hifigan" in said["outbound network"]
    folders = cache_folders(spec, contract_of(spec))
    assert "hub/speecht5_tts" in folders
    assert "hub/speecht5_tts/models--microsoft--speecht5_tts/snapshots" in folders
    started = [one for one in entries() if not refusal(one, contract_of(one))]
    assert sum(service_of(one).networks == ("back", "out") for one in started) == 20


def test_what_an_image_fetches_is_kept_and_mounted_weights_are_not_looked_for_elsewhere() -> None:
    for spec in entries():
        if pins_of(spec).contract not in {"media", "forge"}:
            continue
        given = dict(service_of(spec).environment)
        assert ("HF_HOME" in given) != is_on_the_hub(spec), spec.id
        assert ("HF_HUB_CACHE" in given) == is_on_the_hub(spec), spec.id
        folders = cache_folders(spec, contract_of(spec))
        assert ("huggingface" in folders) == ("HF_HOME" in given), spec.id


def test_an_unresolved_revision_still_gives_folders_that_fit_each_other() -> None:
    spec = named(LLAMA_N150)
    weights = replace(weights_of(spec), revision="")
    assert (
        launch_files(spec, contract_of(spec), weights=weights)["launch/refs/main"] == "unresolved"
    )


def test_media_images_get_no_key_where_they_can_do_without_and_a_file_where_not() -> None:
    by_need = Counter(
        needs_key(spec, contract_of(spec)) for spec in entries() if spec.engine != "vllm"
    )
    assert by_need == {True: 69, False: 28}
    for spec in entries():
        if spec.engine == "vllm":
            continue
        service = service_of(spec)
        key = [mount for mount in service.mounts if mount.target == "/run/secrets/engine"]
        assert bool(key) == needs_key(spec, contract_of(spec)), spec.id
        assert ("NO_AUTH" in dict(service.environment)) != bool(key), spec.id


def test_a_tag_that_names_the_servers_commit_is_known_by_it() -> None:
    spec = next(one for one in entries() if "_98dcf62_" in pins_of(one).image)
    assert pins_of(spec).version == "0.12.0"
    assert "GET /tt-liveness" in service_of(spec).health.test[3]


def test_one_chip_of_a_dual_board_gets_its_mesh_descriptor() -> None:
    spec = replace(named(LLAMA_P150), environment=(("MESH_DEVICE", "P150"),))
    service = service_of(spec, host=LaunchHost(part_of="p300"))
    environment = dict(service.environment)
    assert service.nodes == 1
    assert environment["MESH_DEVICE"] == "P150"
    assert environment["TT_MESH_GRAPH_DESC_PATH"] == (
        "/home/container_app_user/tt-metal/tt_metal/fabric/mesh_graph_descriptors/"
        "p150_mesh_graph_descriptor.textproto"
    )
    whole = dict(service_of(spec, host=LaunchHost(part_of="p150")).environment)
    assert "TT_MESH_GRAPH_DESC_PATH" not in whole


def test_an_entrys_own_mesh_descriptor_wins() -> None:
    spec = replace(named(LLAMA_P150), environment=(("TT_MESH_GRAPH_DESC_PATH", "/own"),))
    environment = dict(service_of(spec, host=LaunchHost(part_of="p300")).environment)
    assert environment["TT_MESH_GRAPH_DESC_PATH"] == "/own"


def test_a_group_and_the_missing_hugepages_are_as_the_machine_says() -> None:
    service = service_of(named(LLAMA_N150), host=LaunchHost(groups=("985",), hugepages=False))
    assert service.confinement.groups == ("985",)
    whats = [one.what for one in service.confinement.exemptions]
    assert "hugepages" not in whats
    assert "group" in whats
    assert not [mount for mount in service.mounts if "hugepages" in mount.target]
    assert unexplained(service) == ()


def test_what_ttctl_builds_takes_the_arguments_behind_its_name() -> None:
    spec = named(LLAMA_N150)
    service = service_of(spec, contract=contracts()["own"])
    words = service.command
    assert words[words.index("--model") + 1] == "/models/Llama-3.1-8B-Instruct"
    assert words[words.index("--served-model-name") + 1] == spec.model
    assert (
        words[words.index("--override_tt_config") + 1]
        == dict(spec.engine_args)["override_tt_config"]
    )
    assert service.confinement.ipc == "private"
    assert service.confinement.user == "1000:1000"
    assert service.confinement.read_only
    assert service.confinement.capabilities == ()
    assert unexplained(service) == ()


def test_the_folders_of_the_cache_are_named_so_that_they_can_be_made_first() -> None:
    spec = named(LLAMA_N150)
    assert cache_folders(spec, contract_of(spec)) == (
        ".",
        "huggingface",
        "tt_metal_cache/cache_Llama-3.1-8B-Instruct/N150",
        "kernels/25305db",
    )


def test_an_entry_of_several_hosts_has_a_worker_on_each_and_the_server_on_the_first() -> None:
    spec = named("id_deepseek-r1-galaxy_DeepSeek-R1-0528_quad_galaxy")
    hosts = host_services(
        spec, contract_of(spec), image=pins_of(spec).image, weights=weights_of(spec)
    )
    assert [[one.name for one in services] for services in hosts] == [
        ["worker-0", "vllm"],
        ["worker-1"],
        ["worker-2"],
        ["worker-3"],
    ]
    roles = [dict(one.environment)["MULTIHOST_ROLE"] for services in hosts for one in services]
    assert roles == ["worker", "controller", "worker", "worker", "worker"]
    assert all(one.confinement.host_network for services in hosts for one in services)
    assert all(not one.networks for services in hosts for one in services)
    assert {one.nodes for services in hosts for one in services} == {32}
    assert all(unexplained(one) == () for services in hosts for one in services)


@pytest.mark.parametrize("name", ["a{cache}b", "a${X}b", 'a"b', "a'b", "a b", "a\\b"])
def test_a_strange_name_is_carried_as_it_is(name: str) -> None:
    spec = replace(
        named(LLAMA_N150), model=f"o/{name}", weights=Weights(kind="hub", repository=f"o/{name}")
    )
    assert spec_file(spec)["hf_model_repo"] == f"o/{name}"
    assert (
        f"/models--o--{name}/snapshots/" in dict(service_of(spec).environment)["MODEL_WEIGHTS_PATH"]
    )
