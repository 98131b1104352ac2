# SPDX-License-Identifier: Apache-2.0
"""Does each check of the engine pass where it should, and fail where it should?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.fakes import WELL_ENGINE

from ttctl.model.health import Check, EngineVitals
from ttctl.rules.engine_health import engine_checks


def judged(name: str, **changes: Any) -> Check:  # noqa: ANN401
    """Return one check of an engine that is well but for `changes`."""
    checks = engine_checks(replace(WELL_ENGINE, **changes))
    return next(check for check in checks if check.name == name)


def test_an_engine_that_a_variable_chose_is_let_go_by_unsetting_it() -> None:
    silent = EngineVitals(client="28", endpoint="unix:///nope", setting="DOCKER_HOST", error="x")
    assert engine_checks(silent)[0].fix == "unset DOCKER_HOST"


@pytest.mark.parametrize(
    ("start", "silent", "missing"),
    [
        ("make engine", "make engine   # or start", "make engine   # or: apt-get"),
        ("sudo systemctl start docker", "sudo systemctl start docker", "sudo apt-get install"),
    ],
    ids=["in a checkout", "elsewhere"],
)
def test_what_starts_an_engine_is_there_where_it_is_said(
    start: str, silent: str, missing: str
) -> None:
    engine = EngineVitals(client="28", endpoint="unix:///x", error="x", start=start)
    assert engine_checks(engine)[0].fix.startswith(silent)
    assert engine_checks(engine)[1].fix.startswith(missing)


def test_an_engine_that_is_well_has_nothing_to_do() -> None:
    checks = engine_checks(WELL_ENGINE)
    assert {check.verdict for check in checks} == {"ok"}
    assert {check.group for check in checks} == {"Engine"}
    assert not [check.fix for check in checks if check.fix]
    assert [check.name for check in checks] == [
        "docker",
        "compose",
        "buildx",
        "engine clock",
        "limits",
        "cgroup",
        "storage",
        "security",
        "live-restore",
    ]


@pytest.mark.parametrize(
    ("name", "changes", "verdict", "summary", "fix"),
    [
        pytest.param(
            "docker", {"version": "19.03.15"}, "failed", "too old", "apt-get", id="old engine"
        ),
        pytest.param(
            "docker", {"version": "dev"}, "warning", "'dev'", "docker version", id="no number"
        ),
        pytest.param(
            "compose", {"compose": "2.9.0"}, "failed", "too old", "docker-compose", id="old compose"
        ),
        pytest.param(
            "compose", {"compose": ""}, "failed", "not installed", "make engine", id="no compose"
        ),
        pytest.param(
            "buildx", {"buildx": "v0.7.1"}, "failed", "too old", "docker-buildx", id="old buildx"
        ),
        pytest.param(
            "buildx", {"buildx": ""}, "failed", "not installed", "make engine", id="no buildx"
        ),
        pytest.param(
            "engine clock", {"skew_s": 3600}, "warning", "3600 s ahead", "set-ntp", id="fast clock"
        ),
        pytest.param(
            "engine clock", {"skew_s": -90}, "warning", "90 s behind", "set-ntp", id="slow clock"
        ),
        pytest.param(
            "limits", {"no_limits": ("swap",)}, "warning", "swap", "swapaccount=1", id="no swap"
        ),
        pytest.param(
            "limits",
            {"no_limits": ("memory", "pids")},
            "warning",
            "memory, pids",
            "docker info",
            id="no limits",
        ),
        pytest.param(
            "cgroup", {"cgroup_driver": "none"}, "warning", "no control groups", "info", id="none"
        ),
        pytest.param(
            "cgroup",
            {"cgroup_driver": "cgroupfs"},
            "warning",
            "systemd and the engine",
            "native.cgroupdriver=systemd",
            id="two managers",
        ),
        pytest.param(
            "storage", {"storage": "vfs"}, "warning", "whole copy", "overlay2", id="copies"
        ),
        pytest.param("storage", {"storage": "aufs"}, "warning", "no longer", "overlay2", id="gone"),
        pytest.param(
            "storage", {"d_type": False}, "failed", "without d_type", "overlay2", id="no d_type"
        ),
        pytest.param(
            "security", {"security": ()}, "warning", "without seccomp", "daemon.json", id="none"
        ),
        pytest.param(
            "security",
            {"security": ("name=seccomp,profile=unconfined",)},
            "warning",
            "without seccomp",
            "seccomp-profile",
            id="unconfined",
        ),
        pytest.param(
            "live-restore",
            {"live_restore": False},
            "warning",
            "end with the daemon",
            "sudo tee /etc/docker/daemon.json && sudo systemctl reload docker",
            id="no live-restore",
        ),
        pytest.param(
            "live-restore",
            {"live_restore": False, "has_settings": True, "systemd": False},
            "warning",
            "end with the daemon",
            "sudoedit /etc/docker/daemon.json",
            id="settings that are there are not overwritten",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_fix(
    name: str, changes: dict[str, Any], verdict: str, summary: str, fix: str
) -> None:
    check = judged(name, **changes)
    assert check.verdict == verdict
    assert summary in check.summary
    assert fix in check.fix
    assert check.evidence
    assert not check.harmless


def test_one_manager_of_control_groups_is_enough() -> None:
    assert judged("cgroup", cgroup_driver="cgroupfs", systemd=False).verdict == "ok"
    assert judged("cgroup", cgroup_driver="cgroupfs", cgroup="1").verdict == "ok"


def test_a_swarm_cannot_have_live_restore() -> None:
    assert judged("live-restore", live_restore=False, swarm=True).verdict == "skipped"


def test_rootless_limits_are_told_as_delegated() -> None:
    check = judged("limits", no_limits=("cpu",), security=("name=seccomp", "name=rootless"))
    assert "delegates" in check.evidence


def test_without_the_program_there_is_one_thing_to_say() -> None:
    (check,) = engine_checks(EngineVitals(endpoint="unix:///var/run/docker.sock"))
    assert (check.verdict, check.fix) == ("failed", "make engine   # or: apt-get install docker.io")


def test_without_an_engine_the_plugins_are_told_all_the_same() -> None:
    silent = replace(WELL_ENGINE, version="", error="Cannot connect to the Docker daemon")
    docker, *plugins = engine_checks(silent)
    assert docker.verdict == "failed"
    assert docker.evidence == "unix:///var/run/docker.sock: Cannot connect to the Docker daemon"
    assert [(check.name, check.verdict) for check in plugins] == [
        ("compose", "ok"),
        ("buildx", "ok"),
    ]


@pytest.mark.parametrize(
    ("member", "fix"),
    [
        pytest.param(False, "sudo usermod -aG docker $USER && newgrp docker", id="no member"),
        pytest.param(True, "newgrp docker", id="a member whose shell is older"),
    ],
)
def test_a_user_who_may_not_is_told_how_to_be_let_in(fix: str, *, member: bool) -> None:
    denied = replace(
        WELL_ENGINE, version="", denied=True, user="ann", socket_group="docker", member=member
    )
    check = engine_checks(denied)[0]
    assert (check.verdict, check.fix) == ("failed", fix)
    assert "ann" in check.evidence
    assert "as mighty as root" in check.evidence
