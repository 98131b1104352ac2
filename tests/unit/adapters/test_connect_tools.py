# SPDX-License-Identifier: Apache-2.0
"""Are settings read back before they are written, and is a file the user's alone?"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.connect_tools import ConnectTools
from ttctl.errors import BadFileError, TtctlError

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = """
schema = 1
[tools.one]
title = "one"
use = "ttctl connect one"
file = ""
form = "{form}"
template = "one.j2"
source = "https://example.org"
"""


def made(tmp_path: Path, template: str, form: str = "yaml") -> ConnectTools:
    (tmp_path / "tools.toml").write_text(ENTRY.format(form=form))
    (tmp_path / "one.j2").write_text(template)
    return ConnectTools(tmp_path)


@pytest.mark.parametrize(
    ("template", "form"),
    [
        pytest.param("a: [", "yaml", id="YAML that does not parse"),
        pytest.param("just words", "yaml", id="YAML that holds no settings"),
        pytest.param("a = (", "python", id="Python"),
        pytest.param("a='", "sh", id="shell"),
        pytest.param("a: {{ unknown }}", "yaml", id="a name that it does not get"),
        pytest.param("a: {{", "yaml", id="a template that does not parse"),
    ],
)
def test_what_does_not_read_back_is_refused(tmp_path: Path, template: str, form: str) -> None:
    tools = made(tmp_path, template, form)
    with pytest.raises(BadFileError, match="settings of 'one'"):
        tools.render(tools.known()[0], {})


def test_an_entry_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    made(tmp_path, "")
    with (tmp_path / "tools.toml").open("a") as file:
        file.write('colour = "red"\n')
    with pytest.raises(BadFileError):
        ConnectTools(tmp_path).known()


def test_a_file_is_written_for_the_user_alone(tmp_path: Path) -> None:
    tools = made(tmp_path, "a: 1")
    target = tmp_path / "new" / "file"
    assert tools.read(target) is None
    tools.write(target, "a: 1\n")
    assert tools.read(target) == "a: 1\n"
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_link_that_leads_nowhere_is_somebodys(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    assert made(tmp_path, "").read(link) == ""


def test_a_folder_in_the_place_of_a_file_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(TtctlError, match="cannot be read"):
        made(tmp_path, "").read(tmp_path)


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize("value", ["plain", "it's", "back\\slash", "$HOME (date)", "\\'"])
def test_fish_reads_a_quoted_value(tmp_path: Path, value: str) -> None:
    tools = made(tmp_path, "printf %s {{ value | fish }}", "fish")
    text = tools.render(tools.known()[0], {"value": value})
    done = subprocess.run(["fish", "--no-config", "-c", text], capture_output=True, check=True)
    assert done.stdout.decode() == value
