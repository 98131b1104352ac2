# SPDX-License-Identifier: Apache-2.0
"""What is seen of a container, and the labels by which ours are known. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

STACK_LABEL = "dev.ttctl.stack"
SERVICE_LABEL = "dev.ttctl.service"
OWNER_LABEL = "dev.ttctl.owner"
"""Which state folder a container belongs to: two users of one engine stay apart."""
CONFIG_LABEL = "dev.ttctl.config-hash"
EXPERIMENTAL_LABEL = "dev.ttctl.experimental"
"""Why a model runs that nobody validated on its device; not there where it was validated."""
DERIVED_LABEL = "dev.ttctl.derived-from"
"""The entry whose tt-metal a program of ours stands on; not there where the pair was validated."""
BOARDS_LABEL = "dev.ttctl.boards"
"""The lease: the reset domains that a container has, by ASIC id or PCI address, a comma between."""
CONTRACT_LABEL = "dev.ttctl.contract"
"""How the image is launched; not there on images of the processor's target."""
UNVALIDATED_LABEL = "dev.ttctl.unvalidated"
"""On images, and so on their containers: which components are of a checkout, a space between."""
YOURS_LABEL = "dev.ttctl.yours"
"""On images, and so on their containers: the service whose sources the user edited."""
PUBLISHED = "the published port of a container"
"""What ends the name of who has a port that a container engine publishes."""
ENGINE_ENDED = "whose container engine has ended"
"""What ends it where that is so: with live-restore its container may go on."""
FINGERPRINT_LABEL = "dev.ttctl.fingerprint"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """A container that the engine shows."""

    container_id: str
    name: str
    stack: str
    owner: str
    service: str
    image: str
    config_hash: str
    state: Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
    health: str
    """`starting`, `healthy`, `unhealthy`, or empty."""
    exit_code: int
    oom_killed: bool
    started_at: str
    finished_at: str = ""
    """RFC 3339, as the engine spells it; empty while it has not ended yet."""
    boards: tuple[str, ...] = ()
    """What it leases, by ASIC id or PCI address."""
    ports: tuple[tuple[str, int, int], ...] = ()
    """(host address, host port, container port)."""
    composed: bool = True
    """Whether compose made it; else one of ttctl's own `docker run` lines did."""
    memory_bytes: int = 0
    """What it may use at most; 0 where it has no limit."""
    check_said: str = ""
    """Last line of the health check that failed last; empty where it is not unhealthy."""
    start_error: str = ""
    """Why the engine could not start it, when it was told to last; empty where it could."""
    networks: tuple[str, ...] = ()
    """Names of those that it is joined to, or will be when it is started."""
    restarts: int = 0
    """Times that the engine started it again by itself since somebody started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What the engine has under the name of a stack."""

    containers: tuple[ContainerState, ...]
    """With our labels, by name."""
    beside: tuple[tuple[str, str], ...] = ()
    """(name, folder of the file that compose made it from) of those without our labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackWithout:
    """A stack of this user's that has no container."""

    stack: str
    owner: str
    state: Literal["down", "locked"]
    """`locked` where it was never started."""
    service: str = ""
    """Always empty: a container has one."""
