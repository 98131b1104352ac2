# SPDX-License-Identifier: Apache-2.0
"""Are keys made once and kept private, and does a rendered folder hold exactly what it must?"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters.store import StateFolder
from ttctl.errors import LockedError, PrivilegeError, TtctlError

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "compose.yaml": ("name: x\n", False),
    "build.sh": ("#!/bin/sh\n", True),
    "images/base/Dockerfile": ("FROM x\n", False),
    "site/pip.conf": ("[global]\n", False),
    "ttctl.lock": ("schema = 1\n", False),
}


@pytest.fixture
def store(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state/stacks")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Return mode and text of everything in a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            mode(path),
            "" if path.is_dir() else path.read_text(encoding="utf-8"),
        )
        for path in folder.rglob("*")
    }


def test_a_stack_that_is_forgotten_leaves_nothing_but_the_file_of_its_kernel_lock(
    store: StateFolder,
) -> None:
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        store.write_folder(store.folder("llama"), FILES, prune=True)
        assert store.stacks() == ("llama",)
        store.forget("llama")
    assert store.stacks() == ()
    assert [one.name for one in store.home("llama").iterdir()] == ["stack.flock"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_a_key_is_private_and_its_hash_is_readable_inside_a_private_folder(
    store: StateFolder, umask: int
) -> None:
    before = os.umask(umask)
    try:
        file = store.ensure_key("llama")
    finally:
        os.umask(before)
    hashes = store.secrets("llama") / "keys.map"
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700
    assert mode(store.secrets("llama")) == 0o755
    assert mode(hashes) == 0o444
    key = file.read_text(encoding="ascii").strip()
    assert len(bytes.fromhex(key)) == 32
    line, _, made = hashes.read_text(encoding="ascii").rpartition("@")
    assert line == f"{hashlib.sha256(key.encode()).hexdigest()} default@0"
    assert abs(int(made) - time.time()) < 60


def test_what_a_kill_left_half_written_goes_when_the_stack_is_held(store: StateFolder) -> None:
    home, other = store.home("llama"), store.home("other") / ".ttctl-half"
    folders = (home, home / "rendered/gateway", home / "secrets", home / "secrets/gateway")
    strays = [one / ".ttctl-half" for one in folders]
    for stray in (*strays, other):
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text("half")
    made = home / "generations/.ttctl-made/rendered"
    made.mkdir(parents=True)
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        assert not any(one.exists() for one in (*strays, made.parent))
    assert other.exists()


def test_what_a_kill_left_of_what_all_stacks_share_goes_with_any_of_them(
    store: StateFolder,
) -> None:
    # A start that was killed when it kept how long it took.
    shared = store.home("llama").parents[1] / ".ttctl-half"
    store.home("llama").mkdir(parents=True)
    shared.write_text("half")
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        assert not shared.exists()


def test_who_is_refused_the_lock_sweeps_nothing(store: StateFolder) -> None:
    half = store.home("llama") / ".ttctl-half"
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        half.write_text("what its holder writes now")
        with pytest.raises(LockedError):
            taken(store)
        assert half.exists()


def taken(store: StateFolder) -> None:
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        raise AssertionError("It is held twice.")


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o707])
@pytest.mark.parametrize("part", ["", "secrets"])
def test_no_key_is_made_where_others_could_read_it(
    store: StateFolder, part: str, mode: int
) -> None:
    folder = store.home("llama") / part
    folder.mkdir(parents=True)
    store.home("llama").chmod(0o700)
    folder.chmod(mode)
    with pytest.raises(PrivilegeError, match="others of this host") as caught:
        store.ensure_key("llama")
    assert caught.value.next_step == f"chmod 700 {folder}"
    assert [one for one in store.home("llama").rglob("*") if one.is_file()] == []


def test_a_key_is_made_once_and_differs_from_stack_to_stack(store: StateFolder) -> None:
    store.ensure_key("one")
    first = store.key("one")
    store.ensure_key("one")
    store.ensure_key("two")
    assert store.key("one") == first != store.key("two")


def test_a_key_of_the_users_own_is_kept_and_hashed(store: StateFolder) -> None:
    store.ensure_key("one")
    store.key_file("one").write_text("my-own-key\n", encoding="ascii")
    assert not store.has_key("one")
    store.ensure_key("one")
    assert store.has_key("one")
    assert store.key("one") == "my-own-key"


@pytest.mark.parametrize("damage", ["no key", "empty key", "no hash", "another hash", "no text"])
def test_a_damaged_key_is_known_and_made_good(store: StateFolder, damage: str) -> None:
    key = store.ensure_key("one")
    hashes = store.secrets("one") / "keys.map"
    match damage:
        case "no key":
            key.unlink()
        case "empty key":
            key.write_text("", encoding="ascii")
        case "no hash":
            hashes.unlink()
        case "another hash":
            hashes.chmod(0o600)
            hashes.write_text("0 default\n", encoding="ascii")
        case _:
            key.write_bytes(b"\xff\xfe\xfd")
    assert not store.has_key("one")
    store.ensure_key("one")
    assert store.has_key("one")


def test_a_key_that_is_made_good_leaves_the_named_ones(store: StateFolder) -> None:
    store.ensure_key("one")
    hashes = store.secrets("one") / "keys.map"
    hashes.chmod(0o600)
    hashes.write_text(f"{'a' * 64} ci@0@5\n", encoding="ascii")
    assert not store.has_key("one")
    store.ensure_key("one")
    assert store.has_key("one")
    assert f"{'a' * 64} ci@0@5" in hashes.read_text(encoding="ascii").splitlines()


def test_a_key_that_is_not_there_is_refused_with_the_way_to_one(store: StateFolder) -> None:
    with pytest.raises(TtctlError, match="no key that can be read") as caught:
        store.key("one")
    assert caught.value.next_step == "ttctl status one"


def test_a_rendered_folder_is_the_same_under_every_umask(tmp_path: Path) -> None:
    found = []
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            store = StateFolder(tmp_path / oct(umask))
            store.write_folder(store.folder("one"), FILES, prune=True)
        finally:
            os.umask(before)
        found.append(tree(store.folder("one")))
    assert found[0] == found[1]
    assert {path: mode for path, (mode, _) in found[0].items()} == {
        "compose.yaml": 0o644,
        "build.sh": 0o755,
        "images": 0o755,
        "images/base": 0o755,
        "images/base/Dockerfile": 0o644,
        "site": 0o755,
        "site/pip.conf": 0o600,
        "ttctl.lock": 0o644,
    }


def test_what_was_written_is_read_back(store: StateFolder) -> None:
    folder = store.folder("one")
    assert store.read_folder(folder) == {}
    store.write_folder(folder, FILES, prune=True)
    assert store.read_folder(folder) == {path: text for path, (text, _) in FILES.items()}


def test_a_file_that_holds_its_text_is_not_written_again(store: StateFolder) -> None:
    folder = store.folder("one")
    store.write_folder(folder, FILES, prune=True)
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    changed = FILES | {"compose.yaml": ("name: y\n", False)}
    store.write_folder(folder, changed, prune=True)
    after = {path: path.stat().st_ino for path in folder.rglob("*")}
    assert {path.name for path in after if after[path] != before[path]} == {"compose.yaml"}


def test_a_mode_that_was_changed_is_put_right(store: StateFolder) -> None:
    folder = store.folder("one")
    store.write_folder(folder, FILES, prune=True)
    (folder / "site/pip.conf").chmod(0o644)
    store.write_folder(folder, FILES, prune=True)
    assert mode(folder / "site/pip.conf") == 0o600


def test_the_state_folder_holds_nothing_that_is_not_rendered(store: StateFolder) -> None:
    folder = store.folder("one")
    store.write_folder(folder, FILES, prune=True)
    (folder / "old/inner").mkdir(parents=True)
    (folder / "old/inner/file").touch()
    (folder / ".ttctl-stray").touch()
    (folder / "link").symlink_to(folder.parent)
    (folder / "gone").symlink_to("nowhere")
    store.write_folder(folder, FILES, prune=True)
    assert store.read_folder(folder) == {path: text for path, (text, _) in FILES.items()}
    assert not (folder / "old").exists()
    assert folder.parent.is_dir()


def test_nothing_of_a_users_own_folder_is_removed_or_changed(
    store: StateFolder, tmp_path: Path
) -> None:
    folder, outside = tmp_path / "mine", tmp_path / "outside"
    (folder / "notes/private").mkdir(parents=True)
    (folder / "notes/private").chmod(0o700)
    (folder / "notes/a.txt").touch()
    (folder / ".ttctl-notes").touch()
    outside.mkdir()
    outside.chmod(0o700)
    (folder / "link").symlink_to(outside)
    store.write_folder(folder, FILES, prune=False)
    assert (folder / ".ttctl-notes").exists()
    assert (folder / "notes/a.txt").exists()
    assert mode(folder / "notes/private") == 0o700
    assert mode(outside) == 0o700
    assert FILES.keys() < store.read_folder(folder).keys()


def test_the_lock_is_written_last(store: StateFolder, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/site").touch()
    with pytest.raises(TtctlError):
        store.write_folder(tmp_path / "x", FILES, prune=True)
    assert not (tmp_path / "x/ttctl.lock").exists()


def test_a_stack_is_known_by_its_lock(store: StateFolder) -> None:
    assert store.stacks() == ()
    store.ensure_key("two")
    store.write_folder(store.folder("one"), FILES, prune=True)
    assert store.stacks() == ("one",)


def test_two_state_folders_have_different_owners(tmp_path: Path) -> None:
    one, two = StateFolder(tmp_path / "a"), StateFolder(tmp_path / "b")
    assert one.owner() != two.owner()
    assert one.owner() == StateFolder(tmp_path / "x/../a").owner()


def test_a_stack_is_held_by_one_command_and_other_stacks_are_free(store: StateFolder) -> None:
    reporter = FakeReporter()
    with store.exclusive("one", timeout_s=0, reporter=reporter):
        with store.exclusive("two", timeout_s=0, reporter=reporter):
            pass
        with (
            pytest.raises(LockedError),
            store.exclusive("one", timeout_s=0, reporter=reporter),
        ):
            pass
