# SPDX-License-Identifier: Apache-2.0
"""What of a user's override does harm to an engine that has boards? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.rules.renderable import LEAST_GRACE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GRACE, RESTART, PORTS = "stop_grace_period", "restart", "ports"
_RESTARTS = ("always", "unless-stopped", "on-failure")
_DEFAULT_GRACE = "10s"
"""What compose gives where nothing is said.

Source: https://github.com/compose-spec/compose-spec/blob/main/05-services.md#stop_grace_period
"""
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def on_boards(body: Mapping[str, object]) -> Iterator[str]:
    """Yield what a service's part of the file does that harms it where it has boards."""
    said = str(body.get(RESTART) or "no")
    restart = next((one for one in _RESTARTS if said.startswith(one)), "")
    if restart:
        yield f"sets restart: {restart}: an engine that ends on a hung chip starts in a loop"
    seconds = _seconds(str(body[GRACE] or _DEFAULT_GRACE)) if GRACE in body else None
    if seconds is not None and seconds < LEAST_GRACE_S:
        yield (
            f"gives {seconds:g} s to stop: killed before {LEAST_GRACE_S} s,"
            " an engine leaves its boards in need of a reset"
        )
    if body.get(PORTS):
        yield "publishes a port of the engine, which is asked for no key there"


def _seconds(duration: str) -> float | None:
    """Return a duration of compose's, `1m30s`, in seconds; None for what is none."""
    if not re.fullmatch(f"(?:{_PART.pattern})+", duration):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))
