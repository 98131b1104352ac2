# SPDX-License-Identifier: Apache-2.0
"""Does the user's own editor get a private copy, and its failure a name?"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.editor import edit_text
from ttctl.adapters.process import run_in_terminal
from ttctl.errors import ToolMissingError, TtctlError, WaitError

if TYPE_CHECKING:
    from pathlib import Path


def program(tmp_path: Path, code: str, name: str = "my editor") -> str:
    """Return how a program that edits the file of its last argument is called."""
    path = tmp_path / name
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\nfrom pathlib import Path\n"
        f"file = Path(sys.argv[-1])\n{code}\n"
    )
    path.chmod(0o755)
    return f"'{path}'"


def environ(**values: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **values}


def test_the_text_that_the_editor_leaves_is_returned(tmp_path: Path) -> None:
    editor = program(tmp_path, "file.write_text(file.read_text() + sys.argv[1])")
    assert edit_text("a\n", environ(EDITOR=f"{editor} --wait")) == "a\n--wait"


def test_visual_comes_before_editor_and_an_empty_one_is_none(tmp_path: Path) -> None:
    one = program(tmp_path, "file.write_text('one')", "one")
    other = program(tmp_path, "file.write_text('other')", "other")
    assert edit_text("", environ(VISUAL=one, EDITOR=other)) == "one"
    assert edit_text("", environ(VISUAL=" ", EDITOR=other)) == "other"


def test_without_either_it_is_vi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "file.write_text('by vi')", "vi")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert edit_text("", {"PATH": os.environ["PATH"]}) == "by vi"


def test_the_copy_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = (
        f"Path({str(seen)!r}).write_text(f'{{file}} {{file.stat().st_mode & 0o777:o}} '"
        " f'{file.parent.stat().st_mode & 0o777:o}')"
    )
    edit_text("secret", environ(EDITOR=program(tmp_path, code)))
    path, mode, folder = seen.read_text().split()
    assert (mode, folder) == ("600", "700")
    assert path.endswith(".toml")
    assert not os.path.exists(path)  # noqa: PTH110 - a text


@pytest.mark.parametrize(
    ("code", "why"),
    [
        pytest.param("sys.exit(3)", "It ended with 3.", id="a code"),
        pytest.param("file.unlink()", "No such file", id="no file"),
        pytest.param(r"file.write_bytes(b'\xff')", "invalid start byte", id="no text"),
    ],
)
def test_an_editor_that_fails_is_named(tmp_path: Path, code: str, why: str) -> None:
    with pytest.raises(TtctlError, match="failed") as caught:
        edit_text("", environ(EDITOR=program(tmp_path, code)))
    assert why in caught.value.why


@pytest.mark.parametrize("name", ["no-such-editor", "no-such 'editor"])
def test_an_editor_that_is_not_there_is_a_missing_tool(name: str) -> None:
    with pytest.raises(ToolMissingError, match="no-such") as caught:
        edit_text("", environ(EDITOR=name), again="ttctl config edit --project")
    step = caught.value.next_step
    assert step == "ttctl config set --help" or (
        step.startswith("VISUAL=") and step.endswith(" ttctl config edit --project")
    )


def test_where_no_other_editor_is_installed_the_settings_are_set_by_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError) as caught:
        edit_text("", environ(EDITOR="nosuched"))
    assert caught.value.next_step == "ttctl config set --help"
    program(tmp_path, "", "nano")
    with pytest.raises(ToolMissingError) as caught:
        edit_text("", environ(EDITOR="nosuched"))
    assert caught.value.next_step == "VISUAL=nano ttctl config edit"


def test_a_program_that_stays_open_has_a_limit() -> None:
    with pytest.raises(WaitError, match="did not end"):
        run_in_terminal(["sleep", "60"], timeout_s=0.2, environ=environ(), next_step="")
