# SPDX-License-Identifier: Apache-2.0
"""Say a stack as the `docker` commands that make it. Pure.

A command is a list of words, each written as compose reads it (`rules/interpolation.py`): the
values of the .env file are filled in by whoever shows or runs it.

Source: https://docs.docker.com/reference/cli/docker/container/run/
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.container import STACK_LABEL
from ttctl.model.service import node_variables
from ttctl.rules.compose import (
    HOST_GATEWAY,
    environment_of,
    labels_of,
    network_options,
    scratch_of,
    scratch_text,
)
from ttctl.rules.interpolation import HERE, filled, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.service import Mount, Network, ServiceSpec, Stack

Command = tuple[str, ...]


def container_name(stack: Stack, service: ServiceSpec) -> str:
    """Return a container's name: compose's own, so that the two never run beside each other."""
    return f"{stack.project}-{service.name}-1"


def network_name(stack: Stack, network: str) -> str:
    """Return a network's name, which is not compose's: it takes only networks that it made."""
    return f"{stack.project}-{network}"


def network_command(stack: Stack, network: Network) -> Command:
    """Return the command that makes a network."""
    options = [f"--opt={name}={value}" for name, value in network_options(network)]
    inside = ["--driver=bridge", "--internal", *options] if network.internal else []
    label = f"--label={STACK_LABEL}={stack.name}"
    return ("docker", "network", "create", *inside, label, network_name(stack, network.name))


def run_command(
    stack: Stack, service: ServiceSpec, *, mounts: tuple[Mount, ...] | None = None
) -> Command:
    """Return the command that starts a service's container in its first network.

    `mounts` stand in the place of the service's own, with their sources filled in.
    """
    return (
        "docker", "run", "--detach", "--pull", "never",
        "--name", container_name(stack, service),
        *_network(stack, service),
        *_confinement(service),
        *_limits(service),
        *_health(service),
        *_places(service, service.mounts if mounts is None else mounts),
        *_environment(service),
        *_labels(stack, service),
        *_published(service),
        *(("--entrypoint", literal(service.entrypoint[0])) if service.entrypoint else ()),
        literal(service.image),
        *(literal(word) for word in (*service.entrypoint[1:], *service.command)),
    )  # fmt: skip


def connect_commands(stack: Stack, service: ServiceSpec) -> tuple[Command, ...]:
    """Return the commands that bring a service into its other networks.

    `docker run` of 20.10 takes one network only.
    """
    name = container_name(stack, service)
    return tuple(
        ("docker", "network", "connect", "--alias", service.name, network_name(stack, one), name)
        for one in service.networks[1:]
    )


def stop_commands(stack: Stack) -> tuple[Command, ...]:
    """Return the commands that end a stack: the door first, each with its whole grace time."""
    return tuple(
        ("docker", "stop", "--time", str(service.stop_grace_s), container_name(stack, service))
        for service in reversed(stack.services)
    )


def typed_commands(stack: Stack, values: Mapping[str, str]) -> tuple[Command, ...]:
    """Return every command with the .env file's values in it, ready to be run as it stands.

    Args:
        stack: What is wanted.
        values: The .env file's, and `PWD`, the folder that relative paths begin at.

    Raises:
        BadFileError: A variable is missing.
    """
    commands = [network_command(stack, network) for network in stack.networks]
    for service in stack.services:
        # A mount's quoting needs the real text of its source.
        mounts = tuple(replace(one, source=_settled(one.source, values)) for one in service.mounts)
        commands.append(run_command(stack, service, mounts=mounts))
        commands += connect_commands(stack, service)
    return tuple(tuple(filled(word, values) for word in command) for command in commands)


def health_text(service: ServiceSpec) -> str:
    """Return a health check as one line of a shell, which is all that these programs take."""
    kind, *words = service.health.test
    return words[0] if kind == "CMD-SHELL" else f"exec {shlex.join(words)}"


def _settled(source: str, values: Mapping[str, str]) -> str:
    found = filled(source, values)
    folder = filled(f"${{{HERE}}}", values) if found.startswith("./") else ""
    return literal(folder + found.removeprefix(".") if folder else found)


def absolute(source: str) -> str:
    """Return a source that begins at the rendered folder as one that begins at the root."""
    return f"${{{HERE}}}{source[1:]}" if source.startswith("./") else source


def _network(stack: Stack, service: ServiceSpec) -> Command:
    if service.confinement.host_network:
        return ("--network", "host")
    names = (f"{name}:{HOST_GATEWAY}" for name in service.host_names)
    network = network_name(stack, service.networks[0])
    return (
        "--network", network, "--network-alias", service.name,
        *(word for one in names for word in ("--add-host", one)),
    )  # fmt: skip


def _confinement(service: ServiceSpec) -> Command:
    held = service.confinement
    return (
        "--user", held.user,
        *(("--read-only",) if held.read_only else ()),
        "--init",
        "--cap-drop", "ALL",
        *(word for one in held.capabilities for word in ("--cap-add", one)),
        *(() if held.new_privileges else ("--security-opt", "no-new-privileges:true")),
        "--ipc", held.ipc,
        *(("--pid", "host") if held.host_processes else ()),
        *(word for one in held.groups for word in ("--group-add", one)),
        *(("--ulimit", "memlock=-1:-1") if held.memlock else ()),
    )  # fmt: skip


def _limits(service: ServiceSpec) -> Command:
    limit = f"{service.memory_mib}m"
    memory = ("--memory", limit, "--memory-swap", limit) if service.memory_mib else ()
    return (
        "--restart", service.restart,
        "--stop-timeout", str(service.stop_grace_s),
        *memory,
        "--pids-limit", str(service.pids),
        "--shm-size", f"{service.shm_mib}m",
        "--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3",
    )  # fmt: skip


def _health(service: ServiceSpec) -> Command:
    health = service.health
    return (
        "--health-cmd", literal(health_text(service)),
        "--health-interval", f"{health.interval_s}s",
        "--health-timeout", f"{health.timeout_s}s",
        "--health-retries", str(health.retries),
        "--health-start-period", f"{health.start_period_s}s",
    )  # fmt: skip


def _places(service: ServiceSpec, mounts: tuple[Mount, ...]) -> Command:
    scratch = (
        ("--tmpfs", scratch_text(one, service.confinement.user)) for one in scratch_of(service)
    )
    places = (("--mount", _mount(one)) for one in mounts)
    nodes = (
        ("--device", f"${{{name}:?the node of a leased board}}") for name in node_variables(service)
    )
    return tuple(word for pair in (*scratch, *places, *nodes) for word in pair)


def _mount(mount: Mount) -> str:
    # A row of CSV: with quotes around it, a source may hold a comma.
    source = absolute(mount.source).replace('"', '""')
    how = ",readonly" if mount.read_only else ""
    return f'type=bind,"source={source}",target={literal(mount.target)}{how}'


def _environment(service: ServiceSpec) -> Command:
    given = environment_of(service)
    return tuple(word for name, value in given.items() for word in ("--env", f"{name}={value}"))


def _labels(stack: Stack, service: ServiceSpec) -> Command:
    pairs = (f"{name}={value}" for name, value in labels_of(stack, service))
    return tuple(word for pair in pairs for word in ("--label", pair))


def _published(service: ServiceSpec) -> Command:
    if service.publish is None:
        return ()
    address = "${TTCTL_BIND:-127.0.0.1}:${TTCTL_PORT:?the port on this host}"
    return ("--publish", f"{address}:{service.publish}/tcp")
