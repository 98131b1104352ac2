# SPDX-License-Identifier: Apache-2.0
"""Are keys kept as hashes, in one step, and only where nobody else gets at them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.key_ring import KeyFolders, sha256_of
from ttctl.adapters.store import StateFolder
from ttctl.errors import PrivilegeError
from ttctl.model.keys import KeyRow
from ttctl.rules.keys import rotated

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = """#!/bin/sh
printf '%s\\n' "$@" >{seen}
env >>{seen}
echo 'keys: said'
exit {code}
"""


@pytest.fixture
def store(tmp_path: Path) -> StateFolder:
    found = StateFolder(tmp_path / "stacks")
    (tmp_path / "stacks/llama").mkdir(parents=True, mode=0o700)
    return found


def ring(store: StateFolder, **environ: str) -> KeyFolders:
    return KeyFolders(store.home, environ)


def test_a_new_key_is_another_each_time_and_only_its_hash_is_written(store: StateFolder) -> None:
    keys = ring(store)
    (key, sha256), (other, _) = keys.new_key(), keys.new_key()
    assert key != other
    assert sha256 == sha256_of(key)
    store.ensure_key("llama")
    keys.write("llama", (*keys.read("llama").rows, KeyRow(name="ci", sha256=sha256)))
    texts = [path.read_text() for path in store.home("llama").rglob("*") if path.is_file()]
    assert not [text for text in texts if key in text]
    assert keys.read("llama").rows[1] == KeyRow(name="ci", sha256=sha256)


def test_the_map_keeps_its_rights_and_what_the_next_up_looks_for(store: StateFolder) -> None:
    store.ensure_key("llama")
    keys = ring(store)
    rows = (*keys.read("llama").rows, KeyRow(name="ci", sha256="a" * 64, until=9))
    keys.write("llama", rows)
    assert (store.secrets("llama") / "keys.map").stat().st_mode & 0o777 == 0o444
    assert store.has_key("llama")
    store.ensure_key("llama")
    assert keys.read("llama").rows == rows


def test_the_own_key_is_exchanged_in_its_file(store: StateFolder) -> None:
    store.ensure_key("llama")
    keys = ring(store)
    key, sha256 = keys.new_key()
    keys.set_own("llama", key)
    assert store.key("llama") == key
    assert store.key_file("llama").stat().st_mode & 0o777 == 0o600
    assert keys.read("llama").own_sha256 == sha256
    assert not store.has_key("llama")


def test_an_exchange_that_was_killed_is_mended_by_the_next_up(store: StateFolder) -> None:
    store.ensure_key("llama")
    keys = ring(store)
    (own,) = keys.read("llama").rows
    longer = rotated((own,), "default", keys.new_key()[1], now=own.made, keep_s=60)
    keys.write("llama", longer)
    # With which `up` makes the gateway anew.
    assert not store.has_key("llama")
    store.ensure_key("llama")
    assert keys.read("llama").rows == (own,)


def test_a_stack_without_keys_has_an_empty_ring(store: StateFolder) -> None:
    found = ring(store).read("llama")
    assert (found.rows, found.own_sha256) == ((), "")


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o707])
@pytest.mark.parametrize("part", ["", "secrets"])
def test_a_folder_that_others_can_get_into_is_refused(
    store: StateFolder, part: str, mode: int
) -> None:
    store.ensure_key("llama")
    folder = store.home("llama") / part
    folder.chmod(mode)
    with pytest.raises(PrivilegeError, match="others of this host") as caught:
        ring(store).read("llama")
    assert caught.value.next_step == f"chmod 700 {folder}"
    assert f"{mode:04o}" in caught.value.evidence


def test_a_key_that_others_can_read_is_refused(store: StateFolder) -> None:
    store.ensure_key("llama").chmod(0o644)
    with pytest.raises(PrivilegeError) as caught:
        ring(store).read("llama")
    assert caught.value.next_step == f"chmod 600 {store.key_file('llama')}"


@pytest.mark.parametrize("code", [0, 1, 127])
def test_a_gateway_is_told_by_docker_without_a_hash_in_its_words(
    store: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    seen, docker = tmp_path / "seen", tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(seen=seen, code=code))
    docker.chmod(0o755)
    path = f"{docker.parent}:/usr/bin:/bin"
    keys = ring(store, PATH=path, DOCKER_HOST="unix:///x", TT_METAL_HOME="x")
    monkeypatch.setenv("PATH", path)
    assert keys.tell("ttctl-llama-gateway-1") == (code, "keys: said")
    words = seen.read_text().splitlines()
    assert words[:3] == ["exec", "ttctl-llama-gateway-1", "/usr/local/bin/keys"]
    assert "DOCKER_HOST=unix:///x" in words
    assert not [word for word in words if "TT_METAL_HOME" in word]
