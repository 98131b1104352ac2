# SPDX-License-Identifier: Apache-2.0
"""Partial folders of weights: kills, damage, two at once, a full disk."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.standins.fake_hub import FakeHub, Fault
from tests.standins.weights import FILES, FIRST, SECOND, TINY, Notes, site_of, store_in

from ttctl.adapters import manifest
from ttctl.adapters.staging import STALE_S, sweep
from ttctl.adapters.weights import LocalWeights
from ttctl.errors import BadFileError, InterruptedByUserError, TtctlError
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ttctl.model.spec import Weights


pytestmark = pytest.mark.usefixtures("no_token")


@pytest.fixture
def store(tmp_path: Path) -> LocalWeights:
    return store_in(tmp_path)


def fetched(store: LocalWeights, hub: FakeHub) -> LockedWeights:
    locked = store.resolve(TINY, site_of(hub))
    store.fetch(locked, site_of(hub), Notes())
    return locked


def test_a_wrong_file_is_fetched_once_more(store: LocalWeights, hub: FakeHub) -> None:
    hub.faults.append(Fault("corrupt", "one.safetensors"))
    assert store.is_complete(fetched(store, hub))
    assert hub.sent("one.safetensors") == 2 * len(FIRST)


@pytest.mark.parametrize("path", ["one.safetensors", "config.json"])
def test_a_file_that_is_wrong_twice_is_refused(
    store: LocalWeights, hub: FakeHub, path: str
) -> None:
    hub.faults.append(Fault("corrupt", path, times=99))
    locked = store.resolve(TINY, site_of(hub))
    with pytest.raises(BadFileError, match=f"'{path}' of 'acme/tiny' is not what the lock says"):
        store.fetch(locked, site_of(hub), Notes())
    assert hub.sent(path) == 2 * len(FILES[path])
    assert not store.path(locked).exists()
    assert not store.is_complete(locked)


def child(cache: Path, hub: FakeHub) -> subprocess.Popen[str]:
    """Start a process that resolves and fetches, and says so."""
    program = (
        "import sys; from pathlib import Path\n"
        "from contextlib import nullcontext\n"
        "from types import SimpleNamespace\n"
        "from ttctl.adapters.hub import HuggingFace\n"
        "from ttctl.adapters.weights import LocalWeights\n"
        "from ttctl.model.site import Site, Sourced\n"
        "from ttctl.model.spec import Weights\n"
        "quiet = lambda *_, **__: None\n"
        "reporter = SimpleNamespace(step=nullcontext, progress=quiet, note=quiet, detail=quiet)\n"
        "site = Site(hub_endpoint=Sourced(value=sys.argv[2], source='test'))\n"
        "store = LocalWeights(cache=Path(sys.argv[1]), bundled=Path, hub=HuggingFace)\n"
        "locked = store.resolve(Weights(kind='hub', repository='acme/tiny'), site)\n"
        "store.fetch(locked, site, reporter)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(cache), hub.url], stderr=subprocess.PIPE, text=True
    )


def recorded(folder: Path) -> int:
    known = manifest.read(folder)
    return len(known.files) if known else 0


def test_a_fetch_that_was_killed_goes_on_where_it_was(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    hub.faults.append(Fault("slow", "/large/acme/tiny/two", seconds=0.05))
    locked = store.resolve(TINY, site_of(hub))
    folder = store.path(locked).with_name(f".partial-{locked.revision}")
    half = folder / "two.safetensors.incomplete"
    with child(tmp_path / "cache", hub) as process:
        deadline = time.monotonic() + 10
        while not (recorded(folder) == 2 and half.exists() and half.stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    assert not store.path(locked).exists()
    kept = half.stat().st_size
    already = len(hub.seen)
    store.fetch(locked, site_of(hub), Notes())
    assert store.is_complete(locked)
    again = [one for one in hub.seen[already:] if one.sent]
    assert [one.range for one in again] == [f"bytes={kept}-"]
    assert again[0].sent == len(SECOND) - kept


def test_a_file_that_was_named_but_not_recorded_before_a_kill_is_kept(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = store.resolve(TINY, site_of(hub))
    folder = store.path(locked).with_name(f".partial-{locked.revision}")
    folder.mkdir(parents=True)
    (folder / "one.safetensors").write_bytes(FIRST)
    (folder / "two.safetensors").write_bytes(FIRST)
    (folder / "config.json").write_bytes(b'{"a": 2}')
    store.fetch(locked, site_of(hub), Notes())
    assert store.is_complete(locked)
    assert hub.sent("one.safetensors") == 0
    assert (store.path(locked) / "config.json").read_bytes() == FILES["config.json"]


def test_two_fetches_at_once_bring_every_byte_once(
    store: LocalWeights, hub: FakeHub, tmp_path: Path
) -> None:
    with child(tmp_path / "cache", hub) as first, child(tmp_path / "cache", hub) as second:
        assert [first.wait(timeout=20), second.wait(timeout=20)] == [0, 0]
    assert hub.sent("/large/") == len(FIRST) + len(SECOND)
    assert store.is_complete(store.resolve(TINY, site_of(hub)))


def test_a_damaged_file_is_found_and_only_it_is_fetched_again(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = fetched(store, hub)
    (store.path(locked) / "one.safetensors").write_bytes(FIRST[:-1] + b"x")
    assert not store.is_complete(locked)
    already = len(hub.seen)
    store.fetch(locked, site_of(hub), Notes())
    assert store.is_complete(locked)
    assert {one.path.rpartition("/")[2] for one in hub.seen[already:]} == {"one.safetensors"}


class FailingHub:
    """A hub whose first file fails in a given way, while the others never end by themselves."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure
        self.started: list[str] = []
        self.ended: list[str] = []

    def snapshot(self, weights: Weights) -> LockedWeights:
        raise AssertionError(weights)

    def bring(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        assert locked.repository == TINY.repository
        target.write_bytes(b"x")
        if file.path == locked.files[0].path:
            raise self.failure
        self.started.append(file.path)
        deadline = time.monotonic() + 5
        try:
            while time.monotonic() < deadline:
                on_bytes(0)
        except InterruptedByUserError:
            self.ended.append(file.path)
            raise
        return ""


@pytest.mark.parametrize(
    ("failure", "expected", "why"),
    [
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device"),
            TtctlError,
            "No space left on device",
            id="disk full",
        ),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, "", id="interrupted"),
    ],
)
def test_what_ends_one_file_ends_all_and_nothing_carries_the_final_name(
    tmp_path: Path, failure: BaseException, expected: type[BaseException], why: str
) -> None:
    hub = FailingHub(failure)
    store = LocalWeights(cache=tmp_path, bundled=lambda name: tmp_path / name, hub=lambda _: hub)
    files = tuple(LockedFile(path=one, size_bytes=9, sha256="0" * 64) for one in "abc")
    locked = LockedWeights(kind="hub", repository="acme/tiny", revision="a" * 40, files=files)
    with pytest.raises(expected) as caught:
        store.fetch(locked, Site(), Notes())
    assert sorted(hub.ended) == sorted(hub.started)
    assert getattr(caught.value, "why", "") == why
    assert not store.path(locked).exists()
    assert not store.is_complete(locked)


class WaitingHub:
    """A hub whose files come only while another one comes, too."""

    def __init__(self) -> None:
        self.together = threading.Barrier(2, timeout=10)

    def snapshot(self, weights: Weights) -> LockedWeights:
        raise AssertionError(weights)

    def bring(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        assert locked.repository == TINY.repository
        self.together.wait()
        target.write_bytes(file.path.encode())
        on_bytes(file.size_bytes)
        return file.sha256


def test_several_files_are_fetched_at_the_same_time(tmp_path: Path) -> None:
    hub = WaitingHub()
    store = LocalWeights(cache=tmp_path, bundled=lambda name: tmp_path / name, hub=lambda _: hub)
    files = tuple(
        LockedFile(path=one, size_bytes=1, sha256=hashlib.sha256(one.encode()).hexdigest())
        for one in "abcd"
    )
    locked = LockedWeights(kind="hub", repository="acme/tiny", revision="a" * 40, files=files)
    store.fetch(locked, Site(), Notes())
    assert store.is_complete(locked)


def test_weights_that_cannot_fit_are_refused_before_the_first_byte(
    store: LocalWeights, hub: FakeHub
) -> None:
    huge = LockedFile(path="one.safetensors", size_bytes=1 << 60, sha256="0" * 64)
    locked = LockedWeights(kind="hub", repository="acme/tiny", revision="a" * 40, files=(huge,))
    with pytest.raises(TtctlError, match="do not fit on the disk"):
        store.fetch(locked, site_of(hub), Notes())
    assert hub.seen == []


def test_a_partial_folder_of_the_dead_is_swept_and_one_of_the_living_is_not(tmp_path: Path) -> None:
    for name in ("dead", "alive", "young"):
        (tmp_path / name / ".partial-aa").mkdir(parents=True)
        (tmp_path / name / ".partial-aa" / "x.incomplete").touch()
    os.utime(tmp_path / "young" / ".partial-aa" / "x.incomplete", (time.time() + STALE_S,) * 2)
    later = time.time() + STALE_S + 60
    with holding(tmp_path / "alive" / ".aa.lock"):
        sweep(tmp_path, spare=tmp_path / "none", now_s=later)
    left = sorted(one.parent.name for one in tmp_path.glob("*/.partial-*"))
    assert left == ["alive", "young"]


@contextmanager
def holding(path: Path) -> Iterator[None]:
    program = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        " print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


def test_every_file_is_counted_on_its_own_from_nothing_to_whole(
    store: LocalWeights, hub: FakeHub
) -> None:
    locked = store.resolve(TINY, site_of(hub))
    notes = Notes()
    store.fetch(locked, site_of(hub), notes)
    for name, body in FILES.items():
        counts = [(done, total) for part, done, total in notes.parts if part == name]
        assert counts[0] == (0, len(body))
        assert counts[-1] == (len(body), len(body))
