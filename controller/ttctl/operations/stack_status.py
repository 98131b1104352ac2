# SPDX-License-Identifier: Apache-2.0
"""What is known of one stack. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.rules.stack import BIND

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.container import ContainerState
    from ttctl.model.engine_files import EngineCache
    from ttctl.operations.diagnose import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """What is known of one stack."""

    stack: str
    state: str
    """`ready`, `starting`, `degraded`, `stopped`, `unstarted` where it was locked and no more, or
    `unknown` where its lock is damaged."""
    model: str
    device: str
    url: str
    key_file: Path
    containers: tuple[ContainerState, ...]
    others: tuple[ContainerState, ...] = ()
    """What another user of ttctl has under its name: nothing else of this says anything of it."""
    bind: str = BIND
    """Address of this host on which its gateway listens; `0.0.0.0` lets other machines in."""
    tls: str = ""
    """`generated` or `own` where its gateway is encrypted; empty where it is not."""
    certificate: str = ""
    """File by which other programs know the gateway; empty where they need none."""
    reason: str = ""
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""
    boards: tuple[str, ...] = ()
    """What it leases, by ASIC id or PCI address."""
    caches: tuple[EngineCache, ...] = ()
    """What engines left in the folder that it mounts, for its next start on a card."""
    other_caches: tuple[EngineCache, ...] = ()
    """What other versions and implementations left for its model: it reads none of them."""
    causes: tuple[Cause, ...] = ()
    """Why services of it do not do their work, as far as it is known."""
    next_step: str = ""
    """What starts it again where `stop` has ended it; empty elsewhere."""
    wanted: bool = False
    """Whether it was brought up and not ended since, so that `up --boot` brings it back."""
