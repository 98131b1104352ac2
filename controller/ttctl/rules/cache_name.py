# SPDX-License-Identifier: Apache-2.0
"""What is the folder called in which an engine keeps what its next start is faster by? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.contract import LaunchContract
    from ttctl.model.engine_files import EngineCache
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
    words = (spec.implementation or spec.engine, _last(spec.model), version, own)
    plain = map(_plain, words)
    return "-".join(word for word in plain if word)


def caches_of(caches: Iterable[EngineCache], model: str) -> tuple[EngineCache, ...]:
    """Return the caches that engines left for a model, of every implementation and version."""
    name = re.compile(rf"[A-Za-z0-9._-]+-{re.escape(_plain(_last(model)))}(-v[\d.]+)?(-own)?")
    return tuple(one for one in caches if name.fullmatch(one.name))


def _last(model: str) -> str:
    return model.rpartition("/")[2]


def _plain(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", word).strip("-.")
