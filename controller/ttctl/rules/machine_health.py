# SPDX-License-Identifier: Apache-2.0
"""Are there memory, a processor, ports and a clock for what is wanted? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup
from ttctl.rules.mending import set_site
from ttctl.rules.processor import unfit_for_pinned_wheels

if TYPE_CHECKING:
    from ttctl.model.device import System
    from ttctl.model.health import Check, PlaceVitals

_machine = CheckGroup("Machine")

GIB = 1 << 30
FEW_CORES = 2
SLACK_S = 300
"""How far the clocks of a machine and of its file server may lie apart."""


def memory_check(system: System, *, least_mib: int, wanted_mib: int, model: str) -> Check:
    """Say whether the engine's memory limit fits into the machine.

    Args:
        least_mib: What the smallest model of the catalog asks for on this device, 0 for unknown.
        wanted_mib: What `model` asks for.
    """
    mib = system.memory_bytes >> 20
    short = model.rpartition("/")[2]
    found = f"{system.memory_bytes / GIB:.1f} GiB"
    if mib >= wanted_mib:
        need = f", {wanted_mib / 1024:.1f} GiB for {short}" if wanted_mib else ""
        return _machine("memory", "ok", f"{found}{need}")
    evidence = f"Found {found}; {model} asks for {wanted_mib / 1024:.1f} GiB, the smallest model "
    evidence += f"for {least_mib / 1024:.1f} GiB."
    if mib < least_mib:
        return _machine(
            "memory", "failed", "too little for every model here", evidence=evidence, fix="free -h"
        )
    return _machine(
        "memory",
        "warning",
        f"less than the limit of {short}",
        evidence=f"{evidence} The kernel may end its engine under load.",
        fix="ttctl up demo   # needs the least",
    )


def processor_checks(system: System, *, own_image: bool) -> tuple[Check, Check]:
    """Say whether the pinned wheels run here, and on how many cores.

    Args:
        own_image: Whether the site names an engine's image of its own.
    """
    unfit = unfit_for_pinned_wheels(system)
    if unfit and own_image:
        processor = _machine("processor", "ok", f"{system.machine}; the site's own image is used")
    elif unfit:
        processor = _machine(
            "processor",
            "failed" if system.device == "cpu" else "warning",
            "the pinned wheels of the cpu target do not run on it",
            evidence=f"{unfit}; they are built for x86-64 with AVX2.",
            fix=f"{set_site('engine_image')}   # one for this processor",
        )
    else:
        processor = _machine("processor", "ok", f"{system.machine} with AVX2")
    if system.cores >= FEW_CORES:
        return processor, _machine("cores", "ok", str(system.cores))
    cores = _machine(
        "cores",
        "warning",
        "only one core: answers are slow, builds slower",
        evidence="Counted with the limits of this process's control group.",
        fix="nproc",
    )
    return processor, cores


def port_check(port: int, *, stack: str, holder: str | None, ours: bool, free: int) -> Check:
    """Say who has a stack's port; `ours` where it is the stack's own gateway."""
    name = f"port {port}"
    if ours:
        return _machine(name, "ok", f"held by the gateway of {stack}")
    if holder is None:
        return _machine(name, "ok", "free")
    return _machine(
        name,
        "failed",
        f"taken by {holder}",
        evidence=f"{stack or 'A stack'} wants it on 127.0.0.1; {free} is free.",
        fix=f"ttctl up {stack or 'llama'} --port {free}",
    )


def clock_checks(place: PlaceVitals) -> tuple[Check, ...]:
    """Say whether the clock can be believed."""
    if place.now + SLACK_S < place.installed:
        behind = (place.installed - place.now) / 3600
        clock = _machine(
            "clock",
            "failed",
            "before the moment at which ttctl was installed",
            evidence=f"{behind:.1f} h behind the date of ttctl's own files; certificates will not "
            "be believed.",
            fix="sudo timedatectl set-ntp true   # or: sudo date --set ...",
        )
    elif place.certificates and place.not_yet == place.certificates:
        clock = _machine(
            "clock",
            "failed",
            "before every certificate of the CA bundle begins",
            evidence=f"{place.not_yet} of {place.certificates} are valid only later.",
            fix="sudo timedatectl set-ntp true   # or: sudo date --set ...",
        )
    else:
        clock = _machine("clock", "ok", "later than this installation")
    return clock, _synchronised(place.synchronised)


def _synchronised(synchronised: bool | None) -> Check:  # noqa: FBT001 - it is the fact itself
    if synchronised is None:
        return _machine("time service", "skipped", "the kernel does not tell")
    if synchronised:
        return _machine("time service", "ok", "the kernel's clock is synchronised")
    return _machine(
        "time service",
        "warning",
        "nothing keeps the clock right",
        evidence="The kernel says that its clock is not synchronised (adjtimex).",
        fix="sudo timedatectl set-ntp true",
    )
