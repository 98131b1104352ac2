# SPDX-License-Identifier: Apache-2.0
"""Can an engine's container write its cache, and nobody else of this machine?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.engine_files import LocalEngineFiles
from ttctl.errors import PrivilegeError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("", "tt_metal_cache", "dit/Flux/N300")
NAME = "tt_transformers-Llama-8B"


@pytest.fixture
def files(tmp_path: Path) -> LocalEngineFiles:
    return LocalEngineFiles(
        tmp_path / "cache/engines",
        home=lambda stack: tmp_path / "state" / stack,
        secrets=lambda stack: tmp_path / "state" / stack / "secrets/gateway",
    )


@pytest.fixture
def _tight() -> Iterator[None]:
    """Let this user's files be nobody else's by default."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.usefixtures("_tight")
def test_everybody_may_write_inside_of_a_folder_that_only_its_user_may_enter(
    files: LocalEngineFiles,
) -> None:
    files.prepare(NAME, FOLDERS, user=os.getuid())
    cache = files.cache(NAME)
    assert mode(cache.parent) == 0o700
    inside = [cache, *(path for path in cache.rglob("*") if path.is_dir())]
    assert {path.relative_to(cache).as_posix() for path in inside} == {
        ".", "tt_metal_cache", "dit", "dit/Flux", "dit/Flux/N300",
    }  # fmt: skip
    assert {mode(path) for path in inside} == {0o777}


def test_what_is_there_stays_as_its_engine_left_it(files: LocalEngineFiles) -> None:
    files.prepare(NAME, FOLDERS, user=None)
    kept = files.cache(NAME) / "tt_metal_cache/kernel.bin"
    kept.write_bytes(b"x")
    kept.parent.chmod(0o755)
    files.prepare(NAME, FOLDERS, user=None)
    assert kept.read_bytes() == b"x"
    assert mode(kept.parent) == 0o755


def test_a_folder_of_another_user_is_named_before_a_start_and_how_to_open_it(
    files: LocalEngineFiles,
) -> None:
    files.prepare(NAME, FOLDERS, user=None)
    foreign = files.cache(NAME) / "dit"
    foreign.chmod(0o755)
    with pytest.raises(PrivilegeError, match="belongs to another user") as caught:
        files.prepare(NAME, FOLDERS, user=os.getuid() + 1)
    assert str(foreign) in caught.value.evidence
    assert f"it runs as {os.getuid() + 1}" in caught.value.evidence
    assert caught.value.next_step == f"sudo chmod -R o+rwX {files.cache(NAME)}"
    # What an image's own entrypoint puts right is no obstacle.
    files.prepare(NAME, FOLDERS, user=None)
    foreign.chmod(0o757)
    files.prepare(NAME, FOLDERS, user=os.getuid() + 1)


def test_a_link_out_of_the_cache_is_not_followed(files: LocalEngineFiles, tmp_path: Path) -> None:
    outside = tmp_path / "outside/closed"
    outside.mkdir(parents=True)
    outside.chmod(0o700)
    files.prepare(NAME, (), user=None)
    files.prepare(NAME, ("a",), user=None)
    (files.cache(NAME) / "link").symlink_to(outside.parent)
    files.prepare(NAME, ("a",), user=os.getuid() + 1)


def test_a_file_in_the_place_of_a_folder_is_said_with_the_folder(files: LocalEngineFiles) -> None:
    files.prepare(NAME, ("a",), user=None)
    (files.cache(NAME) / "dit").write_text("x")
    with pytest.raises(TtctlError, match="cannot be made") as caught:
        files.prepare(NAME, ("dit/Flux",), user=None)
    assert str(files.cache(NAME) / "dit") in caught.value.evidence


@pytest.mark.usefixtures("_tight")
def test_a_key_is_read_by_engine_and_gateway_below_a_folder_of_the_user_alone(
    files: LocalEngineFiles,
) -> None:
    files.ensure_key("llama")
    folder = files.secrets("llama")
    key = (folder / "key").read_text(encoding="ascii").strip()
    gateway = folder.parent / "gateway/engine.map"
    assert (len(key), gateway.read_text(encoding="ascii")) == (64, f"engine {key}\n")
    assert [mode(path) for path in (folder.parent, folder, folder / "key", gateway)] == [
        0o700, 0o755, 0o444, 0o444,
    ]  # fmt: skip


def test_a_key_that_was_made_stays_and_the_gateway_is_told_again(files: LocalEngineFiles) -> None:
    files.ensure_key("llama")
    gateway = files.secrets("llama").parent / "gateway/engine.map"
    before = gateway.read_text(encoding="ascii")
    gateway.unlink()
    files.ensure_key("llama")
    assert gateway.read_text(encoding="ascii") == before
    files.ensure_key("other")
    other = files.secrets("other").parent / "gateway/engine.map"
    assert other.read_text(encoding="ascii") != before


@pytest.mark.parametrize("part", ["llama", "llama/secrets"])
def test_no_key_of_an_engine_is_made_where_others_could_read_it(
    files: LocalEngineFiles, tmp_path: Path, part: str
) -> None:
    (tmp_path / "state/llama/secrets").mkdir(parents=True)
    for one in ("llama/secrets", "llama"):
        (tmp_path / "state" / one).chmod(0o755 if one == part else 0o700)
    with pytest.raises(PrivilegeError, match="others of this host") as caught:
        files.ensure_key("llama")
    assert caught.value.next_step == f"chmod 700 {tmp_path / 'state' / part}"
    assert not files.secrets("llama").exists()


def test_an_empty_key_is_made_anew(files: LocalEngineFiles) -> None:
    files.ensure_key("llama")
    key = files.secrets("llama") / "key"
    key.chmod(0o644)
    key.write_text("\n")
    files.ensure_key("llama")
    assert len(key.read_text(encoding="ascii").strip()) == 64


def test_caches_are_listed_with_the_size_of_their_files_each_counted_once(
    files: LocalEngineFiles, tmp_path: Path
) -> None:
    assert files.caches() == ()
    files.prepare(NAME, ("a", "b"), user=None)
    files.prepare("empty", ("a",), user=None)
    cache = files.cache(NAME)
    (cache / "a/one").write_bytes(b"x" * 1000)
    os.link(cache / "a/one", cache / "b/again")
    (cache / "b/two").write_bytes(b"x" * 10)
    (tmp_path / "cache/engines/a-file").write_text("no cache")
    assert [(one.name, one.size_bytes) for one in files.caches()] == [("empty", 0), (NAME, 1010)]
    assert files.caches()[1].path == cache
