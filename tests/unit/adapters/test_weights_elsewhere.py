# SPDX-License-Identifier: Apache-2.0
"""Are weights used that other tools or the user have: read before, and never written to?"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.fake_hub import FakeHub, Fault, git_blob_id
from tests.standins.weights import FILES, FIRST, SECOND, TINY, Notes, site_of, store_in

from ttctl.adapters.hub_cache import Copy, HubCache
from ttctl.adapters.model_folders import ModelFolders
from ttctl.adapters.weights_cache import CachedWeights
from ttctl.adapters.weights_elsewhere import Elsewhere
from ttctl.errors import BadFileError, OfflineError
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.adapters.weights import LocalWeights
    from ttctl.model.lock import LockedFile, LockedWeights

pytestmark = pytest.mark.usefixtures("no_token")

COMMIT = "7" * 40
LARGE = {"one.safetensors", "two.safetensors"}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(
        cache=HubCache(tmp_path / "hf" / "hub"),
        folders=ModelFolders((tmp_path / "models",), records=tmp_path / "cache" / "found"),
    )


@pytest.fixture
def store(tmp_path: Path, elsewhere: Elsewhere) -> LocalWeights:
    return store_in(tmp_path, elsewhere=elsewhere)


class CountedCache(HubCache):
    """A cache of the hub's tools that remembers which files it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def copy(self, locked: LockedWeights, file: LockedFile) -> Copy | None:
        self.asked.append(file.path)
        return super().copy(locked, file)


def in_hub_cache(root: Path, files: Mapping[str, bytes], commit: str) -> Path:
    """Lay files out as the hub's tools do, and return the snapshot."""
    home = root / "models--acme--tiny"
    snapshot = home / "snapshots" / commit
    for path, body in files.items():
        large = path in LARGE
        name = hashlib.sha256(body).hexdigest() if large else git_blob_id(body)
        blob = home / "blobs" / name
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(body)
        link = snapshot / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / "main").write_text(commit)
    return snapshot


def in_folder(root: Path, files: Mapping[str, bytes], *, noted: str = "") -> Path:
    """Lay files out in `tiny`; with `noted`, as `hf download --local-dir` of that commit does."""
    folder = root / "tiny"
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
        name = hashlib.sha256(body).hexdigest() if path in LARGE else git_blob_id(body)
        note = folder / ".cache" / "huggingface" / "download" / f"{path}.metadata"
        if noted:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(f"{noted}\n{name}\n1.0\n")
    return folder


def states(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what a write or a change of rights below a folder would change."""
    found = ((one, one.lstat()) for one in [folder, *folder.rglob("*")])
    return {str(one): (s.st_mode, s.st_mtime_ns, s.st_size, s.st_ino) for one, s in found}


def fetched(store: LocalWeights, hub: FakeHub, notes: Notes | None = None) -> LockedWeights:
    locked = store.resolve(TINY, site_of(hub))
    store.fetch(locked, site_of(hub), notes or Notes())
    return locked


def deaf(hub: FakeHub) -> None:
    hub.faults.append(Fault("status", "/", status=503, times=99))


def test_each_file_is_looked_at_once_to_say_where_weights_come_from(
    hub: FakeHub, store: LocalWeights, tmp_path: Path
) -> None:
    in_hub_cache(tmp_path / "hf" / "hub", FILES, hub.repositories["acme/tiny"].commit)
    locked = store.resolve(TINY, site_of(hub))
    counted = CountedCache(tmp_path / "hf" / "hub")
    supply = Elsewhere(cache=counted).supply(locked, {}, beside=tmp_path / "cache")
    assert (supply.fetched_bytes, supply.copied_bytes) == (0, 0)
    assert sorted(counted.asked) == sorted(one.path for one in locked.files)


def test_files_of_the_hubs_cache_are_linked_and_not_fetched_again(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    commit = hub.repositories["acme/tiny"].commit
    snapshot = in_hub_cache(tmp_path / "hf" / "hub", FILES, commit)
    before = states(tmp_path / "hf")
    locked = store.resolve(TINY, site_of(hub))
    supply = store.supply(locked)
    assert (supply.fetched_bytes, supply.copied_bytes) == (0, 0)
    assert supply.place == str(tmp_path / "hf" / "hub")
    store.fetch(locked, site_of(hub), Notes())
    assert hub.sent() == 0
    assert store.is_complete(locked)
    folder = store.path(locked)
    assert folder.is_relative_to(tmp_path / "cache")
    assert not any(one.is_symlink() for one in folder.rglob("*"))
    assert (folder / "one.safetensors").samefile(snapshot / "one.safetensors")
    assert states(tmp_path / "hf") == before


def test_only_what_the_hubs_cache_lacks_is_fetched(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    commit = hub.repositories["acme/tiny"].commit
    part = {"one.safetensors": FIRST}
    in_hub_cache(tmp_path / "hf" / "hub", part, commit)
    locked = store.resolve(TINY, site_of(hub))
    assert store.supply(locked).fetched_bytes == len(SECOND) + len(FILES["config.json"])
    store.fetch(locked, site_of(hub), Notes())
    assert hub.sent("one.safetensors") == 0
    assert hub.sent("two.safetensors") == len(SECOND)
    assert store.supply(locked).fetched_bytes == 0


def test_a_file_that_is_damaged_in_the_hubs_cache_is_fetched_and_left_as_it_is(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    commit = hub.repositories["acme/tiny"].commit
    snapshot = in_hub_cache(tmp_path / "hf" / "hub", FILES, commit)
    (snapshot / "one.safetensors").resolve().write_bytes(bytes(len(FIRST)))
    before = states(tmp_path / "hf")
    locked = fetched(store, hub)
    assert (store.path(locked) / "one.safetensors").read_bytes() == FIRST
    assert hub.sent("two.safetensors") == 0
    assert states(tmp_path / "hf") == before


def test_a_file_that_others_may_not_read_is_copied_and_its_rights_stay(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    commit = hub.repositories["acme/tiny"].commit
    snapshot = in_hub_cache(tmp_path / "hf" / "hub", FILES, commit)
    blob = (snapshot / "one.safetensors").resolve()
    blob.chmod(0o600)
    locked = store.resolve(TINY, site_of(hub))
    assert store.supply(locked).copied_bytes == len(FIRST)
    store.fetch(locked, site_of(hub), Notes())
    assert hub.sent() == 0
    mine = store.path(locked) / "one.safetensors"
    assert not mine.samefile(blob)
    assert (mine.stat().st_mode & 0o777, blob.stat().st_mode & 0o777) == (0o644, 0o600)


def test_without_a_hub_a_whole_snapshot_of_its_cache_serves(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    files = {**FILES, "model.safetensors.index.json": json.dumps(index).encode()}
    in_hub_cache(tmp_path / "hf" / "hub", files, COMMIT)
    deaf(hub)
    locked = store.resolve(TINY, site_of(hub))
    assert locked.revision == COMMIT
    store.fetch(locked, site_of(hub), Notes())
    assert store.is_complete(locked)


def test_a_snapshot_that_lacks_a_part_that_its_index_names_serves_nobody(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    index = {"weight_map": {"a": "one.safetensors", "b": "three.safetensors"}}
    files = {**FILES, "model.safetensors.index.json": json.dumps(index).encode()}
    in_hub_cache(tmp_path / "hf" / "hub", files, COMMIT)
    deaf(hub)
    with pytest.raises(OfflineError):
        store.resolve(TINY, site_of(hub))


def test_a_link_that_leads_out_of_its_repository_is_not_followed(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    commit = hub.repositories["acme/tiny"].commit
    snapshot = in_hub_cache(tmp_path / "hf" / "hub", {"config.json": FILES["config.json"]}, commit)
    (tmp_path / "secret").write_bytes(FIRST)
    (snapshot / "one.safetensors").symlink_to(tmp_path / "secret")
    locked = fetched(store, hub)
    assert hub.sent("one.safetensors") == len(FIRST)
    assert not (store.path(locked) / "one.safetensors").samefile(tmp_path / "secret")


def test_a_folder_of_the_users_is_read_once_and_mounted_itself(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    folder = in_folder(tmp_path / "models", FILES)
    before = states(folder)
    locked = store.resolve(TINY, site_of(hub))
    assert not store.is_complete(locked)
    assert store.supply(locked).fetched_bytes == 0
    assert store.supply(locked).mounted
    notes = Notes()
    store.fetch(locked, site_of(hub), notes)
    assert store.is_complete(locked)
    assert store.path(locked) == folder
    assert hub.sent() == 0
    assert states(folder) == before
    assert notes.counts[-1][0] == sum(len(one) for one in FILES.values())
    # The hub names the small file by git's hash, so that nothing is taken on trust.
    assert not [one for one in notes.notes if "not provable" in one]
    asked = len(hub.seen)
    store.fetch(locked, site_of(hub), Notes())
    assert len(hub.seen) == asked


@pytest.mark.parametrize("path", ["one.safetensors", "config.json"])
def test_a_folder_that_is_not_what_the_hub_names_is_left_alone_and_the_hubs_is_fetched(
    store: LocalWeights, hub: FakeHub, tmp_path: Path, path: str
) -> None:
    folder = in_folder(tmp_path / "models", {**FILES, path: bytes(len(FILES[path]))})
    notes = Notes()
    locked = fetched(store, hub, notes)
    assert store.is_complete(locked)
    assert store.path(locked).is_relative_to(tmp_path / "cache")
    assert any(f"{folder} is not used" in one for one in notes.notes)


def test_a_folder_that_changes_after_it_was_read_serves_no_more(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    folder = in_folder(tmp_path / "models", FILES)
    locked = fetched(store, hub)
    os.utime(folder / "config.json", (1, 1))
    assert store.is_complete(locked)
    (folder / "one.safetensors").write_bytes(bytes(len(FIRST)))
    assert not store.is_complete(locked)
    store.fetch(locked, site_of(hub), Notes())
    assert store.path(locked).is_relative_to(tmp_path / "cache")
    assert store.is_complete(locked)


def test_a_folder_with_links_or_files_that_others_cannot_read_is_not_mounted(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    folder = in_folder(tmp_path / "models", FILES)
    (folder / "one.safetensors").rename(tmp_path / "one")
    (folder / "one.safetensors").symlink_to(tmp_path / "one")
    locked = store.resolve(TINY, site_of(hub))
    assert store.path(locked).is_relative_to(tmp_path / "cache")
    (folder / "one.safetensors").unlink()
    (tmp_path / "one").rename(folder / "one.safetensors")
    assert store.path(locked) == folder
    (folder / "config.json").chmod(0o600)
    assert store.path(locked) != folder


def test_without_a_hub_the_notes_of_its_own_tool_prove_a_folder(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    in_folder(tmp_path / "models", FILES, noted=COMMIT)
    deaf(hub)
    locked = store.resolve(TINY, site_of(hub))
    assert (locked.kind, locked.revision) == ("hub", COMMIT)
    notes = Notes()
    store.fetch(locked, site_of(hub), notes)
    assert store.is_complete(locked)
    assert not [one for one in notes.notes if "not provable" in one]


def test_a_hub_that_tells_no_hashes_is_named_with_its_reason(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    in_folder(tmp_path / "models", FILES, noted=COMMIT)
    deaf(hub)
    known = store.resolve(TINY, site_of(hub))
    locked = replace(known, files=tuple(replace(one, sha256="") for one in known.files))
    notes = Notes()
    store.fetch(locked, site_of(hub), notes)
    assert any(one.startswith("the hub told no hashes: ") for one in notes.notes), notes.notes


def test_without_a_hub_and_without_notes_it_is_said_what_is_not_provable_and_then_locked(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    folder = in_folder(tmp_path / "models", FILES)
    deaf(hub)
    locked = store.resolve(TINY, site_of(hub))
    assert (locked.kind, locked.revision) == ("folder", "")
    notes = Notes()
    store.fetch(locked, site_of(hub), notes)
    assert any("not provable" in one and "one.safetensors" in one for one in notes.notes)
    assert store.is_complete(locked)
    again = store.resolve(Weights(kind="folder", repository="acme/tiny"), site_of(hub))
    assert all(one.sha256 for one in again.files)
    assert store.is_complete(again)
    assert store.path(again) == folder
    assert store.supply(again).unproven == tuple(sorted(FILES))
    (folder / "one.safetensors").write_bytes(bytes(len(FIRST)))
    assert not store.is_complete(again)
    with pytest.raises(BadFileError, match="is not what was locked"):
        store.fetch(again, site_of(hub), Notes())


def test_what_is_elsewhere_is_listed_verified_and_never_hidden_twice(
    elsewhere: Elsewhere, hub: FakeHub, tmp_path: Path
) -> None:
    commit = hub.repositories["acme/tiny"].commit
    snapshot = in_hub_cache(tmp_path / "hf" / "hub", FILES, commit)
    in_folder(tmp_path / "models", FILES)
    cached = CachedWeights(tmp_path / "cache", elsewhere)
    found = {one.keeper: one for one in cached.snapshots()}
    assert found["hub cache"].revision == commit
    assert found["folder"].repository == "tiny"
    assert cached.verdict(found["hub cache"], Notes(), quick=False).damaged == ()
    assert cached.verdict(found["folder"], Notes(), quick=False).unproven == tuple(sorted(FILES))
    (snapshot / "config.json").resolve().write_bytes(b'{"a": 2}')
    assert cached.verdict(found["hub cache"], Notes(), quick=False).damaged == ("config.json",)


PIPELINE = {
    "model_index.json": json.dumps(
        {
            "_class_name": "StableDiffusionPipeline",
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
            "scheduler": ["diffusers", "DDIMScheduler"],
            "safety_checker": [None, None],
            "requires_safety_checker": False,
        }
    ).encode(),
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": FIRST,
    "vae/config.json": b"{ }",
    "vae/diffusion_pytorch_model.safetensors": SECOND,
    "scheduler/scheduler_config.json": b"{  }",
}


def test_a_pipeline_is_fetched_with_its_folders_and_linked_from_the_hubs_cache(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    large = {one for one in PIPELINE if one.endswith(".safetensors")}
    double = {"unet/diffusion_pytorch_model.bin": FIRST, "unet/model.onnx": FIRST}
    commit = hub.add("acme/tiny", {**PIPELINE, **double}, large=large)
    in_hub_cache(tmp_path / "hf" / "hub", {"unet/config.json": b"{}"}, commit)
    locked = fetched(store, hub)
    folder = store.path(locked)
    assert {one.path for one in locked.files} == PIPELINE.keys()
    assert {path: (folder / path).read_bytes() for path in PIPELINE} == PIPELINE
    assert hub.sent("unet/config.json") == 0
    assert folder.joinpath("unet").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("gone", "found"),
    [
        pytest.param("", True, id="nothing"),
        pytest.param("vae/diffusion_pytorch_model.safetensors", False, id="a part's weights"),
        pytest.param("scheduler/scheduler_config.json", False, id="a part"),
    ],
)
def test_a_pipeline_that_lacks_a_part_serves_nobody_where_no_hub_tells(
    store: LocalWeights, hub: FakeHub, tmp_path: Path, gone: str, *, found: bool
) -> None:
    files = {path: body for path, body in PIPELINE.items() if path != gone}
    in_hub_cache(tmp_path / "hf" / "hub", files, COMMIT)
    deaf(hub)
    if found:
        assert store.resolve(TINY, site_of(hub)).revision == COMMIT
        return
    with pytest.raises(OfflineError):
        store.resolve(TINY, site_of(hub))


def test_one_part_of_two_is_no_snapshot_even_without_an_index(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    files = {"config.json": b"{}", "model-00001-of-00002.safetensors": FIRST}
    in_hub_cache(tmp_path / "hf" / "hub", files, COMMIT)
    deaf(hub)
    with pytest.raises(OfflineError):
        store.resolve(TINY, site_of(hub))


@pytest.mark.parametrize("harm", ["a file is gone", "a folder is closed to others"])
def test_a_folder_that_was_taken_and_can_be_mounted_no_more_is_replaced_by_the_hubs(
    store: LocalWeights, hub: FakeHub, tmp_path: Path, harm: str
) -> None:
    folder = in_folder(tmp_path / "models", FILES)
    locked = fetched(store, hub)
    assert store.path(locked) == folder
    if harm == "a file is gone":
        (folder / "config.json").unlink()
    else:
        folder.chmod(0o700)
    assert not store.is_complete(locked)
    store.fetch(locked, site_of(hub), Notes())
    assert store.is_complete(locked)
    assert store.path(locked).is_relative_to(tmp_path / "cache")
