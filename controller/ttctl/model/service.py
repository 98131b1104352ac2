# SPDX-License-Identifier: Apache-2.0
"""What is wanted of a stack of containers. Values only; `container` is what is seen of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ttctl.model.house import HOUSE_UID
from ttctl.model.pins import OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A host path inside a container, made before it: what the engine makes is root's."""

    source: str
    """Host path, or a `${VARIABLE}` of the folder's .env file."""
    target: str
    read_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A writable folder in memory that ends with its container."""

    target: str
    size_mib: int
    executable: bool = False
    """Whether code that is compiled there may run from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """One thing that a container may do beyond the house's rule, and why."""

    what: Literal[
        "user", "writable root", "capability", "new privileges", "host ipc", "shared memory",
        "locked memory", "group", "device", "hugepages", "writable path", "executable path",
        "outbound network", "host network", "host processes", "memory limit",
    ]  # fmt: skip
    value: str
    """`CHOWN`, `/home/container_app_user/logs`; empty where `what` says it all."""
    reason: str
    source: str = ""
    """Where that was read; empty where the reason says it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """How a container is held in; what it says nothing of is the house's rule."""

    user: str = f"{HOUSE_UID}:{HOUSE_UID}"
    """`UID:GID`, or `0:0` where the entrypoint drops its privileges itself."""
    read_only: bool = True
    """Whether the root file system is."""
    capabilities: tuple[str, ...] = ()
    """Those kept when all are dropped, without `CAP_`."""
    new_privileges: bool = False
    ipc: Literal["private", "host"] = "private"
    memlock: bool = False
    """Whether memory may be locked without a limit."""
    host_network: bool = False
    """Whether the host's own network is used, and no network of the stack's."""
    host_processes: bool = False
    """Whether the host's processes are seen."""
    groups: tuple[str, ...] = ()
    """Further group ids, or a `${VARIABLE}`."""
    exemptions: tuple[Exemption, ...] = ()
    """Every difference from the house's rule, each with its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What an engine on a card says of itself: its labels, and which boards it opens."""

    device: str
    """Upstream's device type in lower case."""
    contract: str
    boards: tuple[str, ...] = ()
    """Reset domains that its container leases."""
    experimental: str = ""
    derived_from: str = ""


HELD_IN = Confinement()
"""The house's rule: user 1000, read-only root, no capability, private IPC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How the engine asks a container whether it works."""

    test: tuple[str, ...]
    interval_s: int
    timeout_s: int
    retries: int
    start_period_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefaults:
    """How containers of one kind are launched; data of compose/services.toml."""

    port: int
    """Port that the service listens on inside its container."""
    restart: str
    memory_mib: int
    """0 where the catalog entry says it."""
    pids: int
    tmpfs_mib: int
    shm_mib: int
    stop_grace_s: int
    health: HealthCheck
    environment: tuple[tuple[str, str], ...] = ()
    models: str = ""
    """Folder inside the container under which weights are mounted."""
    paths: tuple[str, ...] = ()
    """Paths that the gateway lets through."""
    max_body_bytes: int = 0
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One container that is wanted."""

    name: str
    image: str
    entrypoint: tuple[str, ...] = ()
    """What the image is started with, empty for its own."""
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    place_environment: tuple[tuple[str, str], ...] = ()
    """What only the place knows: each value may name variables of the folder's .env file."""
    mounts: tuple[Mount, ...] = ()
    networks: tuple[str, ...]
    """Empty on the host's own network."""
    host_names: tuple[str, ...] = ()
    """Names by which this container finds the host that it runs on."""
    publish: int | None = None
    """Container port that the host's port leads to, None for a service without one."""
    health: HealthCheck
    memory_mib: int
    """Most that it may take, shared memory and folders in memory with it; 0 for no limit."""
    shm_mib: int = 64
    pids: int
    tmpfs_mib: int
    stop_grace_s: int = 120
    restart: str
    inputs: tuple[tuple[str, str], ...] = ()
    """(name, SHA-256) of mounted content that a change of must recreate the container."""
    confinement: Confinement = HELD_IN
    scratch: tuple[Scratch, ...] = ()
    """Writable folders in memory besides `/tmp`."""
    nodes: int = 0
    """How many device nodes it opens; each is said by a variable, `node_variables`."""
    first_node: int = 0
    """How many nodes the engines before it in the stack open."""
    card: Card | None = None
    """Of an engine beside the stack's own; None for what the stack itself says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network of the stack's own."""

    name: str
    internal: bool
    """Whether nothing outside of the stack can be reached from it."""


LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - only where somebody asks for it, and behind keys
"""Every address of this host, so that other machines reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that one `up` wants to run."""

    name: str
    model: str
    """Name under which the model is served."""
    port: int
    services: tuple[ServiceSpec, ...]
    networks: tuple[Network, ...]
    bind: str = LOOPBACK
    """Address of this host on which its gateway listens."""
    experimental: str = ""
    """Why the model runs though nobody validated it on its device; empty where it was."""
    derived_from: str = ""
    """The entry whose tt-metal a program of ours stands on; empty for a validated pairing."""
    device: str = "cpu"
    """Upstream's device type in lower case, or `cpu`."""
    contract: str = OWN
    """How the engine's image is launched, one of `model/pins.py`'s contracts."""
    boards: tuple[str, ...] = ()
    """Reset domains that its own engine leases, by ASIC id or PCI address; empty without a card."""

    @property
    def project(self) -> str:
        """Compose's project name."""
        return f"ttctl-{self.name}"

    @property
    def engine(self) -> ServiceSpec:
        """The service that serves the model: the one with boards, else the first.

        Where it spans hosts, a worker with boards stands before it.
        """
        own = (one for one in reversed(self.services) if one.nodes and one.card is None)
        return next(own, self.services[0])

    @property
    def nodes(self) -> int:
        """How many device nodes all of its engines open."""
        return max((one.first_node + one.nodes for one in self.services), default=0)

    def card_of(self, service: ServiceSpec) -> Card:
        """Return what the engine of a container says of itself."""
        return service.card or Card(
            device=self.device,
            contract=self.contract,
            boards=self.boards,
            experimental=self.experimental,
            derived_from=self.derived_from,
        )


def node_variable(index: int) -> str:
    """Return the variable of the .env file that says a node, as SOURCE:TARGET.

    The number of a node changes with a reset, so it is no part of what is rendered: it is looked
    up by the leased board when the stack is started.
    """
    return f"TTCTL_NODE_{index}"


def node_variables(service: ServiceSpec) -> tuple[str, ...]:
    """Return the variables of the nodes that a container opens."""
    return tuple(node_variable(service.first_node + index) for index in range(service.nodes))
