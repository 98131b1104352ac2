# SPDX-License-Identifier: Apache-2.0
"""Which device is meant by `MESH_DEVICE` or `--device`, and does the machine have it? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.rules.device_names import candidates

if TYPE_CHECKING:
    from ttctl.model.device import System

VARIABLE = "MESH_DEVICE"


def meant(word: str, system: System) -> str:
    """Return the device that a mesh's name or shape means here, empty where it means none.

    Of several devices of one shape the one that this machine forms is meant.
    """
    possible = candidates(word)
    here = {formed.device for formed in system.forms} | {system.device}
    return next((one for one in possible if one in here), next(iter(possible), ""))


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


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
