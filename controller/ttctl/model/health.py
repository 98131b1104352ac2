# SPDX-License-Identifier: Apache-2.0
"""What `doctor` looks at and what it says of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "skipped"]
Group = Literal["Engine", "Space", "Machine", "Site", "Cards", "Stacks"]
Mending = Literal["make-private", "sweep", "remove-containers"]
"""What `doctor --fix` does, after a question. Each of them touches only what ttctl made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at one thing, and the verdict."""

    name: str
    group: Group
    verdict: Verdict
    """`warning`: it works, and could be better; `failed`: something will not work."""
    summary: str
    evidence: str = ""
    """What was found and what was expected."""
    fix: str = ""
    """A command to type, empty where there is nothing to do."""
    harmless: bool = False
    """Whether `ttctl doctor --fix` does it, after a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Every check, and how many of each verdict."""

    checks: tuple[Check, ...]
    ok: int
    warnings: int
    failed: int
    skipped: int
    next_step: str
    """The first command to type, empty where a warning is all there is to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVitals:
    """What the docker program says of itself, its plugins and its engine."""

    client: str = ""
    """Version of the docker program, empty where there is none."""
    compose: str = ""
    buildx: str = ""
    endpoint: str
    """Where the program looks for its engine."""
    setting: str = ""
    """The variable that says so, empty where none does."""
    start: str = "make engine"
    """What starts an engine here."""
    version: str = ""
    """The engine's, empty where none answers."""
    error: str = ""
    """What the program says where none answers."""
    denied: bool = False
    """Whether this user may not talk to it."""
    user: str = ""
    member: bool = False
    """Whether the user is in the socket's group, though perhaps not in this shell yet."""
    socket_group: str = ""
    cgroup: str = ""
    """Version of control groups, `1` or `2`."""
    cgroup_driver: str = ""
    storage: str = ""
    d_type: bool = True
    live_restore: bool = False
    swarm: bool = False
    security: tuple[str, ...] = ()
    """The engine's own words, `name=seccomp,profile=default`."""
    no_limits: tuple[str, ...] = ()
    """Limits that this engine cannot set: `memory`, `swap`, `pids`, `cpu`."""
    root_dir: str = ""
    root_inodes: int | None = None
    """Files that the file system of `root_dir` still takes, None where it has no such limit."""
    skew_s: float = 0
    """How far the engine's clock is ahead of ours."""
    systemd: bool = False
    """Whether this machine runs systemd."""
    has_settings: bool = False
    """Whether there is a /etc/docker/daemon.json."""

    @property
    def answers(self) -> bool:
        """Whether an engine answers."""
        return bool(self.version)

    @property
    def is_here(self) -> bool:
        """Whether the engine runs on this machine."""
        return self.endpoint.startswith("unix://")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderVitals:
    """One of ttctl's own folders."""

    path: str
    exists: bool
    mode: int = 0o700
    is_ours: bool = True
    writable: bool
    """Whether files can be made in it, or in the folder in which it will be made."""
    locks: bool | None = None
    """Whether flock works there, None where it could not be tried."""
    reason: str = ""
    """What the file system said where it refused."""
    exposed: tuple[str, ...] = ()
    """What of it other users can get into."""
    strays: tuple[str, ...] = ()
    """Temporary files that killed commands left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFolders:
    """Where ttctl keeps its things."""

    state: FolderVitals
    cache: FolderVitals


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeVitals:
    """A device node, `/dev/tenstorrent/N`."""

    node: str
    mode: int
    uid: int
    gid: int = 0
    holders: tuple[str, ...] = ()
    """Processes that have it open, `pid 12 (python3)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVitals:
    """What the machine shows of its cards beyond what `System` has."""

    pci: tuple[str, ...]
    """Addresses of the vendor's PCI devices."""
    nodes: tuple[NodeVitals, ...] = ()
    iommu: tuple[tuple[str, str], ...] = ()
    """(PCI address, kind of its IOMMU group): `DMA`, `DMA-FQ`, `identity`, empty for none."""
    hugepages: int = 0
    """Pages of 1 GiB that the kernel has."""
    hugepages_mounted: bool = False
    """Whether they are mounted on /dev/hugepages-1G."""
    hugepages_free: int | None = None
    """Pages of 1 GiB that nobody uses; None where the kernel does not say."""
    hugepages_found: str = "nothing"
    """What is at /dev/hugepages-1G where it is not that mount: `nothing`, `a plain folder`."""
    hugepage_files: tuple[str, ...] = ()
    """Names of the driver library's files in there, whosever they are."""
    leftovers: tuple[str, ...] = ()
    """Files of the driver library in there that belong to another user than a container's."""
    smi: str = ""
    """Path of tt-smi, empty where it is not installed."""


Use = Literal["proxy", "build", "weights", "base", "sources"]
"""What an address is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An address that this place goes to."""

    name: str
    url: str
    source: str
    """Where it was found: a variable, a file, `sources.toml`."""
    use: Use
    setting: str
    """The field of `Site` that names another one."""
    path: str = ""
    """The same as a folder of this machine; then nothing is asked."""
    here: bool = False
    """Whether that folder is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceVitals:
    """The clock, the certificates, and where this place goes."""

    now: float
    """Unix time by this machine's clock."""
    installed: float
    """Unix time at which ttctl's own files were written."""
    synchronised: bool | None
    """Whether the kernel says that something keeps its clock right, None where it cannot."""
    certificates: int = 0
    expired: int = 0
    not_yet: int = 0
    """Certificates of the bundle that are valid only later, by this clock."""
    ca_error: str = ""
    destinations: tuple[Destination, ...] = ()
    refusal: str = ""
    """Which setting of an address cannot be used, and why."""
