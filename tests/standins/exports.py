# SPDX-License-Identifier: Apache-2.0
"""Makes up exports of upstream's catalog."""

from __future__ import annotations

import json
from typing import Any


def entry(model: str, device: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an entry as upstream writes it since release 0.11."""
    return {
        "model_id": f"id_made-up_{model.rpartition('/')[2]}_{device.lower()}",
        "impl": {"impl_id": "made_up", "impl_name": "made-up"},
        "hf_model_repo": model,
        "hf_weights_repo": model,
        "inference_engine": "vLLM",
        "device_type": device,
        "device_model_spec": {"max_context": 4096, "max_concurrency": 16, "default_impl": True},
        "tt_metal_commit": "c49bb76",
        "vllm_commit": "6b4a3a7",
        "model_type": "LLM",
        "version": "0.18.0",
        "docker_image": "registry.example.org/vllm:0.18.0-c49bb76-6b4a3a7",
        "status": "FUNCTIONAL",
        "made_up_key": "kept",
        **changes,
    }


def export(*entries: dict[str, Any], release: str = "0.21.0") -> bytes:
    """Return an export with these entries, as its file is."""
    nested: dict[str, Any] = {}
    for one in entries:
        engines = nested.setdefault(one["hf_model_repo"], {}).setdefault(one["device_type"], {})
        engines.setdefault(one["inference_engine"], {})[one["impl"]["impl_id"]] = one
    whole = {"schema_version": "0.1.0", "release_version": release, "model_specs": nested}
    return json.dumps(whole).encode()
