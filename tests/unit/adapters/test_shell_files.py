# SPDX-License-Identifier: Apache-2.0
"""Is a script put where a shell looks for it, once, and taken away again, and nothing else?"""

from __future__ import annotations

from pathlib import Path

import pytest

from ttctl.adapters.shell_files import install, script_path, uninstall
from ttctl.errors import TtctlError

TEXT = "complete with _TTCTL_COMPLETE\n"


@pytest.mark.parametrize(
    ("shell", "own", "default"),
    [
        ("bash", "data/bash-completion/completions/ttctl", ".local/share/bash-completion"),
        ("zsh", "data/zsh/site-functions/_ttctl", ".local/share/zsh"),
        ("fish", "config/fish/completions/ttctl.fish", ".config/fish"),
    ],
)
def test_each_shell_has_its_folder_and_xdg_moves_it(shell: str, own: str, default: str) -> None:
    moved = {"XDG_DATA_HOME": "/x/data", "XDG_CONFIG_HOME": "/x/config"}
    assert script_path(shell, moved) == Path("/x") / own
    assert script_path(shell, {"XDG_DATA_HOME": "relative"}).is_relative_to(Path.home() / default)


def test_a_script_is_written_once_and_removed_once(tmp_path: Path) -> None:
    path = tmp_path / "a" / "ttctl"
    assert install(path, TEXT, dry_run=False) == "written"
    assert path.read_text() == TEXT
    assert install(path, TEXT, dry_run=False) == "unchanged"
    assert install(path, TEXT + "more\n", dry_run=False) == "written"
    assert uninstall(path, dry_run=False) == "removed"
    assert list((tmp_path / "a").iterdir()) == []
    assert uninstall(path, dry_run=False) == "absent"


def test_a_dry_run_says_the_same_and_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a" / "ttctl"
    assert install(path, TEXT, dry_run=True) == "written"
    assert not path.parent.exists()
    install(path, TEXT, dry_run=False)
    assert uninstall(path, dry_run=True) == "removed"
    assert path.read_text() == TEXT


def test_somebody_elses_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ttctl"
    path.write_text("mine\n")
    for refused in (
        lambda: install(path, TEXT, dry_run=False),
        lambda: uninstall(path, dry_run=False),
    ):
        with pytest.raises(TtctlError, match=r"is not a script of ttctl's") as caught:
            refused()
        assert caught.value.next_step == f"mv {path} {path}.old"
    assert path.read_text() == "mine\n"


def test_a_file_system_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "ttctl").mkdir()
    with pytest.raises(TtctlError, match="could not be read or removed"):
        install(tmp_path / "ttctl", TEXT, dry_run=False)
