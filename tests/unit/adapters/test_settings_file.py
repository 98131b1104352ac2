# SPDX-License-Identifier: Apache-2.0
"""Does a change of one setting leave every other byte of the file alone?"""

from __future__ import annotations

import os
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.fakes import FakeReporter

from ttctl.adapters import settings_file
from ttctl.adapters.settings_file import TomlSettingsFile
from ttctl.errors import BadFileError, LockedError, TtctlError
from ttctl.model.settings import SETTINGS
from ttctl.operations.settings import change, remove

if TYPE_CHECKING:
    from pathlib import Path

REPAIR = "ttctl config edit"
ROUNDS = 8
FIRST = 1024 - ROUNDS
"""What a port, a length and a number of requests can be, with each round's after it."""
PORT = SETTINGS["up.port"]

LINES = {
    "up": ("port = 8000", "model = 'llama'", 'name = "mine"  # why', "max_num_seqs   =  4"),
    "site": (
        "registry = 'r.example.org'",
        "wheelhouses = [\n  '/a',  # one\n  '/b',\n]",
        "offline = true",
        'apt_sources = """\ndeb a b c\n# no comment\n"""',
    ),
    "chat": ("temperature = 0.5", "system = '# [up]'"),
}
BETWEEN = st.lists(
    st.sampled_from(["", "# a comment", "  # another", "# port = 1", "# [up]"]), max_size=3
)


@st.composite
def settings_files(draw: st.DrawFn) -> str:
    """Return a small file: tables in any order, keys, comments and blank lines in between."""
    lines = list(draw(BETWEEN))
    for table in draw(st.permutations(list(LINES)))[: draw(st.integers(0, 3))]:
        lines.append(draw(st.sampled_from([f"[{table}]", f"[ {table} ] # the {table}"])))
        for line in draw(st.lists(st.sampled_from(LINES[table]), unique=True)):
            lines += [*draw(BETWEEN), draw(st.sampled_from(["", "  "])) + line]
        lines += draw(BETWEEN)
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "", "\n\n"]))
    return text.replace("\n", ends)


def file_at(path: Path) -> TomlSettingsFile:
    lock = path.parent / "state" / "settings.flock"
    return TomlSettingsFile(path, home="/h", repair=REPAIR, lock=lock, reporter=FakeReporter())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> TomlSettingsFile:
    return file_at(tmp_path_factory.mktemp("settings") / "config.toml")


CHANGES: dict[str, Any] = {
    "up.port": 8123,
    "up.model": "other",
    "site.registry": "m.example.org",
    "site.offline": False,
    "site.wheelhouses": ("/c", "/d"),
    "chat.temperature": 1.5,
    "output.color": "never",
}


@given(settings_files(), st.sampled_from(sorted(CHANGES)))
def test_what_is_set_is_added_or_put_in_the_place_of_the_old_value(
    file: TomlSettingsFile, text: str, key: str
) -> None:
    setting, value = SETTINGS[key], CHANGES[key]
    before = tomllib.loads(text)
    after = file.with_value(text, setting, value)
    expected = {table: dict(values) for table, values in before.items()}
    wanted = list(value) if isinstance(value, tuple) else value
    expected.setdefault(setting.table, {})[setting.name] = wanted
    assert tomllib.loads(after) == expected
    old, new = text.splitlines(), after.splitlines()
    if setting.name in before.get(setting.table, {}):
        assert surrounding(old, new) <= (4 if setting.kind == "paths" else 1)
    else:
        # Nothing of the old lines is gone or moved: only new ones stand among them.
        rest = iter(new)
        assert all(line in rest for line in old)
        assert len(new) - len(old) <= 3
    ends = "\r\n" if "\r\n" in text else "\n"
    assert after.replace(ends, "").count("\n") == 0


def surrounding(old: list[str], new: list[str]) -> int:
    """Return how many of the old lines are not also at the start or the end of the new ones."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    end = 0
    while end < min(len(old), len(new)) - same and old[-1 - end] == new[-1 - end]:
        end += 1
    return len(old) - same - end


@given(settings_files(), st.sampled_from(sorted(CHANGES)))
def test_what_is_set_and_unset_again_leaves_the_lines_as_they_were(
    file: TomlSettingsFile, text: str, key: str
) -> None:
    setting = SETTINGS[key]
    before = tomllib.loads(text)
    assume(setting.name not in before.get(setting.table, {}))
    assume(setting.table in before)
    there = file.with_value(text, setting, CHANGES[key])
    assert file.with_value(there, setting, None).splitlines() == text.splitlines()


@given(settings_files(), st.sampled_from(sorted(CHANGES)))
def test_what_is_unset_takes_its_own_lines_and_no_other(
    file: TomlSettingsFile, text: str, key: str
) -> None:
    setting = SETTINGS[key]
    before = tomllib.loads(text)
    after = file.with_value(text, setting, None)
    if setting.name not in before.get(setting.table, {}):
        assert after == text
        return
    del before[setting.table][setting.name]
    assert tomllib.loads(after) == before
    rest = iter(text.splitlines())
    assert all(line in rest for line in after.splitlines())
    gone = len(text.splitlines()) - len(after.splitlines())
    assert gone == (4 if setting.kind == "paths" else 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "[up]\nport = 1\n", id="no file"),
        pytest.param("[up]\nport = 5  # why\n", "[up]\nport = 1  # why\n", id="comment behind"),
        pytest.param("up.port = 5\n", "up.port = 1\n", id="dotted"),
        pytest.param(
            "up.model = 'a'\n\n[site]\n",
            "up.model = 'a'\nup.port = 1\n\n[site]\n",
            id="dotted, another key",
        ),
        pytest.param("up = {port = 5} # c\n", "up = {port = 1} # c\n", id="inline"),
        pytest.param("'up'.\"port\" = 5\n", "'up'.\"port\" = 1\n", id="quoted"),
        pytest.param(
            "[up]\nmodel = 'a'\n\n# the site\n[site]\n",
            "[up]\nmodel = 'a'\nport = 1\n\n# the site\n[site]\n",
            id="before the next table's comment",
        ),
        pytest.param("[up]\r\n", "[up]\r\nport = 1\r\n", id="line ends of another system"),
        pytest.param("[up]\nmodel = 'a'", "[up]\nmodel = 'a'\nport = 1\n", id="no last line end"),
        pytest.param("# head\n", "# head\n\n[up]\nport = 1\n", id="only a comment"),
    ],
)
def test_the_place_of_a_value_is_where_a_person_would_put_it(
    file: TomlSettingsFile, text: str, expected: str
) -> None:
    assert file.with_value(text, PORT, 1) == expected


def test_the_same_value_changes_nothing(file: TomlSettingsFile) -> None:
    text = "[up]\nport   =   1\n[site]\nwheelhouses = [ '/a' ]\n"
    assert file.with_value(text, PORT, 1) == text
    assert file.with_value(text, SETTINGS["site.wheelhouses"], ("/a",)) == text


def test_a_file_with_a_password_is_for_its_owner_alone(tmp_path: Path) -> None:
    one = file_at(tmp_path / "new" / "folder" / "config.toml")
    path = tmp_path / "new" / "folder" / "config.toml"
    one.write("[up]\nport = 1\n")
    assert path.stat().st_mode & 0o777 == 0o644
    one.write("[site]\nhttps_proxy = 'http://me:secret@p:1'\n")
    assert path.stat().st_mode & 0o777 == 0o600
    one.write("[up]\nport = 1\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["config.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("")
    (tmp_path / "config.toml").symlink_to(tmp_path / "real.toml")
    file_at(tmp_path / "config.toml").write("[up]\n")
    assert (tmp_path / "config.toml").is_symlink()
    assert (tmp_path / "real.toml").read_text() == "[up]\n"


def test_line_ends_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(b"[up]\r\n")
    assert file_at(tmp_path / "c.toml").text() == "[up]\r\n"
    assert file_at(tmp_path / "none.toml").text() == ""


@pytest.mark.parametrize("kind", ["folder", "device", "bytes"])
def test_what_is_no_text_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "bytes":
        path.write_bytes(b"\xff")
    else:
        path = type(tmp_path)(os.devnull)
    with pytest.raises(BadFileError, match="cannot be changed") as caught:
        file_at(path).text()
    assert caught.value.next_step == f"ls -l {path}"


def test_a_text_that_is_no_settings_file_is_refused(file: TomlSettingsFile) -> None:
    file.check("[up]\nport = 1\n")
    for wrong in ("[up", "[up]\nprot = 1\n", "[[up]]\nport = 1\n"):
        with pytest.raises(BadFileError, match=r"not valid TOML|does not hold"):
            file.check(wrong)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TtctlError, match="could not be written"):
        file_at(tmp_path / "file" / "config.toml").write("[up]\n")


def test_changes_at_once_are_all_kept(tmp_path: Path) -> None:
    keys = ("up.port", "up.max_num_seqs", "up.max_model_len")
    path, together = tmp_path / "ttctl.toml", threading.Barrier(len(keys))

    def count(key: str) -> list[int]:
        seen: list[int] = []
        for number in range(ROUNDS):
            together.wait(timeout=30)
            change(file_at(path), SETTINGS[key], FIRST + number)
            together.wait(timeout=30)
            seen.append(tomllib.loads(path.read_text())["up"].get(key.partition(".")[2]))
        together.wait(timeout=30)
        remove(file_at(path), key)
        return seen

    with ThreadPoolExecutor(len(keys)) as pool:
        seen = list(pool.map(count, keys))
    assert seen == [list(range(FIRST, FIRST + ROUNDS))] * len(keys)
    assert not tomllib.loads(path.read_text()).get("up")


def test_a_file_that_another_command_holds_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_file, "LOCK_S", 0)
    path = tmp_path / "ttctl.toml"
    with file_at(path).exclusive(), pytest.raises(LockedError, match="being changed") as caught:
        change(file_at(path), PORT, 8001)
    assert (path.exists(), caught.value.next_step) == (False, f"ls -l {path}")
    assert change(file_at(path), PORT, 8001, dry_run=True).changed
