# SPDX-License-Identifier: Apache-2.0
"""Do the hub's own tools find what ttctl fetched: by their library, and without a byte more?"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import scan_cache_dir, snapshot_download
from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]
from tests.standins.fake_hub import FakeHub, Fault, git_blob_id
from tests.standins.nodes import as_root
from tests.standins.roomy import roomy
from tests.standins.weights import FILES, TINY, Notes, publish, site_of, store_in

from ttctl.adapters import hub_share
from ttctl.adapters.hub_cache import HubCache
from ttctl.adapters.hub_share import HubShare, Offer
from ttctl.adapters.hub_token import hub_cache, names_cache
from ttctl.adapters.weights_cache import CachedWeights
from ttctl.adapters.weights_elsewhere import Elsewhere, shown
from ttctl.errors import TtctlError
from ttctl.model.lock import LockedWeights
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from ttctl.adapters.weights import LocalWeights

pytestmark = pytest.mark.usefixtures("no_token")

LARGE = {"one.safetensors", "two.safetensors"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The hub's cache, as another tool made it."""
    folder = tmp_path / "hf" / "hub"
    folder.mkdir(parents=True)
    return folder


def store_of(
    tmp_path: Path, root: Path, *, wanted: bool | None = None, named: bool = False
) -> LocalWeights:
    return store_in(
        tmp_path,
        elsewhere=Elsewhere(cache=HubCache(root)),
        share=HubShare(root, wanted=wanted, named=named),
    )


def pulled(store: LocalWeights, hub: FakeHub, weights: Weights = TINY) -> list[str]:
    notes = Notes()
    locked = store.resolve(weights, site_of(hub))
    store.fetch(locked, site_of(hub), notes)
    assert store.is_complete(locked)
    return notes.notes


def home_in(root: Path) -> Path:
    return root / "models--acme--tiny"


def by_the_hubs_own(hub: FakeHub, root: Path, **words: Any) -> Path:  # noqa: ANN401 - its own words
    return Path(snapshot_download("acme/tiny", cache_dir=root, endpoint=hub.url, **words))


def contents(folder: Path) -> dict[str, bytes]:
    found = (one for one in folder.rglob("*") if one.is_file())
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in found}


@pytest.mark.parametrize("revision", ["main", "commit"])
def test_the_hubs_own_library_finds_a_pulled_snapshot_and_transfers_no_file(
    hub: FakeHub, tmp_path: Path, root: Path, revision: str
) -> None:
    notes = pulled(store_of(tmp_path, root), hub)
    assert notes == [f"other tools find it in {shown(root)}, too"]
    commit = hub.repositories["acme/tiny"].commit
    named = commit if revision == "commit" else "main"
    asked = len(hub.seen)
    found = by_the_hubs_own(hub, root, revision=named, local_files_only=True)
    assert len(hub.seen) == asked
    assert found == home_in(root) / "snapshots" / commit
    assert contents(found) == FILES
    sent = hub.sent()
    assert by_the_hubs_own(hub, root, revision=named) == found
    assert hub.sent() == sent
    assert not [one for one in hub.seen[asked:] if "/resolve/" in one.path]
    listed = scan_cache_dir(root)
    assert listed.warnings == []
    (repository,) = listed.repos
    (of_it,) = repository.revisions
    assert (repository.repo_id, of_it.commit_hash, set(of_it.refs)) == (
        "acme/tiny",
        commit,
        {"main"},
    )
    assert {one.file_name for one in of_it.files} == set(FILES)
    assert contents(home_in(root) / "blobs") == {
        hashlib.sha256(body).hexdigest() if path in LARGE else git_blob_id(body): body
        for path, body in FILES.items()
    }


def test_the_files_are_one_with_ttctls_and_stay_verified(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    store = store_of(tmp_path, root)
    pulled(store, hub)
    found = by_the_hubs_own(hub, root, local_files_only=True)
    cached = CachedWeights(tmp_path / "cache", Elsewhere(cache=HubCache(root)))
    (own,) = cached.snapshots()
    assert all((own.folder / path).samefile(found / path) for path in FILES)
    assert own.shared_bytes == own.size_bytes
    before = (own.folder / "manifest.json").read_bytes()
    for quick in (True, False):
        assert cached.verdict(own, Notes(), quick=quick).damaged == ()
    assert (own.folder / "manifest.json").read_bytes() == before
    cached.remove(own, Notes())
    assert contents(found) == FILES
    assert [one.keeper for one in cached.snapshots()] == ["hub cache"]
    sent = hub.sent()
    assert pulled(store, hub) == []
    assert hub.sent() == sent


def test_what_the_hubs_tools_fetch_besides_is_only_what_ttctl_left_out(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    hub.add("acme/tiny", {**FILES, "README.md": b"read me"}, large=LARGE)
    pulled(store_of(tmp_path, root), hub)
    sent = hub.sent()
    assert contents(by_the_hubs_own(hub, root)) == {**FILES, "README.md": b"read me"}
    assert hub.sent() - sent == len(b"read me")


def test_files_in_folders_are_linked_from_where_they_are(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    files = {
        "model_index.json": b'{"vae": ["diffusers", "AutoencoderKL"]}',
        "vae/config.json": b"{}",
        "vae/diffusion_pytorch_model.safetensors": b"v" * 999,
    }
    hub.add("acme/tiny", files, large={"vae/diffusion_pytorch_model.safetensors"})
    pulled(store_of(tmp_path, root), hub)
    found = by_the_hubs_own(hub, root, local_files_only=True)
    assert contents(found) == files
    link = (found / "vae/config.json").readlink()
    assert str(link) == f"../../../blobs/{git_blob_id(b'{}')}"


def test_a_commit_that_was_named_gets_no_branch(hub: FakeHub, tmp_path: Path, root: Path) -> None:
    commit = hub.repositories["acme/tiny"].commit
    pinned = Weights(kind="hub", repository="acme/tiny", revision=commit)
    pulled(store_of(tmp_path, root), hub, pinned)
    assert not (home_in(root) / "refs").exists()
    assert contents(by_the_hubs_own(hub, root, revision=commit, local_files_only=True)) == FILES
    assert scan_cache_dir(root).warnings == []


def test_a_branch_that_is_named_there_stays_and_is_told(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    older = hub.add("acme/tiny", {"config.json": b"older"}, large=set())
    by_the_hubs_own(hub, root)
    publish(hub)
    (note,) = pulled(store_of(tmp_path, root), hub)
    assert "its `main` there stays what it was" in note
    assert (home_in(root) / "refs" / "main").read_text() == older
    (repository,) = scan_cache_dir(root).repos
    assert len(repository.revisions) == 2
    sent = hub.sent()
    assert contents(by_the_hubs_own(hub, root)) == FILES
    assert hub.sent() == sent


def test_a_snapshot_that_another_tool_has_begun_is_filled_up_and_nothing_of_it_changed(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    begun = by_the_hubs_own(hub, root, allow_patterns=["config.json"])
    before = (begun / "config.json").lstat()
    pulled(store_of(tmp_path, root), hub)
    assert contents(by_the_hubs_own(hub, root, local_files_only=True)) == FILES
    after = (begun / "config.json").lstat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_lock_that_names_the_hashes_of_all_files_asks_for_the_hubs_names_where_none_came(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    store = store_of(tmp_path, root)
    locked = store.resolve(TINY, site_of(hub))
    told = {path: hashlib.sha256(body).hexdigest() for path, body in FILES.items()}
    files = tuple(
        type(one)(path=one.path, size_bytes=one.size_bytes, sha256=told[one.path])
        for one in locked.files
    )
    whole = LockedWeights(
        kind="hub", repository=locked.repository, revision=locked.revision, files=files
    )
    partial = tmp_path / "cache" / "acme--tiny" / f".partial-{locked.revision}"
    partial.mkdir(parents=True)
    (partial / "config.json").write_bytes(FILES["config.json"])
    store.fetch(whole, site_of(hub), Notes())
    assert {one.name for one in (home_in(root) / "blobs").iterdir()} == {
        told[path] if path in LARGE else git_blob_id(body) for path, body in FILES.items()
    }


@pytest.mark.parametrize(
    ("there", "wanted", "named", "shared"),
    [
        pytest.param(True, None, False, True, id="the cache is there"),
        pytest.param(False, None, False, False, id="no tool was here yet"),
        pytest.param(False, None, True, True, id="the environment names it"),
        pytest.param(True, False, True, False, id="switched off"),
        pytest.param(False, True, False, True, id="switched on"),
    ],
)
def test_a_cache_is_filled_where_it_is_or_is_named_and_the_setting_decides(
    hub: FakeHub, tmp_path: Path, root: Path, *, there: bool, wanted: bool | None, named: bool,
    shared: bool,
) -> None:  # fmt: skip
    if not there:
        root.rmdir()
    notes = pulled(store_of(tmp_path, root, wanted=wanted, named=named), hub)
    assert home_in(root).exists() == shared
    assert bool(notes) == shared


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_that_takes_nothing_is_one_note(hub: FakeHub, tmp_path: Path, root: Path) -> None:
    root.chmod(0o555)
    try:
        (note,) = pulled(store_of(tmp_path, root), hub)
    finally:
        root.chmod(0o755)
    assert note == (
        "other tools will fetch acme/tiny again: "
        f"it gets no name in {shown(root)} (Permission denied)"
    )
    assert list(root.iterdir()) == []


@as_root
def test_nothing_is_copied_to_another_file_system(hub: FakeHub, tmp_path: Path) -> None:
    with roomy(tmp_path / "hub") as root:
        (note,) = pulled(store_of(tmp_path, root), hub)
        assert note.endswith("(it is on another file system, and nothing is copied)")
        assert list(root.iterdir()) == []


@pytest.mark.parametrize("link", ["", "blobs", "snapshots", "refs", ".locks"])
def test_no_link_is_followed_out_of_the_cache(
    hub: FakeHub, tmp_path: Path, root: Path, link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = root / ".locks" if link == ".locks" else home_in(root) / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    (note,) = pulled(store_of(tmp_path, root), hub)
    assert "is no folder" in note
    assert list(outside.iterdir()) == []


def test_a_cache_that_is_itself_reached_through_a_link_is_filled(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    (tmp_path / "name").symlink_to(root)
    pulled(store_of(tmp_path, tmp_path / "name"), hub)
    assert contents(by_the_hubs_own(hub, root, local_files_only=True)) == FILES


@pytest.mark.parametrize("how", ["another content", "a link out of the cache"])
def test_a_content_that_is_not_this_one_is_left_and_no_snapshot_is_made(
    hub: FakeHub, tmp_path: Path, root: Path, how: str
) -> None:
    blob = home_in(root) / "blobs" / git_blob_id(FILES["config.json"])
    blob.parent.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.write_bytes(FILES["config.json"])
    if how == "another content":
        blob.write_bytes(b"x")
    else:
        blob.symlink_to(outside)
    (note,) = pulled(store_of(tmp_path, root), hub)
    assert "is another content" in note
    assert blob.read_bytes() == (b"x" if how == "another content" else FILES["config.json"])
    assert not list(home_in(root).glob("snapshots/*"))


def test_a_pull_that_fails_shares_nothing(hub: FakeHub, tmp_path: Path, root: Path) -> None:
    hub.faults.append(Fault("corrupt", "two.safetensors", times=9))
    store = store_of(tmp_path, root)
    locked = store.resolve(TINY, site_of(hub))
    with pytest.raises(TtctlError):
        store.fetch(locked, site_of(hub), Notes())
    assert list(root.iterdir()) == []


def test_a_file_that_another_tool_is_fetching_is_left_to_it(
    hub: FakeHub, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_share, "LOCK_WAIT_S", 0.1)
    locks = root / ".locks" / "models--acme--tiny"
    locks.mkdir(parents=True)
    with WeakFileLock(locks / f"{git_blob_id(FILES['config.json'])}.lock"):
        (note,) = pulled(store_of(tmp_path, root), hub)
    assert "another tool is fetching it just now" in note
    assert not list(home_in(root).glob("snapshots/*"))


def test_those_who_give_at_the_same_time_agree_on_one_snapshot(
    hub: FakeHub, tmp_path: Path, root: Path
) -> None:
    offers = []
    for one in range(6):
        store = store_of(tmp_path / str(one), root, wanted=False)
        pulled(store, hub)
        locked = store.resolve(TINY, site_of(hub))
        offers.append(Offer(folder=store.path(locked), locked=locked, told={}, is_main=True))
    shutil.rmtree(root)
    together = threading.Barrier(len(offers))

    def give(offer: Offer) -> list[str]:
        notes = Notes()
        together.wait()
        HubShare(root, wanted=True, named=False).give(offer, dict, notes)
        return notes.notes

    with ThreadPoolExecutor(len(offers)) as pool:
        said = {line for lines in pool.map(give, offers) for line in lines}
    assert said == {f"other tools find it in {shown(root)}, too"}
    assert contents(by_the_hubs_own(hub, root, local_files_only=True)) == FILES
    assert scan_cache_dir(root).warnings == []
    assert sorted(one.name for one in home_in(root).iterdir()) == ["blobs", "refs", "snapshots"]


KILLED = """
import os, sys
from pathlib import Path
from tests.standins.weights import Notes
from ttctl.adapters import manifest
from ttctl.adapters.hub_share import HubShare, Offer

folder, root, dying = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
locked = manifest.read(folder).locked()
real, done = getattr(os, dying), []

def dies(*words, **named):
    if done:
        os._exit(9)
    done.append(real(*words, **named))

setattr(os, dying, dies)
offer = Offer(folder=folder, locked=locked, told={}, is_main=True)
HubShare(root, wanted=True, named=False).give(
    offer, lambda: {one.path: one.sha256 for one in locked.files}, Notes()
)
"""


@pytest.mark.parametrize("dying", ["link", "symlink"])
def test_a_kill_on_the_way_leaves_no_half_snapshot_and_the_next_one_sweeps(
    hub: FakeHub, tmp_path: Path, root: Path, dying: str
) -> None:
    store = store_of(tmp_path, root, wanted=False)
    pulled(store, hub)
    locked = store.resolve(TINY, site_of(hub))
    words = [sys.executable, "-c", KILLED, str(store.path(locked)), str(root), dying]
    repository = Path(__file__).parents[3]
    assert subprocess.run(words, cwd=repository, check=False).returncode == 9
    assert not list(home_in(root).glob("snapshots/*"))
    assert scan_cache_dir(root).warnings == []
    for one in home_in(root).glob(".ttctl-*"):
        os.utime(one, (1, 1))
    offer = Offer(folder=store.path(locked), locked=locked, told={}, is_main=True)
    HubShare(root, wanted=True, named=False).give(offer, dict, Notes())
    assert contents(by_the_hubs_own(hub, root, local_files_only=True)) == FILES
    assert sorted(one.name for one in home_in(root).iterdir() if one.name[0] == ".") == []


def test_a_place_that_is_no_folder_is_one_note(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (note,) = pulled(store_of(tmp_path, tmp_path / "file", wanted=True), hub)
    assert note.startswith("other tools will fetch acme/tiny again")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"XDG_CACHE_HOME": "/x/cache"},
        {"HF_HOME": "~/hf"},
        {"HF_HOME": "$SCRATCH/hf"},
        {"HF_HOME": "/x/hf", "HF_HUB_CACHE": "${SCRATCH}/hub"},
        {"HUGGINGFACE_HUB_CACHE": "/x/old"},
        {"HUGGINGFACE_HUB_CACHE": "/x/old", "HF_HUB_CACHE": "~/new"},
    ],
)
def test_the_cache_is_where_the_hubs_library_says(tmp_path: Path, said: dict[str, str]) -> None:
    environ = {"HOME": str(tmp_path), "SCRATCH": "/scratch", **said}
    line = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    done = subprocess.run(
        [sys.executable, "-c", line], env=environ, capture_output=True, text=True, check=True
    )
    assert str(hub_cache(environ, tmp_path)) == done.stdout.strip()
    assert names_cache(environ) == bool(said.keys() - {"XDG_CACHE_HOME"})
