# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong on the way, no start takes weights that are not whole, and none is half said.

A hub of ours on loopback does what hubs, mirrors and lines do; places run out of room; processes
are killed. The sums stand at the end of a run.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.fake_hub import FakeHub, Fault
from tests.standins.place import alone, run
from tests.standins.weights import FILES, TINY, Notes, publish, site_of

from ttctl.adapters.hub import HuggingFace
from ttctl.adapters.staging import STALE_S
from ttctl.adapters.weights import LocalWeights
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ttctl.model.lock import LockedWeights

MODEL = "Qwen/Qwen2.5-0.5B-Instruct"
LARGE = bytes(range(256)) * 8000
OF_MODEL = {"config.json": b"{}", "tokenizer.json": b'{"a": 1}', "model.safetensors": LARGE}
SEED = 20261122
ROUNDS = 40
TRIES = 6
LIMIT_S = 60

OF_HUB = {"X-Error-Code": "Any"}


def any_fault(dice: random.Random) -> Fault:
    """Return one thing that goes wrong with the next requests."""
    status = dice.choice((500, 502, 503, 504))
    return dice.choice(
        (
            Fault("cut", "", at=dice.randrange(300_000), times=dice.randint(1, 4)),
            Fault("status", "/resolve/", status=429, headers={"Retry-After": "3"}),
            Fault("status", "/resolve/", status=429, headers={"Retry-After": "9000"}),
            Fault("status", "/", status=status, times=4),
            Fault("status", "/resolve/", status=401, headers=OF_HUB),
            Fault("status", "/resolve/", status=403, headers=OF_HUB),
            Fault("status", "/resolve/", status=404, headers=OF_HUB),
            Fault("html", dice.choice(("/api/", "/large/", "/resolve/")), times=2),
            Fault("short", "safetensors", times=dice.randint(1, 4)),
            Fault("corrupt", dice.choice(tuple(FILES)), times=dice.randint(1, 3)),
            Fault("no-range", "safetensors"),
        )
    )


pytestmark = pytest.mark.usefixtures("no_token")


@pytest.fixture
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what this machine's user has for the real hub."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as one:
        one.add(MODEL, OF_MODEL, large={"model.safetensors"})
        yield one


@pytest.fixture
def place(tmp_path: Path, hub: FakeHub) -> dict[str, str]:
    own = {"HF_HOME": str(tmp_path / "hf"), "TTCTL_BASE_IMAGE": "registry.example.org/base:1"}
    return {**alone(tmp_path), **own, "HF_ENDPOINT": hub.url, "HOME": str(tmp_path)}


def store_in(folder: Path) -> LocalWeights:
    return LocalWeights(
        cache=folder,
        bundled=lambda name: folder / name,
        hub=lambda site: HuggingFace(site, pause=lambda _: None),
    )


def is_whole(folder: Path) -> bool:
    return all((folder / path).read_bytes() == body for path, body in FILES.items())


class Sums:
    """What must stay nothing, and what shows that something was tried."""

    def __init__(self) -> None:
        self.attempts = self.refused = self.partial = self.started = self.mute = 0

    def look(self, store: LocalWeights, locked: LockedWeights) -> bool:
        """Return whether a start would take the weights; count where it must not."""
        folder, ready = store.path(locked), store.is_complete(locked)
        self.partial += folder.exists() and not is_whole(folder)
        self.started += ready and not is_whole(folder)
        return ready


def test_no_fault_of_a_hub_or_a_line_leaves_half_a_file_that_a_start_would_take(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    dice, sums = random.Random(SEED), Sums()  # noqa: S311 - the same faults in every run
    with FakeHub() as hub:
        publish(hub)
        for number in range(ROUNDS):
            store = store_in(tmp_path / str(number))
            whole = False
            for _ in range(TRIES):
                hub.faults[:] = [any_fault(dice) for _ in range(dice.randint(1, 2))]
                whole = faulty(store, hub, sums)
                if whole:
                    break
            hub.faults.clear()
            assert whole or faulty(store, hub, sums), f"round {number} never came to an end"
    record_property(
        "weights under faults",
        f"{sums.attempts} fetches, {sums.refused} refused, {sums.started} starts on an incomplete "
        f"snapshot, {sums.partial} silent partial files",
    )
    assert sums.refused > ROUNDS // 4
    assert (sums.started, sums.partial, sums.mute) == (0, 0, 0)


def faulty(store: LocalWeights, hub: FakeHub, sums: Sums) -> bool:
    """Fetch once, whatever comes of it; return whether a start would take what is here."""
    sums.attempts += 1
    try:
        locked = store.resolve(TINY, site_of(hub))
        store.fetch(locked, site_of(hub), Notes())
    except TtctlError as error:
        sums.refused += 1
        sums.mute += not (error.why and error.next_step)
    hub.faults.clear()
    return sums.look(store, store.resolve(TINY, site_of(hub)))


def pull(place: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    return run("--json", "models", "pull", MODEL, "--device", "cpu", *more, environ=place)


def data_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["data"]
    return found


def test_a_second_pull_of_a_locked_model_transfers_nothing_and_makes_no_socket(
    hub: FakeHub, place: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    assert run("lock", MODEL, "--device", "cpu", environ=place).returncode == 0
    assert data_of(pull(place))["fetched_bytes"] == sum(map(len, OF_MODEL.values()))
    asked = len(hub.seen)
    program = (
        "import atexit, sys; seen = []\n"
        "sys.addaudithook(lambda event, _: event.startswith('socket.') and seen.append(event))\n"
        "atexit.register(lambda: print('sockets:', len(seen), file=sys.stderr))\n"
        "from ttctl.cli.main import main\n"
        "main()\n"
    )
    words = ("--json", "models", "pull", MODEL, "--device", "cpu")
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=place, cwd="/", capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert data_of(done)["changed"] is False
    assert done.stderr.splitlines()[-1] == "sockets: 0"
    assert len(hub.seen) == asked
    record_property("second pull of a locked model", "0 bytes, 0 sockets")


def test_two_programs_that_pull_at_once_bring_every_byte_once(
    hub: FakeHub, place: dict[str, str]
) -> None:
    words = [*PROGRAM, "--json", "models", "pull", MODEL, "--device", "cpu"]
    pulls = [
        subprocess.Popen(words, env=place, cwd="/", stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    folders = {json.loads(one.communicate(timeout=LIMIT_S)[0])["data"]["folder"] for one in pulls}
    assert [one.returncode for one in pulls] == [0, 0]
    assert len(folders) == 1
    assert hub.sent("/large/") == len(LARGE)


PROGRAM = (sys.executable, "-m", "ttctl.cli.main")


def test_a_pull_that_is_killed_leaves_nothing_a_start_takes_and_goes_on_or_is_swept(
    hub: FakeHub, place: dict[str, str], tmp_path: Path
) -> None:
    hub.faults.append(Fault("slow", "/large/", seconds=0.01))
    words = [*PROGRAM, "--json", "models", "pull", MODEL, "--device", "cpu"]
    home = tmp_path / "cache/ttctl/weights" / MODEL.replace("/", "--")
    with subprocess.Popen(
        words, env=place, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + LIMIT_S
        while sum(one.stat().st_size for one in home.glob(".partial-*/*.incomplete")) < 100_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    kept = sum(one.stat().st_size for one in home.glob(".partial-*/*.incomplete"))
    assert not [one for one in home.iterdir() if not one.name.startswith(".")]
    listed = json.loads(run("--json", "models", "ls", "--cached", environ=place).stdout)["data"]
    assert [one for one in listed if one["repository"] == MODEL] == []
    again = data_of(pull(place))
    assert again["fetched_bytes"] <= len(LARGE) - kept + 100
    # What nobody goes on with is swept by a later fetch of anything.
    dead = home / f".partial-{'a' * 40}"
    dead.mkdir()
    (dead / "x.incomplete").write_bytes(b"x")
    for one in (dead / "x.incomplete", dead):
        os.utime(one, (time.time() - 2 * STALE_S,) * 2)
    demo = run("--json", "models", "pull", "demo-llama", "--device", "cpu", environ=place)
    assert data_of(demo)["changed"]
    assert not dead.exists()


FULL = """
import os, resource, signal, sys
if sys.argv[1] == "limit":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
sys.argv = ["ttctl", *sys.argv[2:]]
from ttctl.cli.main import main
main()
"""
"""A place where no file can grow beyond a megabyte."""


def full(place: dict[str, str], *before: str, how: str) -> subprocess.CompletedProcess[str]:
    words = ("--json", "models", "pull", MODEL, "--device", "cpu")
    return subprocess.run(
        [*before, sys.executable, "-c", FULL, how, *words],
        env=place, cwd="/", capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def test_a_place_where_files_cannot_grow_is_said_and_the_next_pull_goes_on(
    hub: FakeHub, place: dict[str, str], tmp_path: Path
) -> None:
    done = full(place, how="limit")
    error = json.loads(done.stdout)["error"]
    assert "could not be written" in error["what"]
    assert error["next_step"]
    assert "Traceback" not in done.stderr
    home = tmp_path / "cache/ttctl/weights" / MODEL.replace("/", "--")
    assert not [one for one in home.iterdir() if not one.name.startswith(".")]
    sent = hub.sent("/large/")
    assert data_of(pull(place))["changed"]
    assert hub.sent("/large/") < sent + len(LARGE)


def can_mount() -> bool:
    words = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return (
        os.geteuid() == 0
        and shutil.which("unshare") is not None
        and subprocess.run(words, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="only root can mount a small file system")
def test_a_file_system_without_room_is_refused_before_the_first_byte_and_names_it(
    hub: FakeHub, place: dict[str, str], tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = f'mount -t tmpfs -o size=1m tmpfs "{small}" && exec "$@"'
    full_place = {**place, "XDG_CACHE_HOME": str(small)}
    done = full(full_place, "unshare", "-m", "sh", "-c", mounted, "sh", how="mount")
    error = json.loads(done.stdout)["error"]
    assert "not enough room" in error["what"] or "do not fit" in error["what"]
    assert hub.sent() == 0
