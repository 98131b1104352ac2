# SPDX-License-Identifier: Apache-2.0
"""What is the folder called in which an engine keeps what its next start is faster by? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.spec import ModelSpec


def cache_name(spec: ModelSpec, contract: LaunchContract) -> str:
    """Return the name: of implementation and model, and of the version only where images need it.

    Images below 0.11.0 had a folder for each version; later ones share one on purpose. An image
    of ours has another layout, and another folder.

    Source: tenstorrent/tt-inference-server:workflows/setup_host.py@v0.9.0 and
    workflows/run_docker_server.py@v0.20.0, volume_id_{impl_id}-{model_name}
    """
    version = f"v{spec.pins.version}" if spec.pins and contract.name == "vllm-legacy" else ""
    own = "own" if contract.name == "own" else ""
    model = spec.model.rpartition("/")[2]
    words = (spec.implementation or spec.engine, model, version, own)
    plain = (re.sub(r"[^A-Za-z0-9._]+", "-", word).strip("-.") for word in words)
    return "-".join(word for word in plain if word)
