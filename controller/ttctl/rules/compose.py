# SPDX-License-Identifier: Apache-2.0
"""Say a stack in the words of the compose specification. Pure.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.container import (
    CONFIG_LABEL,
    EXPERIMENTAL_LABEL,
    OWNER_LABEL,
    SERVICE_LABEL,
    STACK_LABEL,
)
from ttctl.rules import fingerprint

if TYPE_CHECKING:
    from ttctl.model.service import Network, ServiceSpec, Stack

Json = dict[str, object]

PROXIES = tuple(
    spelling
    for kind in ("http", "https", "ftp", "all", "no")
    for spelling in (f"{kind}_proxy", f"{kind}_proxy".upper())
)
"""Empty in every container: else docker fills them, passwords too, from the user's own settings.

Source: https://docs.docker.com/engine/cli/proxy/
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
            "service": _body(service),
            "inputs": list(service.inputs),
            "port": stack.port if service.publish else None,
        }
    )


def _service(stack: Stack, service: ServiceSpec) -> Json:
    labels = {
        STACK_LABEL: stack.name,
        SERVICE_LABEL: service.name,
        OWNER_LABEL: "${TTCTL_OWNER:-}",
        CONFIG_LABEL: config_hash(stack, service),
        **({EXPERIMENTAL_LABEL: stack.experimental} if stack.experimental else {}),
    }
    return {**_body(service), "labels": labels}


def _body(service: ServiceSpec) -> Json:
    body: Json = {
        "image": _literal(service.image),
        "pull_policy": "never",
        "user": "1000:1000",
        "read_only": True,
        "init": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "ipc": "private",
        "restart": service.restart,
        "stop_grace_period": f"{service.stop_grace_s}s",
        "mem_limit": f"{service.memory_mib}m",
        "memswap_limit": f"{service.memory_mib}m",
        "pids_limit": service.pids,
        "shm_size": f"{service.shm_mib}m",
        "tmpfs": [f"/tmp:size={service.tmpfs_mib}m,mode=1777,nosuid,nodev"],  # noqa: S108
        "networks": list(service.networks),
        "healthcheck": _health(service),
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "volumes": [_bind(mount.source, _literal(mount.target)) for mount in service.mounts],
    }
    if service.entrypoint:
        body["entrypoint"] = [_literal(word) for word in service.entrypoint]
    if service.command:
        body["command"] = [_literal(word) for word in service.command]
    given = {name: _literal(value) for name, value in service.environment}
    body["environment"] = {**dict.fromkeys(PROXIES, ""), **given}
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


def _network(network: Network, stack: str) -> Json:
    labels = {STACK_LABEL: stack}
    if not network.internal:
        return {"internal": False, "labels": labels}
    # Without an address of the bridge, not even this host can be reached from inside.
    options = {"com.docker.network.bridge.inhibit_ipv4": "true"}
    return {"internal": True, "driver": "bridge", "driver_opts": options, "labels": labels}


def _health(service: ServiceSpec) -> Json:
    health = service.health
    return {
        "test": [_literal(word) for word in health.test],
        "interval": f"{health.interval_s}s",
        "timeout": f"{health.timeout_s}s",
        "retries": health.retries,
        "start_period": f"{health.start_period_s}s",
    }


def _bind(source: str, target: str) -> Json:
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def _literal(text: str) -> str:
    return text.replace("$", "$$")
