# SPDX-License-Identifier: Apache-2.0
"""What is the folder called in which an engine keeps what its next start is faster by? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.model.house import LOCAL
from ttctl.model.pins import BUILT, DERIVED, OWN
from ttctl.rules.dotenv import values_in
from ttctl.rules.several import CACHE, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.contract import LaunchContract
    from ttctl.model.engine_files import EngineCache
    from ttctl.model.spec import ModelSpec


DIGITS = 16
"""Of a checkout's hash, in a folder's name: 64 bits tell trees apart."""
_OWN = rf"(-({'|'.join((OWN, *DERIVED))})(-(metal|vllm)-local-[0-9a-f]{{{DIGITS}}}){{0,2}})?"


def cache_name(spec: ModelSpec, contract: LaunchContract) -> str:
    """Return the name: of implementation and model, and of the version only where images need it.

    Images below 0.11.0 had a folder for each version; later ones share one on purpose. An image
    of ours has another layout, and another folder; what is built of a checkout has one for each of
    its states: no validated start reads kernels or tensors of an edited tree, nor it theirs.

    Source: tenstorrent/tt-inference-server:workflows/setup_host.py@v0.9.0 and
    workflows/run_docker_server.py@v0.20.0, volume_id_{impl_id}-{model_name}
    """
    version = f"v{spec.pins.version}" if spec.pins and contract.name == "vllm-legacy" else ""
    own = (contract.name, *_checkouts(spec)) if contract.name in BUILT else ()
    words = (spec.implementation or spec.engine, _last(spec.model), version, *own)
    plain = map(_plain, words)
    return "-".join(word for word in plain if word)


def caches_of(caches: Iterable[EngineCache], model: str) -> tuple[EngineCache, ...]:
    """Return the caches that engines left for a model, of every implementation and version."""
    name = re.compile(rf"[A-Za-z0-9._-]+-{re.escape(_plain(_last(model)))}(-v[\d.]+)?{_OWN}")
    return tuple(one for one in caches if name.fullmatch(one.name))


def _checkouts(spec: ModelSpec) -> tuple[str, ...]:
    pins = {"metal": spec.pins.tt_metal, "vllm": spec.pins.vllm} if spec.pins else {}
    local = ((name, commit) for name, commit in pins.items() if commit.startswith(LOCAL))
    return tuple(f"{name}-{commit[: len(LOCAL) + DIGITS]}" for name, commit in local)


def _last(model: str) -> str:
    return model.rpartition("/")[2]


def _plain(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", word).strip("-.")


def mounted_by(caches: Sequence[EngineCache], dotenv: str) -> tuple[EngineCache, ...]:
    """Return those that a stack mounts, by the text of its .env file."""
    paths = {path for name, path in values_in(dotenv).items() if kind_of(name) == CACHE}
    return tuple(one for one in caches if str(one.path) in paths)
