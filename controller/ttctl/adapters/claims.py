# SPDX-License-Identifier: Apache-2.0
"""Which containers and processes may open which cards? All of the engine's, not only ours.

Not yet run on a card.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ttctl.adapters.docker_look import OK, inspected, looking
from ttctl.adapters.holders import holders
from ttctl.adapters.tree import NODES, names_in, rooted, text_of
from ttctl.errors import EngineError, PrivilegeError, ToolMissingError
from ttctl.model.container import BOARDS_LABEL, OWNER_LABEL, STACK_LABEL
from ttctl.model.lease import Claims, ContainerUse, ProcessUse
from ttctl.rules.fatal import card_cause_of
from ttctl.rules.spoiled import ENDED
from ttctl.rules.stack import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ttctl.adapters.docker_wire import Wire

HUGEPAGES = "dev/hugepages-1G"
NEVER = "0001-01-01T00:00:00Z"
"""How the engine says that a container has not ended yet."""
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


class _Nodes:
    """What a host's paths are called where the devices are."""

    def __init__(self, root: Path, numbers: tuple[tuple[str, int, int], ...]) -> None:
        self._root = root
        self._top = os.path.realpath(root).rstrip("/")
        self._by_number = {(major, minor): node for node, major, minor in numbers}

    def named(self, path: str) -> str:
        """Return the name of a host's path, links followed; a node's where it is the same device.

        A link such as /dev/tenstorrent/by-id/wormhole-0123 stands for the node that it leads to
        now, and so does a device file of the same number elsewhere.
        """
        if not path.startswith("/"):
            return path
        real = os.path.realpath(path)
        inside = os.path.realpath(rooted(self._root, path))
        if node := self._device(real) or self._device(inside):
            return node
        for one in (real, inside):
            if one == f"{self._top}/dev" or one.startswith(f"{self._top}/dev/"):
                return one.removeprefix(self._top)
        return real

    def are_meant(self, paths: Iterable[str]) -> bool:
        """Return whether any path of a container leads to devices of this tree.

        Boards of a tree that is not the machine's own have numbers of their own: a label says
        nothing of them where the container has no path there.
        """
        if not self._top:
            return True
        real = [os.path.realpath(path) for path in paths if path.startswith("/")]
        return any(f"{one}/".startswith(f"{self._top}/") or self._device(one) for one in real)

    @property
    def are_made_up(self) -> bool:
        """Whether this is another tree than the machine's, without one device that it has."""
        return bool(self._top) and not self._by_number

    def _device(self, path: str) -> str:
        try:
            found = os.stat(path)  # noqa: PTH116 - a string, as realpath gives it
        except OSError:
            return ""
        if not stat.S_ISCHR(found.st_mode):
            return ""
        return self._by_number.get((os.major(found.st_rdev), os.minor(found.st_rdev)), "")


def claims(environ: Mapping[str, str], root: Path) -> Claims:
    """Look at every container of the engine, and at every process with a node open.

    Never raises for an engine that is not there: `note` says so, and `closed` where there may be
    containers all the same.

    Args:
        environ: May name the engine.
        root: Where /dev, /proc and /sys are.
    """
    numbers = sorted((name for name in names_in(root / NODES) if name.isdecimal()), key=int)
    processes, blind = _processes(root, numbers)
    devices = tuple(_numbers(root, numbers))
    found, closed, note = _asked(environ, _Nodes(root, devices))
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


def _asked(
    environ: Mapping[str, str], nodes: _Nodes
) -> tuple[tuple[ContainerUse, ...], str, str]:  # fmt: skip
    """Return the containers, and why there are none: unseen ones, or no engine at all."""
    try:
        return _containers(environ, nodes), "", ""
    except ToolMissingError:
        return (), "", "docker is not installed"
    except (EngineError, PrivilegeError) as error:
        said = f"{error.message[:1].lower()}{error.message[1:]}".rstrip(".")
        stopped = any(word in error.evidence.casefold() for word in STOPPED)
        return ((), "", said) if stopped else ((), said, "")


def _containers(environ: Mapping[str, str], nodes: _Nodes) -> tuple[ContainerUse, ...]:
    with looking(environ) as engine:
        return tuple(_use(raw, nodes, engine) for raw in inspected(engine, environ))


def _use(raw: dict[str, Any], nodes: _Nodes, engine: Wire) -> ContainerUse:
    found = _said(raw, nodes, engine)
    if nodes.are_meant(_paths(raw)):
        return found
    if nodes.are_made_up:
        return replace(found, boards=(), paths=(), privileged=False, rules=(), requests=())
    return replace(found, boards=())


def _said(raw: dict[str, Any], nodes: _Nodes, engine: Wire) -> ContainerUse:
    labels = raw["Config"].get("Labels") or {}
    host, state = raw["HostConfig"], raw["State"]
    boards = tuple(part for part in labels.get(BOARDS_LABEL, "").split(",") if part)
    code = int(state.get("ExitCode") or 0)
    ended = state.get("FinishedAt") or ""
    asks = bool(boards) and state["Status"] in ENDED and code != 0
    return ContainerUse(
        container_id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        phase=state["Status"],
        stack=_name(labels.get(STACK_LABEL, "")),
        owner=labels.get(OWNER_LABEL, ""),
        boards=boards,
        paths=tuple(sorted({nodes.named(path) for path in _paths(raw)})),
        privileged=bool(host.get("Privileged")),
        rules=tuple(str(rule) for rule in host.get("DeviceCgroupRules") or ()),
        requests=tuple(_request(one) for one in host.get("DeviceRequests") or ()),
        exit_code=code,
        oom_killed=bool(state.get("OOMKilled")),
        finished_at="" if ended == NEVER else ended,
        fatal=_fatal(engine, raw) if asks else "",
    )


def _name(label: str) -> str:
    """Return a stack's name; anybody can write a label, and what is none is not shown."""
    return label if NAME.fullmatch(label) else ""


def _paths(raw: dict[str, Any]) -> Iterator[str]:
    """Yield every host path that a container maps."""
    host = raw["HostConfig"]
    for device in host.get("Devices") or ():
        yield str(device["PathOnHost"])
    for mount in (*(raw.get("Mounts") or ()), *(host.get("Mounts") or ())):
        yield str(mount.get("Source") or "")
    for bind in host.get("Binds") or ():
        yield str(bind).partition(":")[0]


def _request(raw: dict[str, Any]) -> str:
    words = [str(raw.get("Driver") or ""), *map(str, raw.get("DeviceIDs") or ())]
    words += [str(word) for group in raw.get("Capabilities") or () for word in group]
    return " ".join(words)


def _fatal(engine: Wire, raw: dict[str, Any]) -> str:
    """Return what a container's last fatal line means for its card, empty for no such line."""
    query = f"stdout=1&stderr=1&tail={LOG_LINES}"
    status, body = engine.get(f"/containers/{raw['Id']}/logs?{query}")
    if status != OK:
        return ""
    text = body if raw["Config"].get("Tty") else _unframed(body)
    causes = map(card_cause_of, text.decode(errors="replace").splitlines())
    return next((cause for cause in reversed([*causes]) if cause), "")


def _unframed(body: bytes) -> bytes:
    found, at = b"", 0
    while at + HEAD <= len(body):
        size = int.from_bytes(body[at + 4 : at + HEAD], "big")
        found += body[at + HEAD : at + HEAD + size]
        at += HEAD + size
    return found


def _numbers(root: Path, names: list[str]) -> Iterator[tuple[str, int, int]]:
    for name in names:
        try:
            found = (root / NODES / name).stat()
        except OSError:
            continue
        if stat.S_ISCHR(found.st_mode):
            yield f"/{NODES}/{name}", os.major(found.st_rdev), os.minor(found.st_rdev)


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
