# SPDX-License-Identifier: Apache-2.0
"""Does `ttctl completion` print a script that its shell can read, and put it into place?"""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ttctl.cli.app import run_command
from ttctl.cli.completion import Shell, script
from ttctl.cli.door import COMPLETE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run_command(["completion", *words], frozenset({"as_json"})) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)["data"]
    return data


@pytest.mark.parametrize("shell", Shell)
def test_the_script_is_printed_as_it_is_and_asks_through_the_variable(
    capsys: pytest.CaptureFixture[str], shell: Shell
) -> None:
    assert run_command(["completion", shell], frozenset()) == 0
    out = capsys.readouterr().out
    assert out == script(shell)
    assert f"{COMPLETE}={shell}_complete" in out
    assert "%" not in out


def test_bash_reads_its_script() -> None:
    subprocess.run(["bash", "-n"], input=script("bash"), text=True, check=True)


def test_the_script_of_zsh_works_as_a_function_of_fpath_more_than_once() -> None:
    assert "if [[ $funcstack[1] == _ttctl ]]; then" in script("zsh")
    assert "loadautofunc" not in script("zsh")


@pytest.mark.parametrize("shell", Shell)
def test_it_is_put_into_place_and_taken_away(
    capsys: pytest.CaptureFixture[str], shell: Shell
) -> None:
    assert run(capsys, shell, "--install", "--dry-run")["state"] == "written"
    written = run(capsys, shell, "--install")
    assert Path(written["path"]).read_text() == written["text"] == script(shell)
    assert written["further"]
    assert run(capsys, shell, "--install")["state"] == "unchanged"
    assert run(capsys, shell, "--uninstall")["state"] == "removed"
    assert not Path(written["path"]).exists()
    assert run(capsys, shell, "--uninstall")["state"] == "absent"


def test_people_are_told_where_it_is_and_what_zsh_needs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run_command(["completion", "zsh", "--install", "--dry-run"], frozenset())
    folder = tmp_path / "zsh" / "site-functions"
    assert capsys.readouterr().out == (
        f"{folder}/_ttctl would be written.\n"
        f"Put into ~/.zshrc, before compinit: fpath=({folder} $fpath)\n"
    )


def test_both_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["completion", "zsh", "--install", "--uninstall"], frozenset()) == 2
    assert "exclude each other" in capsys.readouterr().err
