# SPDX-License-Identifier: Apache-2.0
"""Is what is in the cache told as it is, and does what is removed go whole?"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters import manifest, places
from ttctl.adapters.kernel_lock import held
from ttctl.adapters.weights import LocalWeights
from ttctl.adapters.weights_cache import CachedWeights
from ttctl.errors import LockedError
from ttctl.model.lock import LockedWeights
from ttctl.model.site import Site
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from pathlib import Path

REVISION = "1" * 40


def store(cache: Path) -> LocalWeights:
    def no_hub(site: Site) -> object:
        raise AssertionError(site)

    return LocalWeights(
        cache=cache,
        bundled=lambda name: places.shipped() / "images" / name / "model",
        hub=no_hub,  # type: ignore[arg-type]
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with the shipped model, and a snapshot of the hub's."""
    cache = tmp_path / "weights"
    local = store(cache)
    shipped = local.resolve(Weights(kind="bundled", repository="demo-llama"), Site())
    local.fetch(shipped, Site(), FakeReporter())
    folder = cache / "acme--Small" / REVISION
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    known = manifest.empty(
        LockedWeights(kind="hub", repository="acme/Small", revision=REVISION, files=())
    ).with_entry(manifest.describe(folder, "config.json", hashlib.sha256(b"{}").hexdigest()))
    manifest.write(folder, known)
    return cache


def test_every_whole_snapshot_is_listed_with_its_size(cache: Path) -> None:
    (cache / "acme--Small" / ("2" * 40)).mkdir()
    hub, shipped = CachedWeights(cache).snapshots()
    assert (hub.repository, hub.revision, hub.shipped) == ("acme/Small", REVISION, False)
    assert (hub.files, hub.size_bytes) == (1, 2)
    assert (shipped.repository, shipped.shipped) == ("demo-llama", True)
    assert shipped.size_bytes > 1_000_000


def test_no_cache_is_no_snapshot(tmp_path: Path) -> None:
    assert CachedWeights(tmp_path / "none").snapshots() == ()


@pytest.mark.parametrize("harm", ["other content of the same length", "gone", "no manifest"])
def test_damage_is_found_by_reading(cache: Path, harm: str) -> None:
    weights, reporter = CachedWeights(cache), FakeReporter()
    hub = weights.snapshots()[0]
    assert weights.verdict(hub, reporter, quick=False).damaged == ()
    assert reporter.counts == [(2, 2, "bytes")]
    file = hub.folder / "config.json"
    expected = ("config.json",)
    if harm == "gone":
        file.unlink()
    elif harm == "no manifest":
        (hub.folder / manifest.NAME).unlink()
        expected = (manifest.NAME,)
    else:
        file.write_text("[]")
    assert weights.verdict(hub, reporter, quick=False).damaged == expected


def test_what_is_removed_is_gone_and_the_rest_stays(cache: Path) -> None:
    weights = CachedWeights(cache)
    hub, shipped = weights.snapshots()
    weights.remove(hub, FakeReporter())
    assert weights.snapshots() == (shipped,)
    assert not [one for one in hub.folder.parent.iterdir() if one.is_dir()]


def test_what_another_command_fetches_is_not_removed(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ttctl.adapters.weights_cache.LOCK_TIMEOUT_S", 0)
    weights = CachedWeights(cache)
    hub = weights.snapshots()[0]
    lock = hub.folder.with_name(f".{hub.folder.name}.lock")
    with (
        held(lock, timeout_s=1, reporter=FakeReporter()),
        pytest.raises(LockedError),
    ):
        weights.remove(hub, FakeReporter())
    assert hub in weights.snapshots()


def test_what_verify_read_is_remembered_by_inode_size_and_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, reporter = CachedWeights(cache), FakeReporter()
    hub = weights.snapshots()[0]
    read: list[Path] = []
    plain = manifest.sha256_of

    def noted(path: Path) -> str:
        read.append(path)
        return plain(path)

    monkeypatch.setattr(manifest, "sha256_of", noted)
    os.utime(hub.folder / "config.json", (1, 1))
    assert weights.verdict(hub, reporter, quick=True).damaged == ()
    assert len(read) == 1
    assert weights.verdict(hub, reporter, quick=True).damaged == ()
    assert len(read) == 1
    assert weights.verdict(hub, reporter, quick=False).damaged == ()
    assert len(read) == 2
    (hub.folder / "config.json").write_text("[]")
    assert weights.verdict(hub, reporter, quick=True).damaged == ("config.json",)
