# SPDX-License-Identifier: Apache-2.0
"""Which container serves a catalog entry on its device? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.contract import WHOLE
from ttctl.model.service import Exemption, ServiceSpec
from ttctl.rules import fingerprint
from ttctl.rules.confinement import NO_LIMIT_MIB, confinement_of, shm_mib
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.hugepages import nodes_of
from ttctl.rules.launch_mounts import mounts_of, scratch_of, written_paths
from ttctl.rules.launch_values import (
    UNRESOLVED,
    environment_of,
    fetched_besides,
    is_on_the_hub,
    last_name,
    needs_key,
    values_of,
    weights_at,
)
from ttctl.rules.one_chip import told
from ttctl.rules.parsers import told_arguments
from ttctl.rules.placeholders import filled
from ttctl.rules.spec_file import NAME, spec_text
from ttctl.rules.stack import service_name

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract, LaunchHost
    from ttctl.model.lock import LockedWeights
    from ttctl.model.spec import ModelSpec

START = "start"
DEFAULT_START_S = 3600
"""Longest start where the entry does not say it.

Source: tenstorrent/tt-inference-server, release_model_spec.json@v0.20.0: 190 of 225 entries
"""
BACK, OUT = "back", "out"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
OF_MOUNTED_WEIGHTS = ("HF_HUB_CACHE", *OFFLINE)
"""What an image that fetches its weights is not told."""
GPU = "gpu"
LISTED_ONLY = (
    "it is listed only: upstream measures against a GPU with it, and ttctl launches Tenstorrent"
    " cards and the processor"
)
NO_SIZE = "its device is not one that this version knows"


def refusal(spec: ModelSpec, contract: LaunchContract) -> str:
    """Return why `up` does not start an entry; empty where it does."""
    if spec.device == GPU:
        return LISTED_ONLY
    if spec.device not in SIZES:
        return NO_SIZE
    devices = dict(contract.device_environment)
    if devices and spec.device not in devices:
        return f"its server has no setting for {spec.device}; there are {', '.join(devices)}"
    return contract.refusal


def engine_service(
    spec: ModelSpec,
    contract: LaunchContract,
    *,
    image: str,
    weights: LockedWeights,
    host: LaunchHost = WHOLE,
) -> ServiceSpec:
    """Return the container that serves an entry.

    Args:
        spec: An entry with pins; not one of a GPU.
        contract: How `image` is launched: that of the pins, or `own` for what ttctl built.
        image: Reference of the image, by digest where one is locked.
        weights: What is mounted; its revision may be empty while unresolved.
        host: What of the machine changes the launch.
    """
    files = launch_files(spec, contract, weights=weights)
    nodes = _nodes(spec, host)
    scratch = scratch_of(spec, contract)
    outbound = () if is_on_the_hub(spec) else _outbound()
    further = (*_device(nodes), *written_paths(spec, contract), *outbound)
    values = values_of(spec, contract, revision=weights.revision)
    return ServiceSpec(
        name=service_name(spec.engine),
        image=image,
        entrypoint=tuple(filled(word, values) for word in contract.entrypoint),
        command=_command(spec, contract, values),
        environment=_environment(spec, contract, host=host, values=values),
        mounts=mounts_of(spec, contract, host=host, revision=weights.revision, files=bool(files)),
        networks=(BACK, OUT) if outbound or fetched_besides(spec, contract) else (BACK,),
        health=replace(
            contract.probe,
            test=tuple(filled(word, values) for word in contract.probe.test),
            start_period_s=spec.start_s or DEFAULT_START_S,
        ),
        memory_mib=NO_LIMIT_MIB,
        shm_mib=shm_mib(contract),
        pids=contract.pids,
        tmpfs_mib=contract.tmpfs_mib,
        stop_grace_s=contract.stop_grace_s,
        restart=contract.restart,
        inputs=_inputs(weights, files),
        confinement=confinement_of(contract, host=host, further=further),
        scratch=scratch,
        nodes=nodes,
    )


def launch_files(
    spec: ModelSpec, contract: LaunchContract, *, weights: LockedWeights
) -> dict[str, str]:
    """Return path to text of what the container reads besides; paths are of the rendered folder."""
    files: dict[str, str] = {}
    if contract.spec_form:
        files[f"launch/{NAME}"] = spec_text(spec, contract)
    if contract.script:
        files[f"launch/{START}"] = contract.script
    if contract.hub and is_on_the_hub(spec):
        # Without a newline: it is read to the end as the name of the snapshot's folder.
        files["launch/refs/main"] = weights.revision or UNRESOLVED
    return files


def _command(spec: ModelSpec, contract: LaunchContract, values: dict[str, str]) -> tuple[str, ...]:
    if contract.command or not contract.models:
        return tuple(filled(word, values) for word in contract.command)
    arguments = {**dict(told_arguments(spec)), "model": weights_at(spec, contract, revision="")}
    said = {"served-model-name": spec.model, "host": "0.0.0.0", "port": values["port"]}  # noqa: S104 - inside the stack's own network
    pairs = ((f"--{name}", value) for name, value in {**arguments, **said}.items())
    return tuple(word for pair in pairs for word in pair if word)


def _environment(
    spec: ModelSpec, contract: LaunchContract, *, host: LaunchHost, values: dict[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return what the container gets: what the contract says wins over the entry."""
    given = {
        **told(spec, part_of=host.part_of, metal=contract.metal),
        **(dict(spec.environment) if contract.entry_environment else {}),
        **{name: filled(text, values) for name, text in environment_of(spec, contract).items()},
        **_of_model(spec, contract, values),
        **dict(dict(contract.device_environment).get(spec.device, ())),
        **dict(dict(contract.implementation_environment).get(spec.implementation, ())),
        **({} if needs_key(spec, contract) else dict(contract.no_key)),
    }
    hidden = _untold(spec, contract)
    return tuple(sorted((name, value) for name, value in given.items() if name not in hidden))


def _of_model(spec: ModelSpec, contract: LaunchContract, values: dict[str, str]) -> dict[str, str]:
    own = dict(contract.model_environment).get(last_name(spec), ())
    return {name: filled(value, values) for name, value in own}


def _untold(spec: ModelSpec, contract: LaunchContract) -> tuple[str, ...]:
    """Return which variables an image that fetches something from the hub is not given."""
    if not is_on_the_hub(spec):
        return OF_MOUNTED_WEIGHTS
    return OFFLINE if fetched_besides(spec, contract) else ()


def _nodes(spec: ModelSpec, host: LaunchHost) -> int:
    if host.nodes is not None:
        return host.nodes
    return 1 if host.part_of else nodes_of(spec.device, ())


def _device(nodes: int) -> tuple[Exemption, ...]:
    reason = "the chips are opened through these nodes; each is passed by itself, never the folder"
    source = "tenstorrent/tt-studio issue 1329: with the folder, a second container hangs"
    return (Exemption(what="device", value=str(nodes), reason=reason, source=source),)


def _outbound() -> tuple[Exemption, ...]:
    reason = "its weights are no repository of the hub: the image fetches them itself"
    source = "tenstorrent/tt-inference-server:tt-media-server/tt_model_runners@v0.20.0"
    return (Exemption(what="outbound network", value="", reason=reason, source=source),)


def _inputs(weights: LockedWeights, files: dict[str, str]) -> tuple[tuple[str, str], ...]:
    hashes = [(file.path, file.size_bytes, file.sha256) for file in weights.files]
    return (
        ("weights", fingerprint.of_json([weights.revision, hashes])),
        *((path, fingerprint.sha256_text(text)) for path, text in sorted(files.items())),
    )
