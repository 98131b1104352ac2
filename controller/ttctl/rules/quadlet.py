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
from ttctl.model.service import node_variable
from ttctl.rules.compose import PROXIES, labels_of, scratch_of
from ttctl.rules.docker_run import container_name, health_text, network_name
from ttctl.rules.interpolation import Variable, literal, pieces, variables
from ttctl.rules.run_script import start_limit_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.service import Network, Scratch, ServiceSpec, Stack

Line = tuple[str, str]
Section = tuple[str, list[Line]]

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
        f"{network_name(stack, network.name)}.network": _text(_network(stack, network))
        for network in stack.networks
    }
    for service in stack.services:
        units[f"{stack.project}-{service.name}.container"] = _text(_container(stack, service))
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
    lines.append(("Label", _word(f"{STACK_LABEL}={stack.name}")))
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
                ("Image", _plain(literal(image_name(service.image)))),
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
    for network in service.networks:
        yield "Network", f"{network_name(stack, network)}.network"
    yield "NetworkAlias", service.name
    if service.publish is not None:
        yield "PublishPort", f"${{TTCTL_BIND}}:${{TTCTL_PORT}}:{service.publish}/tcp"


def _confinement(service: ServiceSpec) -> Iterator[Line]:
    held = service.confinement
    user, _, group = held.user.partition(":")
    yield "User", user
    yield "Group", group
    yield "ReadOnly", _switch(on=held.read_only)
    # Else podman makes /run and /var/tmp writable, too.
    yield "ReadOnlyTmpfs", "false"
    yield "RunInit", "true"
    yield "DropCapability", "all"
    for one in held.capabilities:
        yield "AddCapability", one
    yield "NoNewPrivileges", _switch(on=not held.new_privileges)
    for one in held.groups:
        yield "GroupAdd", _plain(one)
    if held.memlock:
        yield "Ulimit", "memlock=-1:-1"
    yield "PodmanArgs", f"--ipc={held.ipc}"


def _limits(service: ServiceSpec) -> Iterator[Line]:
    memory = f"{service.memory_mib}m"
    yield "StopTimeout", str(service.stop_grace_s)
    yield "PidsLimit", str(service.pids)
    if service.confinement.ipc == "private":
        # Podman refuses a size for the host's own.
        yield "ShmSize", f"{service.shm_mib}m"
    # Keys for these came with podman 5.6.
    yield "PodmanArgs", f"--memory={memory} --memory-swap={memory}"
    yield "LogDriver", "journald"


def _health(service: ServiceSpec) -> Iterator[Line]:
    health = service.health
    yield "HealthCmd", _plain(literal(json.dumps(["CMD-SHELL", health_text(service)])))
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
        yield "Volume", _plain(f"{mount.source}:{literal(mount.target)}:{how}")
    for index in range(service.nodes):
        yield "AddDevice", f"${{{node_variable(index)}}}"


def _scratch(one: Scratch) -> str:
    run = "exec" if one.executable else "noexec"
    return f"{one.target}:{run},size={one.size_mib}m,mode=1777,nosuid,nodev"


def _environment(stack: Stack, service: ServiceSpec) -> Iterator[Line]:
    for name, value in {**dict.fromkeys(PROXIES, ""), **dict(service.environment)}.items():
        yield "Environment", _word(f"{name}={literal(value)}")
    for name, value in labels_of(stack, service):
        yield "Label", _word(f"{name}={value}")


def _start(service: ServiceSpec) -> Iterator[Line]:
    if service.entrypoint:
        yield "Entrypoint", _plain(literal(json.dumps(list(service.entrypoint))))
    for word in service.command:
        if word in {"", ";"}:
            raise BadFileError(
                f"A quadlet cannot pass the argument {word!r} on to {service.name!r}.",
                why="Podman's generator drops an empty one, and systemd ends a command at a `;`.",
                evidence=" ".join(service.command)[:240],
                next_step="ttctl render --help",
            )
    if service.command:
        yield "Exec", " ".join(_word(literal(word)) for word in service.command)


def _service(stack: Stack, service: ServiceSpec) -> list[Line]:
    defaults, needed = _variables(stack, service)
    return [
        # First the defaults: what the file says comes after them.
        *(("Environment", _word(f"{one.name}={one.default}")) for one in defaults),
        ("EnvironmentFile", f"{folder_of(stack)}/.env"),
        ("WorkingDirectory", folder_of(stack)),
        *(("ExecStartPre", f'/usr/bin/test -n "${{{name}}}"') for name in needed),
        ("Restart", RESTARTS[service.restart]),
        ("TimeoutStartSec", str(start_limit_s(service))),
        ("TimeoutStopSec", str(service.stop_grace_s + SPARE_S)),
    ]


def _variables(stack: Stack, service: ServiceSpec) -> tuple[list[Variable], list[str]]:
    """Return the variables that have a default, and the names of those that must not be empty."""
    values = [mount.source for mount in service.mounts]
    values += [f"${{{node_variable(index)}}}" for index in range(service.nodes)]
    values += service.confinement.groups
    values += [value for _, value in labels_of(stack, service)]
    if service.publish is not None:
        values += ["${TTCTL_BIND:-127.0.0.1}", "${TTCTL_PORT}"]
    found = {one.name: one for value in values for one in variables(value)}
    defaults = [one for one in found.values() if one.default]
    return defaults, [one.name for one in found.values() if one.default != ""]


def _plain(value: str) -> str:
    """Return a value of a key that is read as it stands, with systemd's own signs doubled."""
    return "".join(
        f"${{{one.name}}}" if isinstance(one, Variable) else _doubled(one) for one in pieces(value)
    )


def _word(value: str) -> str:
    """Return a value as one word of a key that holds several, in quotes where it needs them."""
    text = "".join(
        f"${{{one.name}}}" if isinstance(one, Variable) else _escaped(_doubled(one))
        for one in pieces(value)
    )
    is_plain = text and not any(char in " '\"\\;#" for char in text)
    return text if is_plain else f'"{text}"'


def _doubled(text: str) -> str:
    return text.replace("%", "%%").replace("$", "$$")


def _escaped(text: str) -> str:
    """Escape as in C, which systemd reads, what is no plain character.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html#Quoting
    """
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return "".join(
        named.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}") for char in text
    )


def _switch(*, on: bool) -> str:
    return "true" if on else "false"


def _text(sections: list[Section]) -> str:
    parts = []
    for name, lines in sections:
        rows = "".join(f"{key}={value}\n" for key, value in lines)
        parts.append(f"[{name}]\n{rows}")
    return "\n".join(parts)
