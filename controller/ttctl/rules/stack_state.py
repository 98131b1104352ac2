# SPDX-License-Identifier: Apache-2.0
"""How is a stack, by its containers? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.to_end import is_stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState


def state_by(containers: Sequence[ContainerState]) -> str:
    """Return `stopped`, `degraded` or `starting`; empty where only its gateway can tell."""
    if not containers or is_stopped(containers):
        return "stopped"
    if any(one.state != "running" or one.health == "unhealthy" for one in containers):
        return "degraded"
    if any(one.health == "starting" for one in containers):
        return "starting"
    return ""
