# SPDX-License-Identifier: Apache-2.0
"""Entries of made-up exports, for tests of the readers and rules."""

from __future__ import annotations

import copy
import json
from typing import Any

from ttctl.adapters import places
from ttctl.adapters.pin_facts import read_pin_facts
from ttctl.model.export import Listed
from ttctl.model.spec import Limits, ModelSpec, Weights

FACTS = read_pin_facts(places.catalog())
HOST = "ghcr.io/tenstorrent"
VLLM = f"{HOST}/tt-inference-server/vllm-tt-metal-src-release-ubuntu-22.04-amd64"
MULTIHOST = f"{HOST}/tt-inference-server/vllm-tt-metal-src-multihost-ubuntu-22.04-amd64"
MEDIA = f"{HOST}/tt-media-inference-server"
FORGE = f"{HOST}/tt-shield/tt-media-inference-server-forge"

RAW: dict[str, Any] = {
    "model_id": "id_tt-transformers_Small-1B_n150",
    "impl": {"impl_id": "tt_transformers", "impl_name": "tt-transformers"},
    "hf_model_repo": "acme/Small-1B",
    "hf_weights_repo": "acme/Small-1B-weights",
    "model_name": "Small-1B",
    "inference_engine": "vLLM",
    "device_type": "N150",
    "device_model_spec": {
        "device": "N150",
        "max_concurrency": 32,
        "max_context": 65536,
        "default_impl": True,
        "perf_reference": [
            {
                "isl": 128,
                "osl": 64,
                "max_concurrency": 1,
                "image_height": 512,
                "image_width": 1024,
                "task_type": "vlm",
                "targets": {
                    "functional": {"ttft_ms": 60.0, "tput_user": 13.100000000000001, "tput": None},
                    "target": {"ttft_ms": None, "tput_user": None, "tput": None},
                },
            }
        ],
        "vllm_args": {
            "model": "acme/Small-1B",
            "block_size": "32",
            "max_model_len": "65536",
            "max_num_seqs": "32",
            "max-log-len": "32",
            "seed": 9472,
            "override_tt_config": '{"trace_region_size": 30000000}',
            "enable_auto_tool_choice": True,
            "off": False,
            "nothing": None,
            "limit-mm-per-prompt": {"image": 1},
        },
        "env_vars": {"MESH_DEVICE": "N150"},
        "tensor_cache_timeout": 3600.0,
        "system_requirements": None,
        "known_issues": [
            {"workflow_type": "EVALS", "reason": "scores\n\tvary", "task_name": "ifeval"}
        ],
    },
    "system_requirements": {
        "firmware": {"specifier": ">=18.6.0", "mode": "STRICT"},
        "kmd": {"specifier": ">=2.1.0", "mode": "SUGGESTED"},
    },
    "env_vars": {
        "MESH_DEVICE": "N150",
        "trace_region_size": 30,
        "QWEN36_MAX_TOKENS_ALL_USERS": "7",
        "absent": None,
    },
    "tt_metal_commit": "55fd115",
    "vllm_commit": "aa4ae1e",
    "param_count": 1,
    "min_disk_gb": 22,
    "min_ram_gb": 2.5,
    "model_type": "VLM",
    "version": "0.9.0",
    "docker_image": f"{VLLM}:0.9.0-55fd115-aa4ae1e",
    "status": "COMPLETE",
    "supported_modalities": ["text", "image"],
    "metadata": {"tool_call_parser_name": "hermes", "reasoning_parser_name": "qwen3"},
    "has_builtin_warmup": True,
    "a_key_of_tomorrow": {"x": 1},
}


def raw(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an entry with some of its fields changed."""
    return {**copy.deepcopy(RAW), **changes}


def flat(*entries: dict[str, Any]) -> bytes:
    """Return a file as releases up to 0.10.1 have it."""
    return json.dumps(
        {one.get("model_id", f"id_{n}"): one for n, one in enumerate(entries)}
    ).encode()


def nested(*entries: dict[str, Any], release: str = "0.20.0") -> bytes:
    """Return a file as releases from 0.11.0 on have it."""
    tree: dict[str, Any] = {}
    for one in entries:
        models = tree.setdefault(one["hf_model_repo"], {}).setdefault(one["device_type"], {})
        engine = models.setdefault(one["inference_engine"], {})
        engine[one["impl"]["impl_id"]] = one
    whole = {"schema_version": "0.1.0", "release_version": release, "model_specs": tree}
    return json.dumps(whole).encode()


def listed(
    image: str = f"{VLLM}:0.9.0-55fd115-aa4ae1e",
    *,
    engine: str = "vllm",
    model: str = "acme/Small-1B",
    device: str = "n150",
    version: str = "0.9.0",
    vllm: str = "aa4ae1e",
    arguments: tuple[tuple[str, str], ...] = (),
    environment: tuple[tuple[str, str], ...] = (),
) -> Listed:
    """Return an entry as a reader would."""
    spec = ModelSpec(
        id=f"id_{model.rpartition('/')[2]}_{device}",
        model=model,
        device=device,
        engine=engine,  # type: ignore[arg-type]
        image="",
        weights=Weights(kind="hub", repository=model),
        limits=Limits(max_model_len=1, max_num_seqs=1, block_size=64),
        engine_args=arguments,
        environment=environment,
        memory_mib=0,
        status="COMPLETE",
    )
    return Listed(spec=spec, tt_metal="55fd115", vllm=vllm, image=image, version=version, raw={})
