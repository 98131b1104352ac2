# SPDX-License-Identifier: Apache-2.0
"""Is this container engine fit for us? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup
from ttctl.rules.engine_settings import (
    cgroup_check,
    limits_check,
    live_restore_check,
    security_check,
    storage_check,
)
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
        limits_check(engine),
        cgroup_check(engine),
        storage_check(engine),
        security_check(engine),
        live_restore_check(engine),
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
