# SPDX-License-Identifier: Apache-2.0
"""How is a contract's container held in, and is every difference explained? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.contract import WHOLE
from ttctl.model.pins import BUILT
from ttctl.model.service import HELD_IN, Confinement, Exemption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.contract import LaunchContract, LaunchHost

PRIVATE_SHM_MIB = 64
"""What the engine gives a container that asks for none."""


NO_LIMIT_MIB = 0
"""Memory limit of every engine on a card: none; the contract says why, and `plan` shows it.

What upstream states of memory is the least that a host must have: `min_ram_gb`, 2.5 GB for each
billion parameters where a template names no other, and 6 GB of image models whose weights alone
take more. Copies for data parallelism, which each hold the weights while they are converted, are in
none of these. A limit made of them could kill a server that works, and a server that is killed
leaves its boards dirty. Whether the host has that least is looked at before the start.

Source: tenstorrent/tt-inference-server, workflows/model_spec.py@v0.20.0 and
release_model_spec.json@v0.20.0, `min_ram_gb`; workflows/run_docker_server.py at the tags 0.1.0 to
0.20.0, none of which gives `--memory`; issue 4923 for the dirty boards.
"""


def confinement_of(
    contract: LaunchContract,
    *,
    host: LaunchHost = WHOLE,
    further: Iterable[Exemption] = (),
) -> Confinement:
    """Return the confinement that a contract's exemptions make; what they do not name is held.

    Args:
        contract: How the image is launched.
        host: What of the machine matters.
        further: What this one container needs besides: nodes, writable paths.
    """
    exemptions = (*_of(contract, host), *further)
    users = [one.value for one in exemptions if one.what == "user"]
    whats = {one.what for one in exemptions}
    return Confinement(
        user=users[0] if users else HELD_IN.user,
        read_only="writable root" not in whats,
        capabilities=tuple(one.value for one in exemptions if one.what == "capability"),
        ipc="host" if "host ipc" in whats else "private",
        memlock="locked memory" in whats,
        host_network="host network" in whats,
        host_processes="host processes" in whats,
        groups=host.groups,
        exemptions=exemptions,
    )


def run_as(contract: LaunchContract, uid: int) -> LaunchContract:
    """Return the contract of an image whose user has another number than the house's.

    One that names its user already keeps it: what starts as root becomes the other by itself.
    """
    user = f"{uid}:{uid}"
    if user == HELD_IN.user or any(one.what == "user" for one in contract.exemptions):
        return replace(contract, uid=uid)
    built = "the image was built for this user: --image-uid, or the setting up.image_uid"
    pulled = "the image's own configuration names this user"
    reason = built if contract.name in BUILT else pulled
    other = Exemption(what="user", value=user, reason=reason)
    return replace(contract, uid=uid, exemptions=(*contract.exemptions, other))


def shm_mib(contract: LaunchContract) -> int:
    """Return the container's own shared memory, in MiB."""
    said = [int(one.value) for one in contract.exemptions if one.what == "shared memory"]
    return said[0] if said else PRIVATE_SHM_MIB


def has_hugepages(contract: LaunchContract, host: LaunchHost) -> bool:
    """Return whether the mount of the hugepages is made."""
    return host.hugepages and any(one.what == "hugepages" for one in contract.exemptions)


def _of(contract: LaunchContract, host: LaunchHost) -> tuple[Exemption, ...]:
    held = tuple(
        one
        for one in contract.exemptions
        if one.what != "hugepages" or has_hugepages(contract, host)
    )
    reason = "the device nodes are not open to everybody; members of this group may open them"
    return (*held, *(Exemption(what="group", value=one, reason=reason) for one in host.groups))
