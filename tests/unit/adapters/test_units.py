# SPDX-License-Identifier: Apache-2.0
"""Are units put where systemd looks for them, and taken away with their links?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.test_boot_unit import WISH

from ttctl.adapters import units
from ttctl.adapters.units import UnitFolder, surroundings, this_program, this_user
from ttctl.errors import BadFileError, PrivilegeError, ToolMissingError, TtctlError
from ttctl.rules.boot_unit import boot_unit, unit_name

if TYPE_CHECKING:
    from ttctl.model.boot import Scope

NAME = "ttctl-boot.service"


def test_a_users_units_lie_in_the_users_folder(tmp_path: Path) -> None:
    usual = UnitFolder("user", {"XDG_CONFIG_HOME": "relative"}, home=tmp_path)
    assert usual.path(NAME) == tmp_path / ".config/systemd/user" / NAME
    own = UnitFolder("user", {"XDG_CONFIG_HOME": "/own"}, home=tmp_path)
    assert own.path(NAME) == Path("/own/systemd/user") / NAME


def test_a_unit_is_written_for_all_to_read_and_removed_with_its_links(tmp_path: Path) -> None:
    folder = UnitFolder("user", {}, home=tmp_path)
    assert folder.text(NAME) is None
    folder.write(NAME, "[Unit]\n")
    assert folder.text(NAME) == "[Unit]\n"
    assert folder.path(NAME).stat().st_mode & 0o777 == 0o644
    links = folder.path(NAME).parent / "default.target.wants"
    links.mkdir()
    (links / NAME).symlink_to(folder.path(NAME))
    (links / "other.service").symlink_to(folder.path(NAME))
    folder.remove(NAME)
    assert folder.text(NAME) is None
    assert [one.name for one in links.iterdir()] == ["other.service"]


def test_a_unit_that_cannot_be_read_or_removed_is_told(tmp_path: Path) -> None:
    folder = UnitFolder("user", {}, home=tmp_path)
    folder.path(NAME).mkdir(parents=True)
    with pytest.raises(BadFileError, match="cannot be read"):
        folder.text(NAME)
    with pytest.raises(TtctlError, match="could not be removed"):
        folder.remove(NAME)
    folder.path("bad.service").write_bytes(b"\xff")
    with pytest.raises(BadFileError, match="cannot be read"):
        folder.text("bad.service")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_unit_of_the_system_is_refused_with_what_root_types(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    _refused_with_what_root_types(tmp_path)


def test_where_the_system_refuses_a_write_root_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units.os, "access", lambda *_: False)
    _refused_with_what_root_types(tmp_path)


def _refused_with_what_root_types(system: Path) -> None:
    folder = UnitFolder("system", {}, home=system, system=system)
    with pytest.raises(PrivilegeError, match="root's to write") as caught:
        folder.write(NAME, "")
    assert caught.value.next_step == (
        f"ttctl config boot --system --dry-run | sudo tee {system / NAME}"
    )
    with pytest.raises(PrivilegeError) as caught:
        folder.remove(NAME)
    assert caught.value.next_step.startswith(f"sudo systemctl disable {NAME} && sudo rm ")
    assert list(system.iterdir()) == []


def test_a_linger_file_says_that_a_user_lingers(tmp_path: Path) -> None:
    folder = UnitFolder("user", {}, home=tmp_path, linger=tmp_path)
    assert not folder.lingers("ann")
    (tmp_path / "ann").touch()
    assert folder.lingers("ann")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("exit 0", "", id="done"),
        pytest.param("echo 'No medium.' >&2; exit 1", "No medium.", id="a reason"),
        pytest.param("exit 4", "exit code 4", id="none"),
        pytest.param("sleep 60", "'systemctl --user' did not end. Its limit is 0 s.", id="hangs"),
    ],
)
def test_systemctl_is_run_with_a_limit_and_its_failure_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if "sleep" in script:
        monkeypatch.setattr(units, "SYSTEMCTL_S", 0.3)
    folder = UnitFolder("user", {}, home=tmp_path)
    assert folder.systemctl(("--user", "daemon-reload")) == said


def test_where_there_is_no_systemctl_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "systemctl" in UnitFolder("user", {}, home=tmp_path).systemctl(("daemon-reload",))


def test_the_surroundings_are_whole_paths_and_lead_to_the_same_files() -> None:
    found = surroundings(
        {
            "XDG_STATE_HOME": "/big/state",
            "XDG_CACHE_HOME": "not/whole",
            "PATH": "/usr/bin:.::bin:/opt/bin",
            "DOCKER_HOST": "unix:///run/user/1000/docker.sock",
            "HF_HOME": "",
            "TTCTL_API_KEY": "secret",
        },
        Path("/home/ann"),
        settings=Path("/etc/ttctl.toml"),
    )
    assert dict(found) == {
        "HOME": "/home/ann",
        "XDG_CONFIG_HOME": "/home/ann/.config",
        "XDG_STATE_HOME": "/big/state",
        "XDG_CACHE_HOME": "/home/ann/.cache",
        "PATH": "/usr/bin:/opt/bin",
        "DOCKER_HOST": "unix:///run/user/1000/docker.sock",
        "TTCTL_CONFIG": "/etc/ttctl.toml",
    }
    assert "TTCTL_CONFIG" not in dict(surroundings({}, Path("/home/ann"), settings=None))


def test_the_program_is_the_one_that_was_called_else_the_one_beside_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "ttctl"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(own)])
    assert this_program() == str(own)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert this_program() == str(own)
    own.unlink()
    with pytest.raises(ToolMissingError, match="is not found"):
        this_program()


def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units.os, "geteuid", lambda: 4_000_000)
    assert this_user() == "4000000"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("scope", ["user", "system"])
def test_systemd_finds_no_fault_in_the_text(tmp_path: Path, scope: Scope) -> None:
    program = tmp_path / "my 50% tools" / "ttctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    environ = (("XDG_STATE_HOME", '/$HOME/100%h/"q"/back\\slash ü'),)
    wish = replace(WISH, scope=scope, user="root", program=str(program), environ=environ)
    file = tmp_path / unit_name(wish)
    file.write_text(boot_unit(wish))
    flags = ["--user"] if scope == "user" else []
    done = subprocess.run(
        ["systemd-analyze", *flags, "verify", "--man=no", str(file)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if file.name in line]
    assert ours == []
