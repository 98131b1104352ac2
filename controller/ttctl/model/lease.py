# SPDX-License-Identifier: Apache-2.0
"""Who has which board, and in which state it was left. Values only; `rules/leases.py` judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a reset takes down together: a board with its remote chips, or a Galaxy's tray."""

    key: str
    """Its lowest ASIC id, or its lowest PCI address where the firmware gives no number."""
    names: tuple[str, ...]
    """Every ASIC id and PCI address of it: a label that has one of them means this one."""
    boards: tuple[str, ...]
    """Ids of its boards."""
    nodes: tuple[str, ...]
    """Where it is opened now; the numbers can change with a reset."""
    numbered: bool
    """Whether the firmware gives its chips numbers of their own."""


OURS = "docker"
"""The command that reaches the engine which `up` uses."""
RELEASED = ("exited", "dead")
"""Phases in which a container has no node any more. In each other one, of whichever engine, it has
its nodes or will have them when it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUse:
    """What one container of an engine may open, ours or not."""

    container_id: str
    name: str
    phase: str
    """As the engine spells it: `created`, `running`, `exited`."""
    stack: str = ""
    owner: str = ""
    boards: tuple[str, ...] = ()
    """What its label says that it leases."""
    paths: tuple[str, ...] = ()
    """Host paths that it maps as a device or a mount, links followed."""
    privileged: bool = False
    rules: tuple[str, ...] = ()
    """Its further rules of the device control group, `c 235:* rwm`."""
    requests: tuple[str, ...] = ()
    """Drivers and names of the devices that it asks the engine for."""
    exit_code: int = 0
    oom_killed: bool = False
    finished_at: str = ""
    """RFC 3339, as the engine spells it; empty while it has not ended."""
    fatal: str = ""
    """What the last fatal line of its log means for the card; empty where there is none."""
    engine: str = OURS
    """The command that reaches its engine: `docker`, `podman`, `docker --host unix:///...`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUse:
    """A process of the host that has nodes open."""

    name: str
    """`pid 12 (python3)`."""
    nodes: tuple[str, ...]
    container_id: str = ""
    """The container that it runs in; empty for none, and where that cannot be seen."""
    hidden: bool = False
    """Whether only its being there can be seen, from inside a container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Everything that was seen at one moment."""

    containers: tuple[ContainerUse, ...] = ()
    processes: tuple[ProcessUse, ...] = ()
    blind: tuple[str, ...] = ()
    """Nodes that somebody may have open without being seen."""
    numbers: tuple[tuple[str, int, int], ...] = ()
    """(node, major, minor) of the nodes that are device files."""
    hugepages: tuple[str, ...] = ()
    """Names of the files on /dev/hugepages-1G."""
    closed: str = ""
    """Why containers could not be seen though there may be some; empty where they were."""
    note: str = ""
    """Why there are no containers at all; empty where the engine was asked."""
    root: str = ""
    """Folder that stands for `/` where the devices are made up; empty for the machine's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a board."""

    kind: Literal["stack", "container", "process"]
    name: str
    """The container's name, or `pid 12 (python3)`."""
    stack: str = ""
    owner: str = ""
    why: str = ""
    """What makes a container hold it where that is more than its nodes: `is privileged`."""
    engine: str = OURS
    """The command that reaches its engine."""

    def __str__(self) -> str:
        """Say it in one phrase."""
        said = self.name if self.kind == "process" else f"container {self.name}"
        said = said if self.engine == OURS else f"{said} ({self.engine})"
        if self.kind == "stack":
            said = f"stack {self.stack} ({said})"
        return f"{said}, which {self.why}" if self.why else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A board that something left without putting it in order."""

    board: str
    """Key of its domain, or another of its names."""
    reason: str
    """`container ttctl-llama-vllm-1 was killed (exit code 137)`."""
    stack: str = ""
    at: str = ""
    """When that container ended, RFC 3339; empty for the moment at which it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is kept of boards whose containers are gone."""

    spoiled: tuple[Spoiled, ...] = ()
    cleared: tuple[tuple[str, str], ...] = ()
    """(board, moment) of the last reset, or of the last time that somebody declared it clean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """How one reset domain is."""

    domain: Domain
    state: Literal["free", "own", "held", "unknown"]
    """`own` where the stack that asks has it already; `unknown` where not everybody is seen."""
    holders: tuple[Holder, ...] = ()
    dirty: str = ""
    """Why it needs a reset, empty where it does not."""
    why: str = ""
    """Why the state is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """What a stack gets."""

    boards: tuple[str, ...]
    """Keys of the reset domains; the label that makes the container the lease."""
    ids: tuple[str, ...] = ()
    """The numbers of its boards, as people read them everywhere."""
    own: tuple[str, ...] = ()
    """Those of them that the stack has already."""
    passed: tuple[tuple[str, str], ...] = ()
    """(number, why) of boards of that kind that are left alone, as they need a reset."""
    nodes: tuple[str, ...]
    """`/dev/tenstorrent/3`, as they are numbered at this moment."""
    values: tuple[str, ...]
    """The same for the folder's .env file, SOURCE:TARGET each."""
    root: str = ""
    """What stands before a path of this machine on the host that the engine runs on; empty but for
    a made-up machine."""
    dirty: tuple[str, ...] = ()
    """Why boards of these need a reset first."""
    stale: tuple[str, ...] = ()
    """Files on the hugepages that a killed engine left of these boards, which nobody has."""
    part_of: str = ""
    """Family of the board of which the stack uses one chip only; empty for whole boards."""
    parts: tuple[tuple[str, Leased], ...] = ()
    """(service, what its engine gets) where several share these; empty for one engine."""

    def of(self, service: str) -> Leased:
        """Return what the engine of one container gets."""
        return dict(self.parts).get(service, self)
