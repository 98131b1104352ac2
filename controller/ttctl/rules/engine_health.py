# SPDX-License-Identifier: Apache-2.0
"""Is this container engine fit for us? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup
from ttctl.rules.versions import at_least, numbers

if TYPE_CHECKING:
    from ttctl.model.health import Check, EngineVitals

_check = CheckGroup("Engine")

OLDEST_ENGINE = "20.10"
"""Decision 0003: the builder of Docker 20.10 is what our Dockerfiles keep to."""
OLDEST_COMPOSE = "2.19"
"""The first with `docker compose --progress`; `up --wait-timeout` came with 2.17.

Source: https://github.com/elastic/elastic-package/pull/3932,
https://github.com/gabrieldemarmiesse/python-on-whales/pull/573
"""
OLDEST_BUILDX = "0.8"
"""The first with `imagetools inspect --format`. Source: https://github.com/docker/buildx/pull/854"""
SMALL_SKEW_S = 60

_COPIES = frozenset({"vfs"})
_GONE = frozenset({"aufs", "devicemapper", "overlay"})
"""Storage drivers that newer engines no longer have.

Source: https://docs.docker.com/engine/deprecated/
"""
_EDIT = "sudoedit /etc/docker/daemon.json"
_WRITE = """echo '{"live-restore": true}' | sudo tee /etc/docker/daemon.json"""


def engine_checks(engine: EngineVitals) -> tuple[Check, ...]:
    """Return every verdict on the engine; where none answers, on what can be told without it."""
    if not engine.client:
        return (
            _check(
                "docker",
                "failed",
                "the program docker is not installed",
                evidence="It is in no folder of PATH; ttctl builds and starts through it.",
                fix=_install(engine, "docker.io"),
            ),
        )
    plugins = (
        _plugin(engine, "compose", engine.compose, OLDEST_COMPOSE),
        _plugin(engine, "buildx", engine.buildx, OLDEST_BUILDX),
    )
    if not engine.answers:
        return (_silent(engine), *plugins)
    return (
        _version(engine),
        *plugins,
        _clock(engine),
        _limits(engine),
        _cgroup(engine),
        _storage(engine),
        _security(engine),
        _live_restore(engine),
    )


def _silent(engine: EngineVitals) -> Check:
    if not engine.denied:
        return _check(
            "docker",
            "failed",
            "no container engine answers",
            evidence=f"{engine.endpoint}: {engine.error}",
            fix=f"unset {engine.setting}" if engine.setting else _start(engine),
        )
    group = engine.socket_group or "docker"
    fix = (
        f"newgrp {group}" if engine.member else f"sudo usermod -aG {group} $USER && newgrp {group}"
    )
    known = "is in its group, but this shell is not" if engine.member else "is not in its group"
    return _check(
        "docker",
        "failed",
        "this user may not talk to the engine",
        evidence=f"{engine.endpoint} belongs to the group {group}; {engine.user} {known}. "
        "Whoever is in it is as mighty as root on this machine.",
        fix=fix,
    )


def _version(engine: EngineVitals) -> Check:
    if at_least(engine.version, OLDEST_ENGINE):
        return _check("docker", "ok", f"engine {engine.version} answers")
    if not numbers(engine.version):
        return _check(
            "docker",
            "warning",
            f"an engine answers, of the version {engine.version!r}",
            evidence=f"It has no number to compare; expected {OLDEST_ENGINE} or newer.",
            fix="docker version",
        )
    return _check(
        "docker",
        "failed",
        f"engine {engine.version} is too old",
        evidence=f"Expected {OLDEST_ENGINE} or newer; it answers at {engine.endpoint}.",
        fix="sudo apt-get install --only-upgrade docker.io   # or your distribution's package",
    )


def _start(engine: EngineVitals) -> str:
    ours = engine.start.startswith("make")
    return f"{engine.start}   # or start the engine that you have" if ours else engine.start


def _install(engine: EngineVitals, package: str) -> str:
    if engine.start.startswith("make"):
        return f"{engine.start}   # or: apt-get install {package}"
    return f"sudo apt-get install {package}   # or your distribution's package"


def _plugin(engine: EngineVitals, name: str, version: str, oldest: str) -> Check:
    package = f"docker-{name}"
    if not version:
        return _check(
            name,
            "failed",
            f"docker's plugin {name} is not installed",
            evidence=f"Expected {oldest} or newer; `docker info` lists no such plugin.",
            fix=_install(engine, package),
        )
    if at_least(version, oldest):
        return _check(name, "ok", version)
    return _check(
        name,
        "failed",
        f"{version} is too old",
        evidence=f"Expected {oldest} or newer.",
        fix=f"sudo apt-get install --only-upgrade {package}   # or your distribution's package",
    )


def _clock(engine: EngineVitals) -> Check:
    if abs(engine.skew_s) <= SMALL_SKEW_S:
        return _check("engine clock", "ok", "agrees with this machine's")
    direction = "ahead of" if engine.skew_s > 0 else "behind"
    return _check(
        "engine clock",
        "warning",
        f"{abs(engine.skew_s):.0f} s {direction} this machine's",
        evidence="Times in logs will not fit, and `logs --since` misses lines.",
        fix="sudo timedatectl set-ntp true   # on the engine's machine",
    )


def _limits(engine: EngineVitals) -> Check:
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


def _cgroup(engine: EngineVitals) -> Check:
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


def _storage(engine: EngineVitals) -> Check:
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


def _security(engine: EngineVitals) -> Check:
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


def _live_restore(engine: EngineVitals) -> Check:
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
