# SPDX-License-Identifier: Apache-2.0
"""Are roles read, the user's own before the shipped ones, and bad files refused?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.roles import LARGEST_BYTES, read_roles
from ttctl.cli.shelf import WiredShelf
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = places.shipped() / "controller" / "talk" / "roles"


def test_the_shipped_roles_are_short_and_have_the_usual_names(tmp_path: Path) -> None:
    found = {role.name: role for role in read_roles(SHIPPED, tmp_path)}
    assert {"coding", "teacher"} <= found.keys()
    assert all(role.source == "shipped" and 40 < len(role.text) < 1500 for role in found.values())


def test_a_role_of_the_users_own_wins_and_others_are_added(tmp_path: Path) -> None:
    (tmp_path / "coding.md").write_text("# Mine\nOnly Rust.\n")
    (tmp_path / "pirate.md").write_text("Arr.\n")
    (tmp_path / "notes.txt").write_text("no role")
    (tmp_path / ".hidden.md").write_text("no role")
    found = {role.name: role for role in read_roles(SHIPPED, tmp_path)}
    assert found["coding"].text == "# Mine\nOnly Rust."
    assert found["coding"].title == "Mine"
    assert found["pirate"].source == str(tmp_path / "pirate.md")
    assert not {"notes", ".hidden"} & found.keys()


def test_a_file_whose_name_is_no_roles_is_told_of_once(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    own = places.config(environ).parent / "roles"
    own.mkdir(parents=True)
    for name in ("my role.md", "l\u00f6we.md", "good.md", ".hidden.md", "notes.txt"):
        (own / name).write_text("Arr.")
    notes: list[str] = []
    shelf = WiredShelf(environ, note=notes.append)
    assert "good" in {one.name for one in (*shelf.roles(), *shelf.roles())}
    assert [one.partition(" is no role: ")[0] for one in notes] == [
        repr(str(own / "l\u00f6we.md")),
        repr(str(own / "my role.md")),
    ]
    assert "A-Z, a-z, 0-9" in notes[0]


@pytest.mark.parametrize(
    "raw",
    [b"", b" \n", b"\xff\xfe", b"x" * (LARGEST_BYTES + 1)],
    ids=["empty", "blank", "no text", "large"],
)
def test_a_file_that_is_no_role_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "mine.md").write_bytes(raw)
    with pytest.raises(BadFileError, match="The role 'mine' cannot be read"):
        read_roles(SHIPPED, tmp_path)
