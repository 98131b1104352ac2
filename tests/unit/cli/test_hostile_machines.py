# SPDX-License-Identifier: Apache-2.0
"""Does every verb answer in time whatever the driver's files are, or have become?"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Typed

VERBS = (
    "devices ls",
    "devices info",
    "devices check",
    "plan Llama-3.1-8B-Instruct",
)
LIMIT_S = 10
CHIP = "sys/class/tenstorrent/tenstorrent!1"
PCI = "sys/bus/pci/devices/0000:02:00.0"
ATTRIBUTES = (
    f"{CHIP}/tt_card_type",
    f"{CHIP}/tt_serial",
    f"{CHIP}/tt_asic_id",
    f"{CHIP}/tt_fw_bundle_ver",
    f"{CHIP}/tt_heartbeat",
    f"{CHIP}/tt_aiclk",
    f"{PCI}/vendor",
    f"{PCI}/device",
    f"{PCI}/iommu_group/type",
    f"{PCI}/hwmon/hwmon3/temp1_input",
    "sys/module/tenstorrent/version",
    "dev/tenstorrent/1",
    "proc/driver/tenstorrent/1/pids",
    "proc/120/comm",
    "proc/meminfo",
    "proc/cpuinfo",
    "proc/mounts",
    "proc/self/cgroup",
    "sys/fs/cgroup/memory.max",
    "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def bytes_of_all_kinds(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 16)


def empty(path: Path) -> None:
    path.touch()


def digits(path: Path) -> None:
    path.write_text("9" * 6000)


def odd_digits(path: Path) -> None:
    path.write_text("\u00b2\u0663 \u00b2 \u00b2\n" * 3)


def words(path: Path) -> None:
    path.write_text("MemTotal:\nflags\n0::\n:\nMemTotal: x kB\n12\n-1\n0\n\x00\n")


def a_sparse_gigabyte(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


BROKEN = [
    a_folder, a_pipe, endless, a_loop, nowhere, bytes_of_all_kinds, empty, digits, odd_digits,
    words, a_sparse_gigabyte,
]  # fmt: skip


@contextmanager
def in_time() -> Iterator[None]:
    """End what hangs."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answers(typed: Typed) -> None:
    """Type every verb; each must end with a value or an error of four parts."""
    for verb in VERBS:
        with in_time():
            code, out, err = typed(verb)
        assert "Traceback" not in out + err
        if out:
            # A plan that would not start says so, and ends with the code of what refuses.
            assert code in {0, 1, 3, 6, 7, 8, 75}, err
            continue
        parts = [line.partition(":")[0] for line in err.splitlines()]
        assert {"error", "why", "next"} <= set(parts), f"{verb}: {err}"


def made(root: Path) -> Path:
    machines.tree(root, "t3k")
    machines.opened(root, 1, 120)
    machines.write(root / "proc/meminfo", "MemTotal: 4000000 kB")
    machines.write(root / "proc/self/cgroup", "0::/")
    return root


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda one: one.__name__)
def test_a_file_may_be_anything(
    typed: Typed, tmp_path: Path, breaks: Callable[[Path], None]
) -> None:
    root = made(tmp_path / "root")
    for name in ATTRIBUTES:
        path = root / name
        if path.exists():
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        breaks(path)
    answers(typed)


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize(
    "breaks", [a_pipe, a_folder, a_loop, endless], ids=lambda one: one.__name__
)
def test_one_file_alone_may_be_anything(
    typed: Typed, tmp_path: Path, name: str, breaks: Callable[[Path], None]
) -> None:
    path = made(tmp_path / "root") / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    breaks(path)
    with in_time():
        code, out, err = typed("devices ls")
    assert (code, "Traceback" in err) == (0, False)
    assert out


@pytest.mark.parametrize(
    "folder",
    [
        "sys/class/tenstorrent", "sys/bus/pci/devices", "dev/tenstorrent", "proc",
        "proc/driver/tenstorrent", CHIP, f"{CHIP}/device", f"{PCI}/hwmon", "proc/120/fd",
        "dev/hugepages-1G", "sys/fs/cgroup",
    ],
)  # fmt: skip
@pytest.mark.parametrize("breaks", [a_loop, empty, a_pipe, endless], ids=lambda one: one.__name__)
def test_a_folder_may_be_anything(
    typed: Typed, tmp_path: Path, folder: str, breaks: Callable[[Path], None]
) -> None:
    path = made(tmp_path / "root") / folder
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    breaks(path)
    answers(typed)


@pytest.mark.parametrize("pids", ["x y 12a -3\n", "9" * 5000, "\u0663\n", "7 " * 100_000, "999999"])
def test_a_list_of_holders_may_have_anything_in_it(typed: Typed, tmp_path: Path, pids: str) -> None:
    root = made(tmp_path / "root")
    machines.write(root / "proc/driver/tenstorrent/0/pids", pids)
    answers(typed)


def add_nodes(root: Path, numbers: range) -> None:
    """Add boards of one node; half of them have no number. Only what decides is written."""
    for number in numbers:
        folder = root / f"sys/class/tenstorrent/tenstorrent!{number}"
        machines.write(folder / "tt_card_type", "p150a")
        machines.write(folder / "tt_serial", f"{number % 2 * (0x40 << 36 | number):016x}")
        (folder / "device").symlink_to(root / f"sys/bus/pci/devices/{number:04x}:01:00.0")
        machines.write(root / f"dev/tenstorrent/{number}", "")


def calls_of(typed: Typed, line: str) -> tuple[int, str]:
    """Return how many functions a command calls, and what it prints."""
    count = 0

    def seen(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(seen)
    try:
        code, out, _ = typed(line)
    finally:
        sys.setprofile(None)
    assert code == 0
    return count, out


def test_a_thousand_nodes_take_four_times_the_work_of_a_quarter(
    typed: Typed, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    add_nodes(root, range(250))
    few, _ = calls_of(typed, "devices ls")
    add_nodes(root, range(250, 1000))
    many, out = calls_of(typed, "devices ls")
    assert many < few * 4 * 1.1
    assert "/dev/tenstorrent/999" in out


def test_two_nodes_of_one_address_are_both_shown(typed: Typed, tmp_path: Path) -> None:
    root = machines.tree(tmp_path / "root", "n150x4")
    link = root / "sys/class/tenstorrent/tenstorrent!1/device"
    link.unlink()
    link.symlink_to(root / "sys/bus/pci/devices/0000:01:00.0")
    answers(typed)
    _, out, _ = typed("devices ls")
    assert "/dev/tenstorrent/0" in out
    assert "/dev/tenstorrent/1" in out


@pytest.mark.parametrize("number", ["0xfaca", "0x1234", "beef", ""])
def test_a_chip_of_another_kind_is_shown_and_not_taken_for_a_known_one(
    typed: Typed, tmp_path: Path, number: str
) -> None:
    root = machines.tree(tmp_path / "root", "n150", card="unknown")
    (root / "sys/bus/pci/devices/0000:01:00.0/device").write_text(number)
    answers(typed)
    _, out, _ = typed("devices ls")
    assert out.startswith("device   not known")


@pytest.mark.parametrize("verb", ["devices ls", "plan llama", "plan --pack llama"])
def test_a_machine_that_is_not_there_is_not_one_without_cards(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str
) -> None:
    monkeypatch.setenv("TTCTL_DEVICE_ROOT", str(tmp_path / "nowhere"))
    code, _, err = typed(verb)
    assert code == 9
    assert "TTCTL_DEVICE_ROOT" in err
