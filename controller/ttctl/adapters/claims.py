# SPDX-License-Identifier: Apache-2.0
"""Which containers and processes may open which cards? Everybody's, not only ours.

Not yet run on a card.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from ttctl.adapters.container_uses import Nodes, use_of
from ttctl.adapters.docker_look import OK, inspected, looking
from ttctl.adapters.holders import holders
from ttctl.adapters.other_engines import other_engines
from ttctl.adapters.podman import in_use, podman_uses
from ttctl.adapters.tree import NODES, device_of, names_in, text_of
from ttctl.errors import EngineError, PrivilegeError, ToolMissingError
from ttctl.model.lease import OURS, Claims, ProcessUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ttctl.adapters.docker_wire import Wire
    from ttctl.model.lease import ContainerUse

    _Found = tuple[tuple[ContainerUse, ...], str, str]

HUGEPAGES = "dev/hugepages-1G"
LOG_LINES = 200
HEAD = 8
"""Bytes before each piece of a log: the stream, and the piece's length.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
"""
STOPPED = ("no such file or directory", "connection refused")
"""Of what is said where no engine runs at all, so that no container does."""
_CONTAINER = re.compile(r"[0-9a-f]{64}")
"""The id of a container in the name of a control group, whichever engine made it."""
_PID = re.compile(r"pid (\d+) ")


def claims(environ: Mapping[str, str], root: Path) -> Claims:
    """Look at every container of this host's engines, and at every process with a node open.

    Never raises for an engine that is not there: `note` says so, and `closed` where there may be
    containers all the same.

    Args:
        environ: May name the engine.
        root: Where /dev, /proc and /sys are.
    """
    numbers = sorted((name for name in names_in(root / NODES) if name.isdecimal()), key=int)
    processes, blind = _processes(root, numbers)
    devices = tuple(_numbers(root, numbers))
    # Without a node, nothing is to be had: whose engine has what is nobody's matter.
    nodes = Nodes(root, devices)
    found, closed, note = (
        _everybody(environ, nodes, root) if numbers else _asked(environ, nodes, OURS)
    )
    return Claims(
        containers=found,
        processes=processes,
        blind=blind,
        numbers=devices,
        hugepages=tuple(names_in(root / HUGEPAGES)),
        closed=closed,
        note=note,
        root=str(root.resolve()).rstrip("/"),
    )


def _everybody(environ: Mapping[str, str], nodes: Nodes, root: Path) -> _Found:
    """Ask every engine that this user can ask; one that is there and refuses closes the view."""
    found, closed, note = _asked(environ, nodes, OURS)
    others = [_asked(one, nodes, command)[:2] for command, one in other_engines(environ, root)]
    if in_use(environ, root):
        others.append(podman_uses(environ, nodes))
    seen = {one.container_id: one for one in found}
    for more, refused in others:
        # The one that is asked anyway may be among them.
        seen = {one.container_id: one for one in more} | seen
        closed = closed or refused
    return tuple(seen.values()), closed, "" if seen else note


def _asked(environ: Mapping[str, str], nodes: Nodes, command: str) -> _Found:
    """Return the containers, and why there are none: unseen ones, or no engine at all."""
    try:
        return _containers(environ, nodes, command), "", ""
    except ToolMissingError:
        return (), "", "docker is not installed"
    except (EngineError, PrivilegeError) as error:
        said = f"{error.message[:1].lower()}{error.message[1:]}".rstrip(".")
        stopped = any(word in error.evidence.casefold() for word in STOPPED)
        return ((), "", said) if stopped else ((), said, "")


def _containers(environ: Mapping[str, str], nodes: Nodes, command: str) -> tuple[ContainerUse, ...]:
    with looking(environ) as engine:
        return tuple(
            use_of(raw, nodes, partial(_log, engine, raw), engine=command)
            for raw in inspected(engine, environ)
        )


def _log(engine: Wire, raw: dict[str, Any]) -> str:
    """Return the last lines that a container printed, nothing where the engine refuses."""
    query = f"stdout=1&stderr=1&tail={LOG_LINES}"
    status, body = engine.get(f"/containers/{raw['Id']}/logs?{query}")
    if status != OK:
        return ""
    text = body if raw["Config"].get("Tty") else _unframed(body)
    return text.decode(errors="replace")


def _unframed(body: bytes) -> bytes:
    found, at = b"", 0
    while at + HEAD <= len(body):
        size = int.from_bytes(body[at + 4 : at + HEAD], "big")
        found += body[at + HEAD : at + HEAD + size]
        at += HEAD + size
    return found


def _numbers(root: Path, names: list[str]) -> Iterator[tuple[str, int, int]]:
    for name in names:
        if device := device_of(root / NODES / name):
            yield f"/{NODES}/{name}", *device


def _processes(
    root: Path, numbers: list[str]
) -> tuple[tuple[ProcessUse, ...], tuple[str, ...]]:  # fmt: skip
    """Return who has nodes open, and the nodes of which not everybody is seen."""
    opened: dict[str, list[str]] = {}
    blind = []
    for number, held in holders(root, numbers).items():
        for name in held.holders:
            opened.setdefault(name, []).append(f"/{NODES}/{number}")
        if not held.complete:
            blind.append(f"/{NODES}/{number}")
    found = tuple(_process(root, name, nodes) for name, nodes in opened.items())
    return found, tuple(blind)


def _process(root: Path, name: str, nodes: list[str]) -> ProcessUse:
    pid = _PID.match(name)
    group = text_of(root / "proc" / pid[1] / "cgroup") if pid else ""
    inside = _CONTAINER.findall(group)
    return ProcessUse(
        name=name,
        nodes=tuple(nodes),
        container_id=inside[-1] if inside else "",
        hidden=pid is None,
    )
