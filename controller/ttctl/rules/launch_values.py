# SPDX-License-Identifier: Apache-2.0
"""What stands for the placeholders of a contract, and what an image's version can do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.contract import image_version
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.spec import ModelSpec

LAUNCH = "/etc/ttctl/launch"
"""Where the folder of the spec file and the start script is mounted."""
LIVENESS = ("/tt-liveness", '"model_ready":true')
"""Path, and what its answer holds once the model is there.

Source: tenstorrent/tt-inference-server, tt-media-server/open_ai_api/tt_maintenance_api.py@v0.2.0
"""
ENGINE_KEY = "key"
"""File of the folder `TTCTL_ENGINE_SECRETS` from which the start script reads the server's key."""
ENGINE_MAP = "engine.map"
"""File of the folder `TTCTL_SECRETS` from which the gateway reads the same key."""
META, ORIGINAL = "meta-llama/", "original"
UNRESOLVED = "unresolved"
"""The revision's place where no lock names one; nothing but the mounts of one folder reads it."""


def values_of(spec: ModelSpec, contract: LaunchContract, *, revision: str = "") -> dict[str, str]:
    """Return every placeholder's value.

    Args:
        spec: An entry with pins.
        contract: How its image is launched.
        revision: Of the weights, 40 hex digits; empty while unresolved.
    """
    path, text = health_of(spec, contract)
    size = SIZES.get(spec.device)
    revision = revision or UNRESOLVED
    values = {
        "cache": contract.cache,
        "device": spec.device,
        "health_path": path,
        "health_text": text,
        "hub": contract.hub,
        "launch": LAUNCH,
        "max_model_len": str(spec.limits.max_model_len),
        "mesh": size.mesh if size else spec.device,
        "metal": contract.metal,
        "model": spec.model,
        "model_name": last_name(spec),
        "port": str(contract.port),
        "revision": revision,
        "tt_metal": spec.pins.tt_metal if spec.pins else "",
    }
    return {**values, "weights": weights_at(spec, contract, revision=revision)}


def last_name(spec: ModelSpec) -> str:
    """Return the model's name without its owner, upstream's `model_name`."""
    return spec.model.rpartition("/")[2]


def weights_at(spec: ModelSpec, contract: LaunchContract, *, revision: str) -> str:
    """Return where the weights lie inside the container."""
    if contract.models:
        return f"{contract.models}/{last_name(spec)}"
    snapshot = f"{hub_folder(contract, spec.model)}/snapshots/{revision}"
    return f"{snapshot}/{ORIGINAL}" if reads_original(spec, contract) else snapshot


def reads_original(spec: ModelSpec, contract: LaunchContract) -> bool:
    """Return whether the image loads the files that Meta published, and not those of the hub.

    Source: tenstorrent/tt-inference-server:workflows/setup_host.py@v0.4.0
    """
    before = contract.original_before
    return bool(before) and spec.model.startswith(META) and not reaches(spec, contract, before)


def hub_folder(contract: LaunchContract, repository: str) -> str:
    """Return a repository's folder in a hub cache.

    Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    return f"{contract.hub}/models--{repository.replace('/', '--')}"


def is_on_the_hub(spec: ModelSpec) -> bool:
    """Return whether the weights are a repository of the hub, and not fetched by the image."""
    return "/" in spec.weights.repository


def fetched_besides(spec: ModelSpec, contract: LaunchContract) -> str:
    """Return what the image fetches besides the weights that are mounted; empty for nothing."""
    return dict(contract.fetches).get(last_name(spec), "") if is_on_the_hub(spec) else ""


def hub_on_host(spec: ModelSpec) -> str:
    """Return the folder below the cache where an image keeps what it fetches besides."""
    return f"hub/{last_name(spec)}"


def reaches(spec: ModelSpec, contract: LaunchContract, since: str) -> bool:
    """Return whether the entry's image is of a version or newer; `never` is of none.

    An image without a version is taken as the newest, as its contract was.
    """
    if since == "never":
        return False
    version = _server_version(spec, contract)
    return not since or not version or version >= numbers(since)


def _server_version(spec: ModelSpec, contract: LaunchContract) -> tuple[int, ...]:
    """Return what the tag says; an entry's own version may be a later release's."""
    if spec.pins is None:
        return ()
    tag = spec.pins.image.rpartition(":")[2]
    known = [version for commit, version in contract.commit_versions if f"_{commit}_" in tag]
    return numbers(known[0]) if known else image_version(spec.pins.image, spec.pins.version)[0]


def environment_of(spec: ModelSpec, contract: LaunchContract) -> dict[str, str]:
    """Return what the contract gives the entry's image; values may hold placeholders.

    A later one of `further` wins over an earlier one, and each over what every image gets.
    """
    given = dict(contract.environment)
    for one in contract.further:
        fits = not one.types or spec.type in one.types
        kept = not one.before or not reaches(spec, contract, one.before)
        weights = not one.fetched or not is_on_the_hub(spec)
        if fits and kept and weights and reaches(spec, contract, one.since):
            given |= dict(one.environment)
    return given


def needs_key(spec: ModelSpec, contract: LaunchContract) -> bool:
    """Return whether the server refuses requests without a key, so that the gateway sends one."""
    if not contract.key_variable:
        return False
    return not contract.no_key_since or not reaches(spec, contract, contract.no_key_since)


def engine_map(key: str) -> str:
    """Return the text of `ENGINE_MAP`: what the gateway sends to a server that wants a key."""
    return f"engine {key}\n"


def health_of(spec: ModelSpec, contract: LaunchContract) -> tuple[str, str]:
    """Return the path that says whether the model is there, and what the answer must hold."""
    if contract.health_since and not reaches(spec, contract, contract.health_since):
        return LIVENESS
    return contract.health_path, contract.health_text
