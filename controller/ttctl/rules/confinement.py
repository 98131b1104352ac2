# SPDX-License-Identifier: Apache-2.0
"""How is a contract's container held in, and is every difference explained? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.contract import WHOLE
from ttctl.model.service import HELD_IN, Confinement, Exemption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.contract import LaunchContract, LaunchHost
    from ttctl.model.service import ServiceSpec

PRIVATE_SHM_MIB = 64
"""What the engine gives a container that asks for none."""


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
        groups=host.groups,
        exemptions=exemptions,
    )


def shm_mib(contract: LaunchContract) -> int:
    """Return the container's own shared memory, in MiB."""
    said = [int(one.value) for one in contract.exemptions if one.what == "shared memory"]
    return said[0] if said else PRIVATE_SHM_MIB


def has_hugepages(contract: LaunchContract, host: LaunchHost) -> bool:
    """Return whether the mount of the hugepages is made."""
    return host.hugepages and any(one.what == "hugepages" for one in contract.exemptions)


def unexplained(service: ServiceSpec) -> tuple[str, ...]:
    """Return every difference from the house's rule for which a service names no reason."""
    said = {(one.what, one.value) for one in service.confinement.exemptions if one.reason}
    return tuple(
        " ".join(part for part in one if part) for one in _differences(service) if one not in said
    )


def _of(contract: LaunchContract, host: LaunchHost) -> tuple[Exemption, ...]:
    held = tuple(
        one
        for one in contract.exemptions
        if one.what != "hugepages" or has_hugepages(contract, host)
    )
    reason = "the device nodes are not open to everybody; members of this group may open them"
    return (*held, *(Exemption(what="group", value=one, reason=reason) for one in host.groups))


def _differences(service: ServiceSpec) -> set[tuple[str, str]]:
    confinement = service.confinement
    found = {
        ("user", confinement.user): confinement.user != HELD_IN.user,
        ("writable root", ""): not confinement.read_only,
        ("new privileges", ""): confinement.new_privileges,
        ("host ipc", ""): confinement.ipc == "host",
        ("locked memory", "unlimited"): confinement.memlock,
        ("shared memory", str(service.shm_mib)): service.shm_mib != PRIVATE_SHM_MIB,
        ("device", str(service.nodes)): service.nodes > 0,
    }
    return {
        *(difference for difference, is_one in found.items() if is_one),
        *(("capability", one) for one in confinement.capabilities),
        *(("group", one) for one in confinement.groups),
        *_written(service),
    }


def _written(service: ServiceSpec) -> set[tuple[str, str]]:
    mounted = {mount.target for mount in service.mounts if not mount.read_only}
    pages = {target for target in mounted if target.startswith("/dev/hugepages")}
    memory = {one.target for one in service.scratch}
    runs = {one.target for one in service.scratch if one.executable}
    return {
        *(("hugepages", target) for target in pages),
        *(("writable path", target) for target in (mounted - pages) | memory),
        *(("executable path", target) for target in runs),
    }
