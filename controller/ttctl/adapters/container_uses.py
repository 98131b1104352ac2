# SPDX-License-Identifier: Apache-2.0
"""Which cards may a container open, as `inspect` tells it? Not yet run on a card."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ttctl.adapters.docker_look import NEVER
from ttctl.adapters.tree import device_of, rooted
from ttctl.model.container import BOARDS_LABEL, OWNER_LABEL, STACK_LABEL
from ttctl.model.lease import ContainerUse
from ttctl.rules.fatal import found_in
from ttctl.rules.spoiled import ENDED, SIGNALS
from ttctl.rules.stack import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


class Nodes:
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
        device = device_of(path)
        return self._by_number.get(device, "") if device else ""


def use_of(
    raw: dict[str, Any], nodes: Nodes, log: Callable[[], str], *, engine: str
) -> ContainerUse:
    """Return what a container may open, as `inspect` tells it.

    Args:
        raw: One entry of what docker or podman says.
        nodes: What the paths of this host are called.
        log: Returns the last lines that it printed; asked only of a lease that failed.
        engine: The command that reaches its engine.
    """
    found = _said(raw, nodes, log, engine)
    if nodes.are_meant(_paths(raw)):
        return found
    if nodes.are_made_up:
        return replace(found, boards=(), paths=(), privileged=False, rules=(), requests=())
    return replace(found, boards=())


def _said(raw: dict[str, Any], nodes: Nodes, log: Callable[[], str], engine: str) -> ContainerUse:
    labels = raw["Config"].get("Labels") or {}
    host, state = raw["HostConfig"], raw["State"]
    boards = tuple(part for part in labels.get(BOARDS_LABEL, "").split(",") if part)
    code = int(state.get("ExitCode") or 0)
    ended = state.get("FinishedAt") or ""
    killed = bool(state.get("OOMKilled")) or code in SIGNALS
    # How one was killed says enough.
    asks = bool(boards) and state["Status"] in ENDED and code != 0 and not killed
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
        fatal=_fatal(log()) if asks else "",
        engine=engine,
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


def _fatal(log: str) -> str:
    """Return what a container's last fatal line means for its card, empty for no such line."""
    # A lease that failed is rare, and its rows take pydantic to read.
    from ttctl.adapters.failures import known_failures  # noqa: PLC0415

    seen = (found_in(line, known_failures()) for line in reversed(log.splitlines()))
    return next((one.cause for one in seen if one is not None and one.failure.of_card), "")
