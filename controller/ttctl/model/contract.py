# SPDX-License-Identifier: Apache-2.0
"""How the images of one kind are launched on a device; data of compose/contracts.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ttctl.model.service import Exemption, HealthCheck

Pairs = tuple[tuple[str, str], ...]

PLACEHOLDERS = (
    "cache", "device", "health_path", "health_text", "hub", "launch", "max_model_len", "mesh",
    "metal", "model", "model_name", "port", "revision", "tt_metal", "weights",
)  # fmt: skip
"""Names that a text of a contract may hold in braces, `{cache}`."""

SpecForm = Literal["", "composed", "single", "clustered"]
"""`composed`: entry, first-validated arguments and `cli_args`; `single`: without `cli_args`;
`clustered`: the same with the options of several hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writable:
    """A path that the container may write besides `/tmp`."""

    target: str
    reason: str
    source: str
    folder: str = ""
    """Folder below the stack's cache on the host, `.` for the cache itself; empty: in memory."""
    size_mib: int = 0
    """Of one in memory."""
    executable: bool = False
    """Whether code that is compiled there may run from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """Environment that only some of a contract's images get."""

    environment: Pairs
    """Values may hold placeholders."""
    reason: str
    source: str
    since: str = ""
    """First image version that gets it; empty: from the first one on."""
    before: str = ""
    """First image version that does not; empty: none."""
    types: tuple[str, ...] = ()
    """Upstream's types of model; empty: any."""
    fetched: bool = False
    """Whether only images that fetch their weights themselves get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchContract:
    """How an image is launched: every difference from the house's rule, and what it reads."""

    name: str
    exemptions: tuple[Exemption, ...]
    """Each difference from the house's rule; the confinement is made of these alone."""
    writable: tuple[Writable, ...]
    environment: Pairs
    """What the container gets; values may hold placeholders."""
    entry_environment: bool
    """Whether the entry's own environment is the container's; else the spec file carries it."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    script: str = ""
    """Text of the start script, which the entrypoint names; empty for none."""
    spec_form: SpecForm = ""
    metal: str
    """Where tt-metal lies in the image."""
    cache: str
    """Where the stack's cache is mounted."""
    uid: int
    """The server's user in a release of upstream's, or of ours, where the image cannot be asked."""
    users: tuple[tuple[str, int], ...] = ()
    """(whom the image may start as, the server's user id then); ordinary numbers stand for
    themselves, where `numbers` says so."""
    numbers: bool = False
    joins_group: bool = False
    """Whether the image starts as root and shares the cache by the group of its top folder."""
    hub: str = ""
    """Folder in the shape of a hub cache, under which weights are mounted; empty: `models`."""
    models: str = ""
    """Folder under which weights are mounted by their plain name."""
    port: int
    health_path: str
    health_text: str = ""
    """What the answer must hold besides 200."""
    health_since: str = ""
    """Image version that has `health_path`; older ones answer on `/tt-liveness`."""
    probe: HealthCheck
    """Without a start period, which the entry says; it uses bash alone."""
    original_before: str = ""
    """Image version before which meta-llama's weights are read from their folder `original`."""
    key_variable: str = ""
    """Variable in which the server reads its key; empty where it is run without one."""
    no_key_since: str = ""
    """Image version that can be run without a key; empty: none can."""
    no_key: Pairs = ()
    """Environment that says so."""
    models_since: str = ""
    """Image version that answers `/v1/models`, `never` for none; else the gateway answers."""
    prefixes_since: str = ""
    """Image version whose paths begin with `/v1`; older ones have those of `old_prefixes`."""
    old_prefixes: Pairs = ()
    """(path as documented, path of older images)."""
    paths: tuple[str, ...] = ()
    """Paths that the gateway lets through; `*` stands for one identifier."""
    max_body_bytes: int
    model_environment: tuple[tuple[str, Pairs], ...] = ()
    """(model's last name, environment)."""
    device_environment: tuple[tuple[str, Pairs], ...] = ()
    """(device, environment)."""
    implementation_environment: tuple[tuple[str, Pairs], ...] = ()
    """(upstream's `impl_id`, environment)."""
    fetches: Pairs = ()
    """(model's last name, what its image fetches from the hub besides the weights)."""
    further: tuple[Further, ...] = ()
    """What only some of its images get."""
    commit_versions: Pairs = ()
    """(commit of the server that a tag names, version of that commit), where a tag has no version.
    """
    pids: int
    tmpfs_mib: int
    stop_grace_s: int
    restart: Literal["no"]
    refusal: str = ""
    """Why `up` does not start it; empty where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchHost:
    """What of the machine changes how a container is launched."""

    nodes: int | None = None
    """Device nodes that it gets; None for as many as the device has."""
    groups: tuple[str, ...] = ()
    """Group ids that may open the nodes, where their mode does not let everybody."""
    hugepages: bool = True
    """Whether the driver library has to find `/dev/hugepages-1G`."""
    part_of: str = ""
    """Family of the board of which only one chip is used, `p300`; empty for whole boards."""


WHOLE = LaunchHost()
"""Whole boards with nodes that everybody may open, and hugepages: what upstream expects."""
