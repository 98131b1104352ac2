# SPDX-License-Identifier: Apache-2.0
"""What an image reads of its model from a file: upstream's model spec, of one entry. Pure.

Source: tenstorrent/tt-inference-server, vllm-tt-metal-llama3/src/run_vllm_api_server.py@v0.9.0 and
vllm-tt-metal/src/run_vllm_api_server.py@v0.20.0: the keys that they read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ttctl.rules.cluster import clustered
from ttctl.rules.launch_values import last_name
from ttctl.rules.parsers import told_arguments

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.spec import ModelSpec

NAME = "model_spec.json"


def spec_text(spec: ModelSpec, contract: LaunchContract) -> str:
    """Return the file that an image of this contract reads.

    Arguments and environment are those of the first validation.
    """
    spec = clustered(spec, contract) if contract.spec_form == "clustered" else spec
    pins = spec.pins
    told: dict[str, object] = {
        "model_id": spec.id,
        "impl": {
            "impl_id": spec.implementation,
            "impl_name": spec.implementation.replace("_", "-"),
        },
        "hf_model_repo": spec.model,
        "hf_weights_repo": spec.weights.repository,
        "model_name": last_name(spec),
        "inference_engine": "vLLM",
        "device_type": spec.device.upper(),
        "model_type": spec.type,
        "env_vars": dict(spec.environment),
        "supported_modalities": list(spec.modalities),
        "has_builtin_warmup": spec.warms_up,
        "tt_metal_commit": pins.tt_metal if pins else "",
        "vllm_commit": pins.vllm if pins else "",
        "version": pins.version if pins else "",
        "docker_image": pins.image if pins else "",
        "device_model_spec": {
            "device": spec.device.upper(),
            "default_impl": True,
            "max_concurrency": spec.limits.max_num_seqs,
            "max_context": spec.limits.max_model_len,
            "vllm_args": arguments_of(spec),
        },
    }
    if contract.spec_form == "composed":
        told["cli_args"] = {
            "model": last_name(spec),
            "device": spec.device,
            "workflow": "server",
            "service_port": str(contract.port),
            "no_auth": True,
            "disable_trace_capture": False,
        }
    return json.dumps(told, indent=2) + "\n"


def arguments_of(spec: ModelSpec) -> dict[str, str | bool]:
    """Return vLLM's arguments as first validated, with its parsers; a bare flag is true."""
    return {name: value or True for name, value in told_arguments(spec)}
