# SPDX-License-Identifier: Apache-2.0
"""What a container sees of the host, and where it may write. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.service import Exemption, Mount, Scratch
from ttctl.rules.confinement import has_hugepages
from ttctl.rules.launch_values import (
    LAUNCH,
    UNRESOLVED,
    environment_of,
    fetched_besides,
    hub_folder,
    hub_on_host,
    is_on_the_hub,
    needs_key,
    values_of,
    weights_at,
)
from ttctl.rules.placeholders import filled

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract, LaunchHost, Writable
    from ttctl.model.spec import ModelSpec

CACHE = "${TTCTL_CACHE:?the folder that holds the caches}"
WEIGHTS = "${TTCTL_WEIGHTS:?the folder that holds the weights}"
ENGINE_SECRETS = "${TTCTL_ENGINE_SECRETS:?the folder that holds the key of the engine}"
HUGEPAGES = "/dev/hugepages-1G"
"""The very path that the driver library looks for inside the container."""
PAGES = "${TTCTL_HUGEPAGES:?the folder of the hugepages}"
LAUNCH_FOLDER = "./launch"


def mounts_of(
    spec: ModelSpec, contract: LaunchContract, *, host: LaunchHost, revision: str, files: bool
) -> tuple[Mount, ...]:
    """Return every mount, a folder before what lies in it.

    Args:
        spec: The entry.
        contract: How its image is launched.
        host: What of the machine matters.
        revision: Of the weights; empty while unresolved.
        files: Whether the rendered folder holds files for the container.
    """
    values = values_of(spec, contract, revision=revision)
    mounts = [
        Mount(source=_on_host(one, values), target=filled(one.target, values), read_only=False)
        for one in contract.writable
        if one.folder
    ]
    if fetched_besides(spec, contract):
        mounts.append(
            Mount(source=f"{CACHE}/{hub_on_host(spec)}", target=contract.hub, read_only=False)
        )
    mounts += _weights(spec, contract, revision=revision or UNRESOLVED)
    if files:
        mounts.append(Mount(source=LAUNCH_FOLDER, target=LAUNCH))
    if needs_key(spec, contract):
        mounts.append(Mount(source=ENGINE_SECRETS, target="/run/secrets/engine"))
    if has_hugepages(contract, host):
        mounts.append(Mount(source=PAGES, target=HUGEPAGES, read_only=False))
    return tuple(mounts)


def scratch_of(spec: ModelSpec, contract: LaunchContract) -> tuple[Scratch, ...]:
    """Return the writable folders in memory."""
    values = values_of(spec, contract)
    return tuple(
        Scratch(target=filled(one.target, values), size_mib=one.size_mib, executable=one.executable)
        for one in contract.writable
        if not one.folder
    )


def cache_folders(spec: ModelSpec, contract: LaunchContract) -> tuple[str, ...]:
    """Return the folders below the cache that must be there before the start, `.` for itself.

    What the container engine makes in their place would be root's.
    """
    values = values_of(spec, contract)
    inside = [
        filled(value, values).removeprefix(f"{contract.cache}/")
        for value in environment_of(spec, contract).values()
        if value.startswith("{cache}/") and not value.endswith(".json")
    ]
    mounted = [filled(one.folder, values) for one in contract.writable if one.folder]
    return tuple(dict.fromkeys((*mounted, *inside, *_of_the_hub(spec, contract))))


def _of_the_hub(spec: ModelSpec, contract: LaunchContract) -> list[str]:
    """Return the folders of what is fetched besides, and those that the weights are mounted in."""
    if not fetched_besides(spec, contract):
        return []
    repositories = dict.fromkeys((spec.model, spec.weights.repository))
    places = [hub_folder(contract, one).removeprefix(f"{contract.hub}/") for one in repositories]
    inside = [f"/{place}/{part}" for place in places for part in ("refs", "snapshots")]
    return [f"{hub_on_host(spec)}{one}" for one in ("", *inside)]


def written_paths(spec: ModelSpec, contract: LaunchContract) -> tuple[Exemption, ...]:
    """Return each writable path as the exemption that it is."""
    values = values_of(spec, contract)
    written = tuple(
        Exemption(what=what, value=filled(one.target, values), reason=one.reason, source=one.source)
        for one in contract.writable
        for what in (("writable path", "executable path") if one.executable else ("writable path",))
    )
    besides = fetched_besides(spec, contract)
    return (*written, *(_fetched(contract, besides) if besides else ()))


def _fetched(contract: LaunchContract, besides: str) -> tuple[Exemption, ...]:
    reason = f"the image fetches from the hub besides its weights: {besides}"
    source = "tenstorrent/tt-inference-server:tt-media-server/tt_model_runners@v0.15.0"
    return (
        Exemption(what="writable path", value=contract.hub, reason=reason, source=source),
        Exemption(what="outbound network", value="", reason=reason, source=source),
    )


def _on_host(one: Writable, values: dict[str, str]) -> str:
    folder = filled(one.folder, values)
    return CACHE if folder == "." else f"{CACHE}/{folder}"


def _weights(spec: ModelSpec, contract: LaunchContract, *, revision: str) -> list[Mount]:
    """Mount the weights read-only and outside the cache, whose owner some entrypoints change.

    In a hub cache the model is found by its name as well as by its path: vLLM looks for tokenizer
    and configuration under the name that its validated arguments say.
    """
    if not is_on_the_hub(spec):
        return []
    if not contract.hub:
        return [Mount(source=WEIGHTS, target=weights_at(spec, contract, revision=revision))]
    return [
        mount
        for repository in dict.fromkeys((spec.model, spec.weights.repository))
        for mount in (
            Mount(
                source=WEIGHTS,
                target=f"{hub_folder(contract, repository)}/snapshots/{revision}",
            ),
            Mount(
                source=f"{LAUNCH_FOLDER}/refs", target=f"{hub_folder(contract, repository)}/refs"
            ),
        )
    ]
