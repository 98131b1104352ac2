# SPDX-License-Identifier: Apache-2.0
"""Which device is meant by `MESH_DEVICE` or `--device`, and does the machine have it? Pure.

Source: tt-inference-server v0.20.0, workflows/workflow_types.py, DeviceTypes
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.device import DEVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System

VARIABLE = "MESH_DEVICE"

_NAMES = {
    "tg": ("galaxy",),
    "bh-galaxy": ("blackhole_galaxy",),
    "t3k": ("t3k", "galaxy_t3k"),
}
"""Upstream's spelling where it is not the device's name; the likeliest first."""

_SHAPES = {
    (1, 1): ("n150", "p150", "p100"),
    (1, 2): ("n300", "p300"),
    (1, 4): ("p150x4", "n150x4"),
    (1, 8): ("t3k", "p150x8", "galaxy_t3k"),
    (2, 2): ("p300x2", "p150x4", "n150x4"),
    (2, 4): ("t3k", "p150x8", "galaxy_t3k"),
    (4, 8): ("galaxy", "blackhole_galaxy"),
    (8, 8): ("dual_galaxy",),
    (8, 16): ("quad_galaxy",),
}
"""Rows and columns of a mesh, the smaller first, to the devices that have as many chips."""

_SHAPE = re.compile(r"\(?\s*(\d{1,3})\s*[,x]\s*(\d{1,3})\s*\)?")


def meant(word: str, system: System) -> str:
    """Return the device that a mesh's name or shape means here, empty where it means none.

    Of several devices of one shape the one that this machine forms is meant.
    """
    candidates = _candidates(word)
    here = {formed.device for formed in system.forms} | {system.device}
    return next((one for one in candidates if one in here), next(iter(candidates), ""))


def with_mesh_device(system: System, word: str) -> System:
    """Return the machine as `MESH_DEVICE` wants it seen; what is there is told beside it."""
    if not word.strip():
        return system
    device = meant(word, system)
    shown = word.strip()[:40]
    if not device:
        unknown = f"{VARIABLE}={shown} is no mesh that is known; it is not followed"
        return replace(system, evidence=_joined(system.evidence, unknown))
    if device == system.device:
        return replace(system, reason=f"{system.reason}; {VARIABLE}={shown} agrees")
    wrong = mismatch(system, device, said=f"{VARIABLE}={shown}")
    return replace(
        system,
        device=device,
        reason=f"{VARIABLE}={shown} in the environment",
        evidence=_joined(wrong, system.evidence),
    )


def with_device(system: System, device: str | None) -> System:
    """Return the machine as `--device` wants it seen; None for as it is."""
    if device is None or device == system.device:
        return system
    said = f"--device {device}"
    wrong = mismatch(system, device, said=said)
    return replace(system, device=device, reason=said, evidence=_joined(wrong, system.evidence))


def mismatch(system: System, device: str, *, said: str) -> str:
    """Return how a device that was asked for differs from what is here; empty where it is here.

    Args:
        system: The machine.
        device: What was asked for.
        said: Where it was asked for, `--device t3k`.
    """
    if device in {"cpu", system.device} or forming(system, device):
        return ""
    able = ", ".join(dict.fromkeys(formed.device for formed in system.forms))
    found = system.device or "of no known device"
    what = f"these cards form {able}" if able else f"this machine is {found}: {system.reason}"
    return f"{said} means {device}, but {what}"


def forming(system: System, device: str) -> tuple[tuple[str, ...], ...]:
    """Return the groups of boards that can make up a device."""
    return tuple(formed.boards for formed in system.forms if formed.device == device)


def _candidates(word: str) -> Sequence[str]:
    name = word.strip().lower()
    if shape := _SHAPE.fullmatch(name):
        rows, columns = sorted((int(shape[1]), int(shape[2])))
        return _SHAPES.get((rows, columns), ())
    if name in _NAMES:
        return _NAMES[name]
    return (name,) if name in DEVICE_NAMES else ()


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
