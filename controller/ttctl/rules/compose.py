# SPDX-License-Identifier: Apache-2.0
"""Say a stack in the words of the compose specification. Pure.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.container import (
    BOARDS_LABEL,
    CONFIG_LABEL,
    CONTRACT_LABEL,
    DERIVED_LABEL,
    EXPERIMENTAL_LABEL,
    OWNER_LABEL,
    SERVICE_LABEL,
    STACK_LABEL,
)
from ttctl.model.service import LOOPBACK, Scratch, node_variables
from ttctl.rules import fingerprint
from ttctl.rules.interpolation import literal

if TYPE_CHECKING:
    from ttctl.model.service import Mount, Network, ServiceSpec, Stack

Json = dict[str, object]

PROXIES = tuple(
    spelling
    for kind in ("http", "https", "ftp", "all", "no")
    for spelling in (f"{kind}_proxy", f"{kind}_proxy".upper())
)
"""Empty in every container: else docker fills them, passwords too, from the user's own settings.

Source: https://docs.docker.com/engine/cli/proxy/
"""

HOST_GATEWAY = "host-gateway"
"""What Docker (since 20.10) and podman (since 4.1) take for the host's address on a bridge.

Source: https://docs.docker.com/reference/cli/docker/container/run/#add-host
"""


def compose_of(stack: Stack) -> Json:
    """Return the compose file that is this stack."""
    return {
        "name": stack.project,
        "services": {service.name: _service(stack, service) for service in stack.services},
        "networks": {network.name: _network(network, stack.name) for network in stack.networks},
    }


def config_hash(stack: Stack, service: ServiceSpec) -> str:
    """Return the hash of everything that a container of this service is made from."""
    return fingerprint.of_json(
        {
            "service": body_of(service),
            "inputs": list(service.inputs),
            "port": stack.port if service.publish else None,
            **({"bind": stack.bind} if service.publish and stack.bind != LOOPBACK else {}),
            **({"boards": list(stack.card_of(service).boards)} if service.nodes else {}),
        }
    )


def labels_of(stack: Stack, service: ServiceSpec) -> tuple[tuple[str, str], ...]:
    """Return the labels that say what a container is, values as compose reads them."""
    card = stack.card_of(service)
    leases = {BOARDS_LABEL: ",".join(card.boards), CONTRACT_LABEL: card.contract}
    labels = {
        STACK_LABEL: stack.name,
        SERVICE_LABEL: service.name,
        OWNER_LABEL: "${TTCTL_OWNER:-}",
        CONFIG_LABEL: config_hash(stack, service),
        **({EXPERIMENTAL_LABEL: literal(card.experimental)} if card.experimental else {}),
        **({DERIVED_LABEL: literal(card.derived_from)} if card.derived_from else {}),
        **(leases if service.nodes else {}),
    }
    return tuple(labels.items())


def network_options(network: Network) -> tuple[tuple[str, str], ...]:
    """Return the driver's options of a network."""
    # Without an address of the bridge, not even this host can be reached from inside.
    inside = (("com.docker.network.bridge.inhibit_ipv4", "true"),)
    return inside if network.internal else ()


def _service(stack: Stack, service: ServiceSpec) -> Json:
    return {**body_of(service), "labels": dict(labels_of(stack, service))}


def body_of(service: ServiceSpec) -> Json:
    """Return what compose is told of a service, save its labels."""
    confinement = service.confinement
    body: Json = {
        "image": literal(service.image),
        "pull_policy": "never",
        "user": confinement.user,
        "read_only": confinement.read_only,
        "init": True,
        "cap_drop": ["ALL"],
        "security_opt": [] if confinement.new_privileges else ["no-new-privileges:true"],
        "ipc": confinement.ipc,
        "restart": service.restart,
        "stop_grace_period": f"{service.stop_grace_s}s",
        **_memory(service),
        "pids_limit": service.pids,
        "shm_size": f"{service.shm_mib}m",
        "tmpfs": [scratch_text(one, confinement.user) for one in scratch_of(service)],
        **_network_of(service),
        "healthcheck": _health(service),
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "volumes": [_mount(mount) for mount in service.mounts],
        **_beyond(service),
    }
    if service.entrypoint:
        body["entrypoint"] = [literal(word) for word in service.entrypoint]
    if service.command:
        body["command"] = [literal(word) for word in service.command]
    body["environment"] = environment_of(service)
    if service.publish is not None:
        body["ports"] = [
            {
                "target": service.publish,
                "published": "${TTCTL_PORT:?the port on this host}",
                "host_ip": "${TTCTL_BIND:-127.0.0.1}",
                "protocol": "tcp",
            }
        ]
    return body


def _memory(service: ServiceSpec) -> Json:
    limit = f"{service.memory_mib}m"
    return {"mem_limit": limit, "memswap_limit": limit} if service.memory_mib else {}


def _network(network: Network, stack: str) -> Json:
    labels = {STACK_LABEL: stack}
    if not network.internal:
        return {"internal": False, "labels": labels}
    options = dict(network_options(network))
    return {"internal": True, "driver": "bridge", "driver_opts": options, "labels": labels}


def environment_of(service: ServiceSpec) -> dict[str, str]:
    """Return a container's environment, values as compose reads them."""
    given = {name: literal(value) for name, value in service.environment}
    return {**dict.fromkeys(PROXIES, ""), **given, **dict(service.place_environment)}


def _network_of(service: ServiceSpec) -> Json:
    if service.confinement.host_network:
        return {"network_mode": "host"}
    names = [f"{name}:{HOST_GATEWAY}" for name in service.host_names]
    return {
        "networks": list(service.networks),
        **({"extra_hosts": names} if names else {}),
    }


def _health(service: ServiceSpec) -> Json:
    health = service.health
    return {
        "test": [literal(word) for word in health.test],
        "interval": f"{health.interval_s}s",
        "timeout": f"{health.timeout_s}s",
        "retries": health.retries,
        "start_period": f"{health.start_period_s}s",
    }


def scratch_of(service: ServiceSpec) -> tuple[Scratch, ...]:
    """Return every writable folder in memory, `/tmp` first."""
    return Scratch(target="/tmp", size_mib=service.tmpfs_mib), *service.scratch  # noqa: S108


def scratch_text(one: Scratch, user: str) -> str:
    """Return how compose and docker are told of a folder in memory."""
    # The engine's own default for a tmpfs is noexec.
    run = "exec," if one.executable else ""
    options = f"{run}size={one.size_mib}m,mode=1777,nosuid,nodev"
    return f"{literal(one.target)}:{options}{_owner(one, user)}"


def _owner(one: Scratch, user: str) -> str:
    """Return who owns a folder in memory; `/tmp` is everybody's in every image.

    Over a folder that the image has, runc 1.1 puts that folder's mode in the place of the one that
    is asked for, and root in the place of its owner.
    """
    uid, _, gid = user.partition(":")
    return "" if one.target == "/tmp" else f",uid={uid},gid={gid}"  # noqa: S108


def _beyond(service: ServiceSpec) -> Json:
    """Return what only some containers have; a key without a value would be one more to compare."""
    confinement = service.confinement
    named = {
        "cap_add": list(confinement.capabilities),
        "group_add": list(confinement.groups),
        "devices": [f"${{{name}:?the node of a leased board}}" for name in node_variables(service)],
        "pid": "host" if confinement.host_processes else "",
        "ulimits": {"memlock": {"soft": -1, "hard": -1}} if confinement.memlock else {},
    }
    return {key: value for key, value in named.items() if value}


def _mount(mount: Mount) -> Json:
    return {
        "type": "bind",
        "source": mount.source,
        "target": literal(mount.target),
        "read_only": mount.read_only,
        "bind": {"create_host_path": False},
    }
