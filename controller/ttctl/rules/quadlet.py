# SPDX-License-Identifier: Apache-2.0
"""Say a stack as units of podman's quadlet, which systemd runs. Pure.

What belongs to the place, the nodes among it, is read from the folder's .env file when a unit is
started: quadlet passes `${NAME}` on to ExecStart, and systemd fills it in from EnvironmentFile. A
node's number changes with a reset, so a unit that held one could open another's board. A variable
that is missing or empty ends the start before podman is called.

Source: https://github.com/containers/podman/blob/v5.4.2/docs/source/markdown/podman-systemd.unit.5.md
and the generator beside it, pkg/systemd/quadlet/quadlet.go: it drops an argument that is empty, and
systemd takes one that is `;` for the end of the command. Both are refused here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.container import STACK_LABEL
from ttctl.model.service import node_variables
from ttctl.rules.compose import HOST_GATEWAY, environment_of, labels_of, scratch_of
from ttctl.rules.docker_run import container_name, health_text, network_name
from ttctl.rules.interpolation import literal, variables
from ttctl.rules.prepare_script import NAME as PREPARE
from ttctl.rules.run_script import start_limit_s
from ttctl.rules.unit_text import plain, switch, unit_text, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.service import Network, Scratch, ServiceSpec, Stack
    from ttctl.rules.interpolation import Variable
    from ttctl.rules.unit_text import Line, Section

SPARE_S = 20
"""What systemd gives podman beyond the container's own time to end, seconds."""
RESTARTS = {"no": "no", "unless-stopped": "always"}
"""systemd's word for compose's: what `systemctl stop` ended stays ended."""
REGISTRY = "docker.io"
"""Where a short name of Docker's leads, and what `podman load` calls an image without a host.

Source: https://github.com/distribution/reference/blob/v0.6.0/normalize.go
"""


def unit_files(stack: Stack) -> dict[str, str]:
    """Return file name to text of every unit; they stand beside .env in one folder.

    Raises:
        BadFileError: An argument is one that quadlet or systemd would drop.
    """
    units = {
        f"{network_name(stack, network.name)}.network": unit_text(_network(stack, network))
        for network in stack.networks
    }
    for service in stack.services:
        units[f"{stack.project}-{service.name}.container"] = unit_text(_container(stack, service))
    return units


def folder_of(stack: Stack) -> str:
    """Return where the units are installed: `%E` is /etc, or the user's own ~/.config."""
    return f"%E/containers/systemd/{stack.project}"


def image_name(reference: str) -> str:
    """Return an image's whole name, as docker means a short one."""
    host, slash, _ = reference.partition("/")
    if slash and (host == "localhost" or "." in host or ":" in host):
        return reference
    return f"{REGISTRY}/{reference}" if slash else f"{REGISTRY}/library/{reference}"


def _network(stack: Stack, network: Network) -> list[Section]:
    lines = [("NetworkName", network_name(stack, network.name))]
    lines += [("Internal", "true")] if network.internal else []
    lines.append(("Label", word(f"{STACK_LABEL}={stack.name}")))
    return [
        ("Unit", [("Description", f"Network {network.name} of the stack {stack.name}")]),
        ("Network", lines),
    ]


def _container(stack: Stack, service: ServiceSpec) -> list[Section]:
    return [
        ("Unit", [("Description", f"{service.name} of the stack {stack.name}, made by ttctl")]),
        (
            "Container",
            [
                ("Image", plain(literal(image_name(service.image)))),
                ("Pull", "never"),
                ("ContainerName", container_name(stack, service)),
                *_networks(stack, service),
                *_confinement(service),
                *_limits(service),
                *_health(service),
                *_places(service),
                *_environment(stack, service),
                *_start(service),
            ],
        ),
        ("Service", _service(stack, service)),
    ]


def _networks(stack: Stack, service: ServiceSpec) -> Iterator[Line]:
    if service.confinement.host_network:
        yield "Network", "host"
        return
    for network in service.networks:
        yield "Network", f"{network_name(stack, network)}.network"
    yield "NetworkAlias", service.name
    for name in service.host_names:
        # A key for it came with podman 5.3.
        yield "PodmanArgs", f"--add-host={name}:{HOST_GATEWAY}"
    if service.publish is not None:
        yield "PublishPort", f"${{TTCTL_BIND}}:${{TTCTL_PORT}}:{service.publish}/tcp"


def _confinement(service: ServiceSpec) -> Iterator[Line]:
    held = service.confinement
    user, _, group = held.user.partition(":")
    yield "User", user
    yield "Group", group
    yield "ReadOnly", switch(on=held.read_only)
    # Else podman makes /run and /var/tmp writable, too.
    yield "ReadOnlyTmpfs", "false"
    yield "RunInit", "true"
    yield "DropCapability", "all"
    for one in held.capabilities:
        yield "AddCapability", one
    yield "NoNewPrivileges", switch(on=not held.new_privileges)
    for one in held.groups:
        yield "GroupAdd", plain(one)
    if held.memlock:
        yield "Ulimit", "memlock=-1:-1"
    yield "PodmanArgs", f"--ipc={held.ipc}" + (" --pid=host" if held.host_processes else "")


def _limits(service: ServiceSpec) -> Iterator[Line]:
    memory = f"{service.memory_mib}m"
    yield "StopTimeout", str(service.stop_grace_s)
    yield "PidsLimit", str(service.pids)
    if service.confinement.ipc == "private":
        # Podman refuses a size for the host's own.
        yield "ShmSize", f"{service.shm_mib}m"
    if service.memory_mib:
        # Keys for these came with podman 5.6.
        yield "PodmanArgs", f"--memory={memory} --memory-swap={memory}"
    yield "LogDriver", "journald"


def _health(service: ServiceSpec) -> Iterator[Line]:
    health = service.health
    yield "HealthCmd", plain(literal(json.dumps(["CMD-SHELL", health_text(service)])))
    yield "HealthInterval", f"{health.interval_s}s"
    yield "HealthTimeout", f"{health.timeout_s}s"
    yield "HealthRetries", str(health.retries)
    yield "HealthStartPeriod", f"{health.start_period_s}s"
    yield "Notify", "healthy"


def _places(service: ServiceSpec) -> Iterator[Line]:
    for one in scratch_of(service):
        yield "Tmpfs", _scratch(one)
    for mount in service.mounts:
        how = "ro" if mount.read_only else "rw"
        yield "Volume", plain(f"{mount.source}:{literal(mount.target)}:{how}")
    for name in node_variables(service):
        yield "AddDevice", f"${{{name}}}"


def _scratch(one: Scratch) -> str:
    run = "exec" if one.executable else "noexec"
    return f"{one.target}:{run},size={one.size_mib}m,mode=1777,nosuid,nodev"


def _environment(stack: Stack, service: ServiceSpec) -> Iterator[Line]:
    for name, value in environment_of(service).items():
        yield "Environment", word(f"{name}={value}")
    for name, value in labels_of(stack, service):
        yield "Label", word(f"{name}={value}")


def _start(service: ServiceSpec) -> Iterator[Line]:
    if service.entrypoint:
        yield "Entrypoint", plain(literal(json.dumps(list(service.entrypoint))))
    for one in service.command:
        if one in {"", ";"}:
            raise BadFileError(
                f"A quadlet cannot pass the argument {one!r} on to {service.name!r}.",
                why="Podman's generator drops an empty one, and systemd ends a command at a `;`.",
                evidence=" ".join(service.command)[:240],
                next_step="ttctl render --help",
            )
    if service.command:
        yield "Exec", " ".join(word(literal(one)) for one in service.command)


def _service(stack: Stack, service: ServiceSpec) -> list[Line]:
    defaults, needed = _variables(stack, service)
    return [
        # First the defaults: what the file says comes after them.
        *(("Environment", word(f"{one.name}={one.default}")) for one in defaults),
        ("EnvironmentFile", f"{folder_of(stack)}/.env"),
        ("WorkingDirectory", folder_of(stack)),
        *(("ExecStartPre", f'/usr/bin/test -n "${{{name}}}"') for name in needed),
        *_prepared(stack, service),
        ("Restart", RESTARTS[service.restart]),
        ("TimeoutStartSec", str(start_limit_s(service))),
        ("TimeoutStopSec", str(service.stop_grace_s + SPARE_S)),
    ]


def _prepared(stack: Stack, service: ServiceSpec) -> list[Line]:
    """Return what is done before any start of a stack on cards; two at once do no harm.

    The gateway comes up without nodes and weights, too.
    """
    if not stack.engine.nodes:
        return []
    may_fail = "" if service.nodes else "-"
    return [("ExecStartPre", f"{may_fail}/bin/sh {folder_of(stack)}/{PREPARE}")]


def _variables(stack: Stack, service: ServiceSpec) -> tuple[list[Variable], list[str]]:
    """Return the variables that have a default, and the names of those that must not be empty."""
    values = [mount.source for mount in service.mounts]
    values += [f"${{{name}}}" for name in node_variables(service)]
    values += service.confinement.groups
    values += [value for _, value in (*service.place_environment, *labels_of(stack, service))]
    if service.publish is not None:
        values += ["${TTCTL_BIND:-127.0.0.1}", "${TTCTL_PORT}"]
    found = {one.name: one for value in values for one in variables(value)}
    defaults = [one for one in found.values() if one.default]
    return defaults, [one.name for one in found.values() if one.default != ""]
