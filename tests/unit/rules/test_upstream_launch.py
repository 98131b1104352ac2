# SPDX-License-Identifier: Apache-2.0
"""Does a container differ from what upstream's launcher would run only in what is written down?

What upstream runs was read in tenstorrent/tt-inference-server, workflows/run_docker_server.py and
workflows/setup_host.py at the tags 0.2.0 to 0.20.0; it is said here in our own words.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.listed import FACTS
from tests.unit.rules.launching import (
    REVISION,
    contract_of,
    entries,
    files_of,
    pins_of,
    service_of,
    stack_of,
)

from tools.catalog import exports_in
from ttctl.adapters.upstream_export import read_export
from ttctl.rules.confinement import unexplained
from ttctl.rules.contract import image_version
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.first_validated import known_first
from ttctl.rules.launch import refusal
from ttctl.rules.launch_values import needs_key
from ttctl.rules.validated import validated_specs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import ModelSpec

PAGE = Path(__file__).parents[3] / "docs" / "launch.md"
ROW = re.compile(r"^\| ([^|`]+?) \| ([a-z, -]+) \| [^|]+ \|$", re.MULTILINE)
HOME = "/home/container_app_user"
CACHE = f"{HOME}/cache_root"
TOLD = {"llama3_70b_galaxy": "TT_LLAMA_TEXT_VER", "qwen3_32b_galaxy": "TT_QWEN3_TEXT_VER"}
STARTED = [spec for spec in entries() if not refusal(spec, contract_of(spec))]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is run for an entry, in words that both sides share."""

    settings: dict[str, object]
    environment: dict[str, str] = field(default_factory=dict)


def upstream(spec: ModelSpec) -> Run:
    """Return what upstream's launcher passes."""
    contract, name = pins_of(spec).contract, spec.model.rpartition("/")[2]
    legacy, vllm = contract == "vllm-legacy", spec.engine == "vllm"
    weights = f"{HOME}/readonly_weights_mount/{name}"
    rooted = legacy or (spec.engine == "media" and _version(spec) >= (0, 9))
    settings: dict[str, object] = {
        "capabilities": "all" if legacy else (),
        "user": "0:0" if rooted else "1000:1000",
        "read-only root": False,
        "new privileges": True,
        "devices": "folder",
        "publish": "engine",
        "network": "bridge",
        "secrets": "in the environment",
        "locked memory": False,
        "memory": 0,
        "processes": 0,
        "stop": 10,
        "shared memory": 32768 if legacy else 64,
        "ipc": "private" if legacy else "host",
        "command": ("--model", spec.model, "--tt-device", spec.device, "--no-auth")
        if vllm and not legacy
        else (),
        "entrypoint": (),
        "spec file": f"{HOME}/model_spec" if legacy else "",
        "weights": weights,
        "cache": CACHE,
        "hugepages": "/dev/hugepages-1G",
        "kernels": "",
        "diffusion cache": "",
    }
    return Run(settings=settings, environment=_upstream_environment(spec, name, weights))


def _upstream_environment(spec: ModelSpec, name: str, weights: str) -> dict[str, str]:
    snapshot = f"{weights}/snapshots/{REVISION}"
    given = {"TT_CACHE_PATH": f"{CACHE}/tt_metal_cache/cache_{name}/{SIZES[spec.device].mesh}"}
    match pins_of(spec).contract:
        case "vllm-legacy":
            given |= {
                "CACHE_ROOT": CACHE,
                "MODEL_WEIGHTS_PATH": snapshot,
                "TT_MODEL_SPEC_JSON_PATH": f"{HOME}/model_spec/spec.json",
            }
            if _version(spec) < (0, 5):
                given["TT_LLAMA_TEXT_VER"] = spec.implementation
            elif spec.implementation in TOLD:
                # From 0.9.0 on the image says it to itself.
                given[TOLD[spec.implementation]] = spec.implementation
        case "vllm-current":
            # CACHE_ROOT is the image's own.
            given |= {"CACHE_ROOT": CACHE, "MODEL_WEIGHTS_DIR": snapshot}
        case _:
            given |= {
                **dict(spec.environment),
                "CACHE_ROOT": CACHE,
                "HF_HOME": f"{CACHE}/huggingface",
                "MODEL": name,
                "DEVICE": spec.device,
                "MODEL_WEIGHTS_DIR": snapshot,
                "NO_AUTH": "1",
            }
            if needs_key(spec, contract_of(spec)):
                given["API_KEY"] = given.pop("NO_AUTH")
    return given


def _version(spec: ModelSpec) -> tuple[int, ...]:
    return image_version(pins_of(spec).image, pins_of(spec).version)[0]


def ours(spec: ModelSpec) -> Run:
    """Return what ttctl passes, in the same words."""
    service = service_of(spec)
    held = service.confinement
    mounts = {mount.target: mount for mount in service.mounts}
    weights = [mount.target for mount in service.mounts if "TTCTL_WEIGHTS" in mount.source]
    settings: dict[str, object] = {
        "capabilities": held.capabilities,
        "user": held.user,
        "read-only root": held.read_only,
        "new privileges": held.new_privileges,
        "devices": service.nodes,
        "publish": "gateway" if service.publish is None else "engine",
        "network": service.networks,
        "secrets": "none",
        "locked memory": held.memlock,
        "memory": service.memory_mib or "as the entry, which says none",
        "processes": service.pids,
        "stop": service.stop_grace_s,
        "shared memory": service.shm_mib,
        "ipc": held.ipc,
        "command": service.command,
        "entrypoint": service.entrypoint,
        "spec file": "/etc/ttctl/launch" if "launch/model_spec.json" in files_of(spec) else "",
        "weights": next(iter(weights), ""),
        "cache": CACHE if CACHE in mounts else "",
        "hugepages": _same(service, "/dev/hugepages-1G"),
        "kernels": _same(service, f"{HOME}/tt-metal/built") and "kept",
        "diffusion cache": _same(service, "/tmp/TT_DIT_CACHE") and "kept",  # noqa: S108 - its name
    }
    return Run(settings=settings, environment=dict(service.environment))


def _same(service: ServiceSpec, target: str) -> str:
    return next((target for mount in service.mounts if mount.target == target), "")


def differences(spec: ModelSpec) -> set[str]:
    theirs, mine = upstream(spec), ours(spec)
    names = theirs.environment.keys() | mine.environment.keys()
    return {
        *(one for one in theirs.settings if theirs.settings[one] != mine.settings[one]),
        *(
            f"environment {one}"
            for one in names
            if theirs.environment.get(one) != mine.environment.get(one)
        ),
    }


@cache
def written() -> dict[str, frozenset[str]]:
    """Return the page's differences, each with the contracts that it names."""
    table = PAGE.read_text(encoding="utf-8").partition("| difference |")[2]
    return {name: frozenset(words.split(", ")) for name, words in ROW.findall(table)}


def test_every_difference_of_every_entry_is_written_down_for_its_contract() -> None:
    assert unwritten(STARTED) == set()


def test_every_written_difference_is_there_in_each_contract_that_it_names() -> None:
    seen = {(one, pins_of(spec).contract) for spec in STARTED for one in differences(spec)}
    contracts = {pins_of(spec).contract for spec in STARTED}
    stale = {
        (one, name)
        for one, named in written().items()
        for name in (contracts if named == {"all"} else named)
        if (one, name) not in seen
    }
    assert stale == set()


def test_an_ordinary_entry_keeps_what_upstream_says_of_cache_and_mesh() -> None:
    for spec in STARTED:
        assert (
            upstream(spec).environment["TT_CACHE_PATH"] == ours(spec).environment["TT_CACHE_PATH"]
        )


def unwritten(specs: Iterable[ModelSpec]) -> set[str]:
    """Return the differences that the page does not name for the contract of their entry."""
    return {
        f"{pins_of(spec).contract}: {one}"
        for spec in specs
        for one in differences(spec)
        if written().get(one, frozenset()).isdisjoint({"all", pins_of(spec).contract})
    }


FILES = exports_in(Path(os.environ["EXPORTS"])) if os.environ.get("EXPORTS") else []


@pytest.mark.exports
@pytest.mark.parametrize(
    "path", FILES or [pytest.param(Path(), marks=pytest.mark.skip(reason="EXPORTS has no export"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_every_entry_of_another_release_is_launched_and_explained(path: Path) -> None:
    export = read_export(path.read_bytes(), name=path.name)
    specs = validated_specs(export, facts=FACTS, first=known_first(entries()))
    started = [spec for spec in specs if not refusal(spec, contract_of(spec))]
    assert started
    for spec in started:
        assert unexplained(stack_of(spec).services[0]) == ()
    same = [spec for spec in started if pins_of(spec).contract != "media-cpp"]
    assert unwritten(same) == set()


@pytest.mark.exports
@pytest.mark.parametrize(
    "path", FILES or [pytest.param(Path(), marks=pytest.mark.skip(reason="EXPORTS has no export"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_the_spec_file_says_to_an_image_what_its_own_release_said(path: Path) -> None:
    data = path.read_bytes()
    release = read_export(data, name=path.name, published=FACTS.exports).release
    listed: dict[str, dict[str, Any]] = json.loads(data)
    # Nested exports are of releases whose images read another form.
    compared = [
        spec for spec in STARTED if spec.id in listed and pins_of(spec).first_release == release
    ]
    assert len(compared) > 40 or release != "0.9.0"
    for spec in compared:
        told, entry = json.loads(files_of(spec)["launch/model_spec.json"]), listed[spec.id]
        theirs = entry["device_model_spec"]["vllm_args"]
        mine = told["device_model_spec"]["vllm_args"]
        assert {k: str(v) for k, v in mine.items()} == {
            k: str(v) for k, v in theirs.items() if v is not None and v is not False
        }, spec.id
        assert told["env_vars"] == {k: str(v) for k, v in entry["env_vars"].items()}, spec.id
        for key in ("model_id", "hf_model_repo", "hf_weights_repo", "model_name", "docker_image"):
            if key in entry:
                assert told[key] == entry[key], (spec.id, key)
        assert told["impl"]["impl_id"] == entry["impl"]["impl_id"]
        if "supported_modalities" in entry:
            assert told["supported_modalities"] == entry["supported_modalities"]
