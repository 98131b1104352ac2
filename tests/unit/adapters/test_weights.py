# SPDX-License-Identifier: Apache-2.0
"""The store of weights, against a small hub on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.fake_hub import FakeHub, Fault
from tests.standins.weights import FILES, FIRST, TINY, Notes, site_of, store_in

from ttctl.errors import BadFileError, OfflineError
from ttctl.model.lock import LockedWeights
from ttctl.model.site import Site, Sourced
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.adapters.weights import LocalWeights

DEMO = Weights(kind="bundled", repository="demo")


pytestmark = pytest.mark.usefixtures("no_token")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "images" / "demo"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "x.pyc").touch()
    (folder / "config.json").write_bytes(b"{}")
    (folder / "model.safetensors").write_bytes(FIRST)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> LocalWeights:
    return store_in(tmp_path)


def partials(store: LocalWeights, locked: LockedWeights) -> list[str]:
    return sorted(one.name for one in store.path(locked).parent.glob(".partial-*"))


def fetched(store: LocalWeights, hub: FakeHub) -> LockedWeights:
    locked = store.resolve(TINY, site_of(hub))
    store.fetch(locked, site_of(hub), Notes())
    return locked


def test_fetched_weights_are_whole_and_lie_under_their_commit(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    locked = store.resolve(TINY, site_of(hub))
    notes = Notes()
    assert not store.is_complete(locked)
    store.fetch(locked, site_of(hub), notes)
    assert store.is_complete(locked)
    folder = store.path(locked)
    assert folder == tmp_path / "cache" / "acme--tiny" / locked.revision
    assert {one.name: one.read_bytes() for one in folder.iterdir() if one.name in FILES} == FILES
    assert sorted(one.name for one in folder.iterdir()) == sorted([*FILES, "manifest.json"])
    total = sum(len(one) for one in FILES.values())
    assert notes.counts[-1] == (total, total, "bytes")
    assert partials(store, locked) == []


def test_the_commit_of_the_lock_is_fetched_when_the_branch_has_moved_on(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = store.resolve(TINY, site_of(hub))
    old = hub.repositories["acme/tiny"]
    hub.add("acme/tiny", {"model.safetensors": b"new"}, large=set())
    with pytest.raises(BadFileError):
        store.fetch(locked, site_of(hub), Notes())
    hub.repositories["acme/tiny"] = old
    store.fetch(locked, site_of(hub), Notes())
    paths = [one.path for one in hub.seen if "/resolve/" in one.path]
    assert all(f"/resolve/{locked.revision}/" in one for one in paths)


def test_a_second_fetch_asks_nobody(store: LocalWeights, hub: FakeHub) -> None:
    locked = fetched(store, hub)
    asked = len(hub.seen)
    store.fetch(locked, site_of(hub), Notes())
    assert len(hub.seen) == asked


def test_a_commit_that_is_complete_here_is_not_asked_for(store: LocalWeights, hub: FakeHub) -> None:
    locked = fetched(store, hub)
    asked = len(hub.seen)
    pinned = Weights(kind="hub", repository="acme/tiny", revision=locked.revision)
    cached = store.resolve(pinned, site_of(hub))
    assert cached.revision == locked.revision
    assert all(one.sha256 for one in cached.files)
    assert len(hub.seen) == asked


def test_a_lock_without_files_is_never_complete_and_never_fetched(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = LockedWeights(kind="hub", repository="acme/tiny", revision="a" * 40, files=())
    with pytest.raises(BadFileError, match="names no file"):
        store.fetch(locked, site_of(hub), Notes())
    assert not store.is_complete(locked)


def test_a_folder_that_was_copied_is_read_once_and_taken(store: LocalWeights, hub: FakeHub) -> None:
    locked = fetched(store, hub)
    record = store.path(locked) / "manifest.json"
    os.utime(store.path(locked) / "one.safetensors", (1, 1))
    before = record.read_text(encoding="utf-8")
    assert store.is_complete(locked)
    assert record.read_text(encoding="utf-8") != before


def test_without_the_hub_the_complete_snapshot_stands_for_the_branch(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = fetched(store, hub)
    hub.faults.append(Fault("status", "/api/", status=503, times=99))
    cached = store.resolve(TINY, site_of(hub))
    assert cached.revision == locked.revision
    assert all(one.sha256 for one in cached.files)
    assert store.is_complete(cached)


def test_without_the_hub_and_without_a_snapshot_the_store_says_so(
    store: LocalWeights, hub: FakeHub
) -> None:
    hub.faults.append(Fault("status", "/api/", status=503, times=99))
    with pytest.raises(OfflineError, match="does not deliver") as caught:
        store.resolve(TINY, site_of(hub))
    assert "503" in caught.value.evidence
    assert caught.value.why
    assert caught.value.next_step


def test_a_damaged_snapshot_does_not_stand_for_the_branch(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = fetched(store, hub)
    (store.path(locked) / "two.safetensors").unlink()
    hub.faults.append(Fault("status", "/api/", status=503, times=99))
    with pytest.raises(OfflineError):
        store.resolve(TINY, site_of(hub))


@pytest.mark.parametrize(
    ("source", "next_step"),
    [
        pytest.param("HF_HUB_OFFLINE", "unset HF_HUB_OFFLINE ", id="the library's variable"),
        pytest.param("/etc/ttctl.toml", "ttctl config site   # /etc/ttctl.toml", id="a file"),
        pytest.param("--offline", "ttctl models pull acme/tiny   # without --offline", id="a flag"),
    ],
)
def test_the_switch_that_keeps_the_hub_away_is_the_one_that_is_named(
    store: LocalWeights, source: str, next_step: str
) -> None:
    site = Site(hub_offline=Sourced(value="1", source=source))
    with pytest.raises(OfflineError) as caught:
        store.resolve(TINY, site)
    assert caught.value.next_step.startswith(next_step)


def test_a_place_without_network_asks_nobody(store: LocalWeights, hub: FakeHub) -> None:
    offline = Site(
        hub_endpoint=Sourced(value=hub.url, source="test"),
        offline=Sourced(value="1", source="TTCTL_OFFLINE"),
    )
    with pytest.raises(OfflineError) as caught:
        store.resolve(TINY, offline)
    assert "TTCTL_OFFLINE" in caught.value.evidence
    assert caught.value.next_step.startswith("unset TTCTL_OFFLINE ")
    assert hub.seen == []
    locked = fetched(store, hub)
    assert store.resolve(TINY, offline).revision == locked.revision
    store.fetch(locked, offline, Notes())


def test_the_librarys_offline_switch_leaves_what_is_cached(
    store: LocalWeights, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = fetched(store, hub)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert store.resolve(TINY, site_of(hub)).revision == locked.revision
    with pytest.raises(OfflineError, match="may not be asked"):
        store.resolve(Weights(kind="hub", repository="acme/other"), site_of(hub))


def test_shipped_weights_are_copied_readable_for_the_containers_user(
    store: LocalWeights, shipped: Path
) -> None:
    old = os.umask(0o077)
    try:
        (shipped / "config.json").chmod(0o600)
        locked = store.resolve(DEMO, Site())
        store.fetch(locked, Site(), Notes())
    finally:
        os.umask(old)
    folder = store.path(locked)
    assert [one.path for one in locked.files] == ["config.json", "model.safetensors"]
    assert folder.parent.name == "demo"
    assert len(folder.name) == 16
    assert store.is_complete(locked)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o644}


def test_shipped_weights_that_changed_get_another_folder(
    store: LocalWeights, shipped: Path
) -> None:
    before = store.resolve(DEMO, Site())
    (shipped / "config.json").write_bytes(b"[]")
    after = store.resolve(DEMO, Site())
    assert store.path(before) != store.path(after)
    with pytest.raises(BadFileError):
        store.fetch(before, Site(), Notes())


def test_a_model_that_is_not_shipped_is_refused(store: LocalWeights) -> None:
    with pytest.raises(BadFileError, match="'demo' is not shipped"):
        store.resolve(DEMO, Site())


@pytest.mark.parametrize("name", ["../x", "a/b/c", "", "/etc", ".hidden", "a/.."])
def test_a_name_that_is_no_repository_never_becomes_a_path(store: LocalWeights, name: str) -> None:
    locked = LockedWeights(kind="hub", repository=name, revision="a" * 40, files=())
    with pytest.raises(BadFileError):
        store.path(locked)


def test_the_store_does_not_load_the_hubs_library() -> None:
    program = "import sys, ttctl.adapters.weights; print([m for m in sys.modules if 'hugg' in m])"
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert answer.stdout == "[]\n"


META = Weights(kind="hub", repository="meta-llama/Tiny")
OWN = replace(META, original=True)
BOTH = {
    "config.json": b"{}",
    "model.safetensors": FIRST,
    "original/consolidated.00.pth": b"p" * 900,
    "original/params.json": b"{1}",
    "original/tokenizer.model": b"t",
}
NOT_METAS = {"config.json", "model.safetensors"}


@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param(META, OWN, id="hub's first"), pytest.param(OWN, META, id="Meta's first")],
)
def test_a_snapshot_of_one_layout_is_completed_with_the_other(
    store: LocalWeights, hub: FakeHub, first: Weights, second: Weights
) -> None:
    hub.add("meta-llama/Tiny", BOTH, large={"model.safetensors", "original/consolidated.00.pth"})
    site = site_of(hub)
    one, two = store.resolve(first, site), store.resolve(second, site)
    assert one.original is first.original
    store.fetch(one, site, Notes())
    assert store.is_complete(one)
    assert not store.is_complete(two)
    hub.seen.clear()
    store.fetch(two, site, Notes())
    fetched = {path for path in BOTH if any(path in request.path for request in hub.seen)}
    assert fetched == {one.path for one in two.files} - {file.path for file in one.files}
    assert store.path(one) == store.path(two)
    assert store.is_complete(one)
    assert store.is_complete(two)


def test_metas_own_files_are_locked_with_their_hashes_and_asked_for_once(
    store: LocalWeights, hub: FakeHub
) -> None:
    hub.add("meta-llama/Tiny", BOTH, large={"model.safetensors", "original/consolidated.00.pth"})
    site = site_of(hub)
    locked = store.resolve(OWN, site)
    assert {one.path for one in locked.files} == BOTH.keys() - {"model.safetensors"}
    store.fetch(locked, site, Notes())
    hub.seen.clear()
    known = store.resolve(replace(OWN, revision=locked.revision), site)
    assert hub.seen == []
    assert all(one.sha256 for one in known.files)
    assert {one.path for one in known.files} == {one.path for one in locked.files}
    # The other layout is not here, though the commit is.
    other = store.resolve(replace(META, revision=locked.revision), site)
    assert {one.path for one in other.files} == NOT_METAS
    assert hub.seen


def test_a_repository_without_metas_own_files_is_refused(store: LocalWeights, hub: FakeHub) -> None:
    hub.add("meta-llama/Tiny", {"model.safetensors": FIRST, "config.json": b"{}"}, large=set())
    with pytest.raises(BadFileError, match="can be served") as caught:
        store.resolve(OWN, site_of(hub))
    assert "original" in caught.value.why
