# SPDX-License-Identifier: Apache-2.0
"""Is a container engine that answers set up as it should be? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup

if TYPE_CHECKING:
    from ttctl.model.health import Check, EngineVitals

_check = CheckGroup("Engine")

_COPIES = frozenset({"vfs"})
_GONE = frozenset({"aufs", "devicemapper", "overlay"})
"""Storage drivers that newer engines no longer have.

Source: https://docs.docker.com/engine/deprecated/
"""
_EDIT = "sudoedit /etc/docker/daemon.json"
_WRITE = """echo '{"live-restore": true}' | sudo tee /etc/docker/daemon.json"""


def limits_check(engine: EngineVitals) -> Check:
    """Return whether the engine can limit what a container takes."""
    missing = engine.no_limits
    if not missing:
        return _check("limits", "ok", "memory, swap, processes and processor can be limited")
    if missing == ("swap",):
        return _check(
            "limits",
            "warning",
            "swap is not counted into a container's limit",
            evidence="A container at its limit swaps instead of ending, and all gets slow.",
            fix="sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&swapaccount=1 /' /etc/default/grub "
            "&& sudo update-grub   # then reboot",
        )
    rootless = any("rootless" in one for one in engine.security)
    return _check(
        "limits",
        "warning",
        f"the engine cannot limit {', '.join(missing)}",
        evidence="A container may take all of it."
        + (" Rootless, it limits only what systemd delegates to the user." if rootless else ""),
        fix="docker info --format '{{json .Warnings}}'",
    )


def cgroup_check(engine: EngineVitals) -> Check:
    """Return whether control groups are kept by one manager."""
    found = f"version {engine.cgroup or 'unknown'}, driver {engine.cgroup_driver or 'unknown'}"
    if engine.cgroup_driver == "none":
        return _check(
            "cgroup",
            "warning",
            "no control groups: limits do not hold",
            evidence=found,
            fix="docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}'",
        )
    if engine.systemd and engine.cgroup == "2" and engine.cgroup_driver == "cgroupfs":
        return _check(
            "cgroup",
            "warning",
            "systemd and the engine both manage the control groups",
            evidence=f"{found}; systemd expects to be the only one. Expected the driver systemd.",
            fix=f'{_EDIT}   # "exec-opts": ["native.cgroupdriver=systemd"]',
        )
    return _check("cgroup", "ok", found)


def storage_check(engine: EngineVitals) -> Check:
    """Return whether images are stored without whole copies, by a driver that stays."""
    driver = engine.storage
    if driver in _COPIES:
        return _check(
            "storage",
            "warning",
            f"{driver} keeps a whole copy for each layer",
            evidence="Images take several times their size, and builds are slow.",
            fix=f'{_EDIT}   # "storage-driver": "overlay2"; images have to be built anew',
        )
    if driver in _GONE or not engine.d_type:
        why = "newer engines no longer have it" if driver in _GONE else "without d_type"
        return _check(
            "storage",
            "warning" if driver in _GONE else "failed",
            f"{driver}: {why}",
            evidence=f"Storage driver {driver}, d_type {str(engine.d_type).lower()}; "
            "expected overlay2 on a file system with d_type.",
            fix=f'{_EDIT}   # "storage-driver": "overlay2"; images have to be built anew',
        )
    return _check("storage", "ok", driver)


def security_check(engine: EngineVitals) -> Check:
    """Return whether system calls of containers are filtered."""
    words = [one.removeprefix("name=").partition(",")[0] for one in engine.security]
    unconfined = any("seccomp" in one and "unconfined" in one for one in engine.security)
    if "seccomp" in words and not unconfined:
        return _check("security", "ok", ", ".join(words))
    return _check(
        "security",
        "warning",
        "containers run without seccomp",
        evidence=f"The engine says: {', '.join(engine.security) or 'nothing'}. "
        "Every system call of the kernel is open to them.",
        fix=f'{_EDIT}   # take "seccomp-profile" out, and restart the engine',
    )


def live_restore_check(engine: EngineVitals) -> Check:
    """Source: CIS Docker Benchmark 2.15; https://docs.docker.com/engine/daemon/live-restore/."""
    if engine.live_restore:
        return _check("live-restore", "ok", "on: containers outlive the daemon")
    if engine.swarm:
        return _check("live-restore", "skipped", "swarm mode rules it out")
    reload = (
        "sudo systemctl reload docker"
        if engine.systemd
        else 'sudo kill -HUP "$(cat /run/docker.pid)"'
    )
    if engine.has_settings:
        fix = f'{_EDIT}   # "live-restore": true, then: {reload}'
    else:
        fix = f"{_WRITE} && {reload}"
    return _check(
        "live-restore",
        "warning",
        "off: containers end with the daemon",
        evidence="An upgrade or a crash of the daemon takes every stack down.",
        fix=fix,
    )
