# SPDX-License-Identifier: Apache-2.0
"""Is `up --boot` typed as it reads, and is the boot unit printed so that it can be piped?"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.test_stop import run
from tests.unit.fakes import Scene
from tests.unit.operations.test_boot import rebooted
from tests.unit.swapping import DIRT, SECOND, SMALL, lone_scene, running

from ttctl.cli.config_boot import unit_lines
from ttctl.cli.session import Flags, Session
from ttctl.model.boot import BootUnit
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Typed

UNIT = BootUnit(
    path="/units/ttctl-boot.service",
    name="ttctl-boot.service",
    scope="user",
    text="",
    changed=True,
    removed=False,
    dry_run=False,
    enabled=False,
    failures=(),
    left_out=(),
    commands=("systemctl --user daemon-reload",),
)


@pytest.fixture(autouse=True)
def _offline_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a session's offline world be the one that a test made."""
    monkeypatch.setattr(Session, "offline_world", property(lambda session: session.world))


@pytest.fixture
def two() -> Scene:
    """Two stacks that were up when the machine went down."""
    scene = Scene()
    up(scene.world, SMALL)
    up(scene.world, SECOND)
    return rebooted(scene)


def test_each_stack_has_its_line_and_a_second_boot_says_that_all_is_up(two: Scene) -> None:
    assert run(two, "up --boot --dry-run").stdout.splitlines() == [
        "llama  would start",
        "second  would start",
    ]
    assert running(two) == []
    done = run(two, "up --boot")
    assert (done.exit_code, running(two)) == (0, ["llama", "second"])
    assert done.stdout.startswith("llama  started  http://127.0.0.1:")
    assert "llama  up already" in run(two, "up --boot").stdout


def test_a_failure_is_said_whole_and_its_exit_code_is_the_commands(two: Scene) -> None:
    del two.store.locks["llama"]
    done = run(two, "up --boot")
    assert done.exit_code == 2
    assert done.stdout.splitlines()[:5] == [
        "llama  failed",
        "  error:   The stack 'llama' cannot be brought back as it is locked.",
        "  why:     It has no lock.",
        "  found:   Nothing was changed.",
        "  next:    ttctl up llama --name llama",
    ]
    assert "second  started" in done.stdout


def test_a_program_gets_every_outcome(two: Scene) -> None:
    two.engine.images.clear()
    done = run(two, "up --boot", flags=Flags(as_json=True))
    data = json.loads(done.stdout.splitlines()[-1])
    assert data["schema"] == "ttctl.boot/1"
    assert [one["outcome"] for one in data["data"]["stacks"]] == ["failed", "failed"]
    assert data["data"]["stacks"][0]["failure"]["code"] == "engine-failed"


def test_where_nothing_is_wanted_that_is_said() -> None:
    done = run(Scene(), "up --boot")
    assert (done.exit_code, done.stdout.partition(":")[0]) == (0, "No stack is wanted")


@pytest.mark.parametrize(("consent", "code"), [("true", 0), ("false", 1)])
def test_boards_are_reset_by_the_setting_alone(
    monkeypatch: pytest.MonkeyPatch, consent: str, code: int
) -> None:
    scene = rebooted(lone_scene())
    scene.leases.remember([DIRT])
    monkeypatch.setenv("TTCTL_UP_BOOT_RESET", consent)
    assert run(scene, "up --boot", flags=Flags(yes=True)).exit_code == code


@pytest.mark.parametrize(
    ("line", "typed_words"),
    [
        pytest.param("up --boot llama", "MODEL", id="a model"),
        pytest.param("up --boot --name x", "--name", id="a name"),
        pytest.param("up --boot --port 8000", "--port", id="a port"),
        pytest.param("up --boot --reset", "--reset", id="a reset"),
        pytest.param("up --boot --no-wait", "--wait", id="no wait"),
        pytest.param("up --boot --build --pull never", "--build, --pull", id="two"),
        pytest.param("up --boot -- --max-num-seqs 2", "--max-num-seqs, 2", id="the engine's"),
    ],
)
def test_what_is_of_one_stack_is_refused(typed: Typed, line: str, typed_words: str) -> None:
    code, _, err = typed(line)
    assert (code, err.splitlines()[2]) == (2, f"evidence: Typed: {typed_words}.")


def test_its_limit_is_refused_without_it(typed: Typed) -> None:
    code, _, err = typed("up llama --boot-timeout 5")
    assert (code, err.splitlines()[-1]) == (2, "next:     ttctl up --help")


@pytest.fixture
def _own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)


@pytest.mark.usefixtures("_own_user")
def test_the_unit_is_printed_alone_then_written_then_removed(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "XDG_CONFIG_HOME/systemd/user/ttctl-boot.service"
    code, out, err = typed("config boot --dry-run")
    assert (code, file.exists()) == (0, False)
    assert "next:    systemctl --user enable --now ttctl-boot.service" in err
    assert f'Environment="XDG_STATE_HOME={tmp_path}/XDG_STATE_HOME"' in out
    assert typed("config boot")[0] == 0
    assert file.read_text() == out
    assert "is there already, as it is wanted" in typed("config boot")[1]
    code, said, _ = typed("config boot --remove")
    assert (code, file.exists()) == (0, False)
    assert said.splitlines() == [f"{file} is removed.", "next:    systemctl --user daemon-reload"]
    assert "is not there" in typed("config boot --remove")[1]


@pytest.mark.usefixtures("_own_user")
def test_settings_by_variables_are_named_and_a_named_file_is_carried(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("")
    monkeypatch.setenv("TTCTL_CONFIG", str(file))
    _, out, err = typed("config boot --dry-run")
    assert f'Environment="TTCTL_CONFIG={file}"' in out
    assert "mind:    TTCTL_DEVICE_ROOT, TTCTL_OFFLINE will not hold at a boot" in err
    file.unlink()
    code, _, err = typed("config boot --dry-run")
    assert code == 9
    assert "There is no settings file" in err


@pytest.mark.usefixtures("_own_user")
def test_a_systemctl_that_is_not_there_is_told_and_the_unit_stays(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, _ = typed("config boot --enable")
    assert code == 1
    assert "failed:  systemctl --user daemon-reload: " in out
    assert (tmp_path / "XDG_CONFIG_HOME/systemd/user/ttctl-boot.service").exists()


def test_to_enable_and_to_remove_exclude_each_other(typed: Typed) -> None:
    code, _, err = typed("config boot --enable --remove")
    assert (code, err.splitlines()[0]) == (
        2,
        "error:    --enable and --remove exclude each other.",
    )


def test_root_gets_a_unit_of_the_system(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    _, out, err = typed("config boot --dry-run")
    assert "\nUser=root\n" in out
    assert err.startswith("/etc/systemd/system/ttctl-boot-root.service would be written.")


def test_what_was_done_is_said() -> None:
    assert unit_lines(replace(UNIT, enabled=True, commands=())) == [
        "/units/ttctl-boot.service is written.",
        "enabled: ttctl-boot.service runs at every boot",
    ]
    assert unit_lines(replace(UNIT, removed=True, dry_run=True))[0].endswith("would be removed.")
