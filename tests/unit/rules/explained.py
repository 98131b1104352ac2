# SPDX-License-Identifier: Apache-2.0
"""What of a service differs from the house's rule without a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.service import HELD_IN
from ttctl.rules.confinement import NO_LIMIT_MIB, PRIVATE_SHM_MIB

if TYPE_CHECKING:
    from ttctl.model.service import ServiceSpec


def unexplained(service: ServiceSpec) -> tuple[str, ...]:
    """Return every difference from the house's rule for which a service names no reason."""
    said = {(one.what, one.value) for one in service.confinement.exemptions if one.reason}
    return tuple(
        " ".join(part for part in one if part) for one in _differences(service) if one not in said
    )


def _differences(service: ServiceSpec) -> set[tuple[str, str]]:
    confinement = service.confinement
    found = {
        ("user", confinement.user): confinement.user != HELD_IN.user,
        ("writable root", ""): not confinement.read_only,
        ("new privileges", ""): confinement.new_privileges,
        ("host ipc", ""): confinement.ipc == "host",
        ("locked memory", "unlimited"): confinement.memlock,
        ("host network", ""): confinement.host_network,
        ("host processes", ""): confinement.host_processes,
        ("shared memory", str(service.shm_mib)): service.shm_mib != PRIVATE_SHM_MIB,
        ("device", str(service.nodes)): service.nodes > 0,
        ("memory limit", "none"): service.memory_mib == NO_LIMIT_MIB,
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
