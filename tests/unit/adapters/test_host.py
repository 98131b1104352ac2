# SPDX-License-Identifier: Apache-2.0
"""Is the machine read from its file systems as it is? The trees are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

from ttctl.adapters.host import LocalHost
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from ttctl.model.device import Board, System

WORMHOLE, BLACKHOLE = "0x401e", "0xb140"

P300C_X2 = ("0000046131934118", "0000046131934118", "000004613193410F", "000004613193410F")
"""The serial numbers of the four chips of a machine with two p300c boards."""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", encoding="utf-8")


def pci_device(root: Path, number: int, device: str, *, vendor: str = "0x1e52") -> Path:
    folder = root / "sys/bus/pci/devices" / f"0000:{number + 1:02x}:00.0"
    write(folder / "vendor", vendor)
    write(folder / "device", device)
    return folder


def card(root: Path, number: int, device: str, card_type: str | None, serial: str) -> None:
    """Write what the driver shows of one chip."""
    folder = root / "sys/class/tenstorrent" / f"tenstorrent!{number}"
    folder.mkdir(parents=True)
    (folder / "device").symlink_to(pci_device(root, number, device))
    for name, text in (
        ("tt_card_type", card_type),
        ("tt_serial", serial),
        ("tt_asic_id", f"33B918269D38C9{number:02X}"),
        ("tt_fw_bundle_ver", "19.15.0.0"),
    ):
        if text is not None:
            write(folder / name, text)
    write(root / "dev/tenstorrent" / str(number), "")


def machine(root: Path, device: str, card_type: str | None, serials: tuple[str, ...]) -> LocalHost:
    for number, serial in enumerate(serials):
        card(root, number, device, card_type, serial)
    pci_device(root, 99, "0x1000", vendor="0x8086")
    write(root / "sys/module/tenstorrent/version", "2.10.0")
    return LocalHost(root, affinity=8)


def own_serials(count: int) -> tuple[str, ...]:
    return tuple(f"01000145{number:08X}" for number in range(count))


@pytest.mark.parametrize(
    ("card_type", "serials", "device", "arch"),
    [
        pytest.param("n150", own_serials(1), "n150", "wormhole_b0", id="n150"),
        pytest.param("n300", own_serials(1), "n300", "wormhole_b0", id="n300"),
        pytest.param("n300", own_serials(4), "t3k", "wormhole_b0", id="t3k"),
        pytest.param("p150a", own_serials(1), "p150", "blackhole", id="p150a"),
        pytest.param("p150a", own_serials(4), "p150x4", "blackhole", id="p150a x 4"),
        pytest.param("p150a", own_serials(8), "p150x8", "blackhole", id="p150a x 8"),
        pytest.param("p300c", P300C_X2, "p300x2", "blackhole", id="p300c x 2"),
        pytest.param("galaxy-wormhole", own_serials(32), "galaxy", "wormhole_b0", id="galaxy"),
    ],
)
def test_a_machine_is_known_by_its_cards(
    tmp_path: Path, card_type: str, serials: tuple[str, ...], device: str, arch: str
) -> None:
    pci = WORMHOLE if arch == "wormhole_b0" else BLACKHOLE
    system = machine(tmp_path, pci, card_type, serials).system()
    assert system.device == device
    assert system.driver == "2.10.0"
    assert [chip.node for chip in system.chips] == [
        f"/dev/tenstorrent/{number}" for number in range(len(serials))
    ]
    assert {chip.arch for chip in system.chips} == {arch}
    assert tuple(chip.serial for chip in system.chips) == serials
    first = system.chips[0]
    assert (first.pci_address, first.firmware) == ("0000:01:00.0", "19.15.0.0")
    assert first.asic_id == "33B918269D38C900"


@pytest.mark.parametrize("card_type", [None, "unknown"])
def test_a_driver_that_names_no_card_leaves_the_device_open(
    tmp_path: Path, card_type: str | None
) -> None:
    system = machine(tmp_path, BLACKHOLE, card_type, own_serials(1)).system()
    assert system.device == ""
    assert "does not say" in system.reason
    assert "/dev/tenstorrent/0" in system.evidence
    assert system.chips[0].card_type == ""


def test_a_card_without_a_driver_is_told_by_its_pci_address(tmp_path: Path) -> None:
    pci_device(tmp_path, 0, BLACKHOLE)
    system = LocalHost(tmp_path, affinity=1).system()
    assert (system.device, system.driver, system.chips) == ("", "", ())
    assert "0000:01:00.0 (1e52:b140)" in system.evidence


def test_only_the_nodes_that_are_here_count(tmp_path: Path) -> None:
    host = machine(tmp_path, WORMHOLE, "n150", own_serials(4))
    for number in (0, 1, 3):
        (tmp_path / "dev/tenstorrent" / str(number)).unlink()
    system = host.system()
    assert system.device == "n150"
    assert [chip.node for chip in system.chips] == ["/dev/tenstorrent/2"]
    assert "/dev/tenstorrent/0, /dev/tenstorrent/1, /dev/tenstorrent/3" in system.evidence


def test_a_machine_that_says_nothing_is_a_cpu_with_one_core(tmp_path: Path) -> None:
    system = LocalHost(tmp_path, affinity=0).system()
    assert (system.device, system.cores, system.memory_bytes) == ("cpu", 1, 0)
    assert system.reason == "no Tenstorrent card: no PCI device of vendor 1e52"
    assert system.cpu_flags == frozenset()


@pytest.mark.parametrize(
    ("files", "cores", "memory"),
    [
        pytest.param({}, 8, 64, id="no limits"),
        pytest.param(
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/b/cpu.max": "max 100000",
                "sys/fs/cgroup/a/cpu.max": "250000 100000",
                "sys/fs/cgroup/a/b/memory.max": str(16 * 1024),
                "sys/fs/cgroup/a/memory.max": "max",
            },
            2,
            16,
            id="v2: the narrowest group above counts",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/cpu.max": "50000 100000",
                "sys/fs/cgroup/memory.max": str(1024),
            },
            1,
            1,
            id="v2 in a container: half a core is one",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "4:memory:/m\n1:cpu,cpuacct:/c",
                "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "300000",
                "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/m/memory.limit_in_bytes": str(32 * 1024),
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            },
            3,
            32,
            id="v1",
        ),
    ],
)
def test_cores_and_memory_are_what_the_process_may_use(
    tmp_path: Path, files: dict[str, str], cores: int, memory: int
) -> None:
    write(tmp_path / "proc/meminfo", "MemTotal:       64 kB\nMemFree:  1 kB")
    for name, text in files.items():
        write(tmp_path / name, text)
    system = LocalHost(tmp_path, affinity=8).system()
    assert (system.cores, system.memory_bytes) == (cores, memory * 1024)


@pytest.mark.parametrize("name", ["flags\t\t", "Features\t"])
def test_the_processors_abilities_are_read_in_both_spellings(tmp_path: Path, name: str) -> None:
    write(tmp_path / "proc/cpuinfo", f"processor\t: 0\n{name}: avx2 avx512f\n\n{name}: other")
    assert LocalHost(tmp_path, affinity=1).system().cpu_flags == {"avx2", "avx512f"}


def test_free_space_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    host = LocalHost(tmp_path, affinity=1)
    assert host.free_bytes(tmp_path / "not/there/yet") > 0


def test_a_file_system_of_the_kernels_own_is_not_called_full() -> None:
    with pytest.raises(TtctlError, match="Nothing can be kept under '/proc/zz/ttctl'") as caught:
        LocalHost().free_bytes(Path("/proc/zz/ttctl"))
    assert caught.value.next_step == "df -h /proc"


def test_the_machine_that_the_tests_run_on_can_be_read() -> None:
    system = LocalHost().system()
    assert system.cores >= 1
    assert system.memory_bytes > 0
    assert system.machine


def made(root: Path, *, mesh_device: str = "") -> System:
    return LocalHost(root, affinity=1, mesh_device=mesh_device).system()


def boards(root: Path) -> list[Board]:
    return list(made(root).boards)


@pytest.mark.parametrize("year", machines.FORMATS)
@pytest.mark.parametrize("device", list(machines.KINDS))
def test_each_machine_has_its_boards_nodes_and_forms(
    tmp_path: Path, device: str, year: int
) -> None:
    kind = machines.KINDS[device]
    system = made(machines.tree(tmp_path, device, year=year))
    assert system.device == device
    assert [formed.device for formed in system.forms] == list(kind.forms)
    assert len(system.boards) == kind.boards
    assert sum(board.chips for board in system.boards) == kind.boards * (kind.local + kind.remote)
    assert {len(board.nodes) for board in system.boards} == {kind.local}
    assert {board.family for board in system.boards} == {kind.family}
    assert {board.free for board in system.boards} == {"free"}
    # A driver of 2024 shows no heartbeat: then nobody can tell.
    assert {board.verdict for board in system.boards} == {"unknown" if year == 2024 else "healthy"}
    ids = [one for formed in system.forms for one in formed.boards]
    assert set(ids) == {board.id for board in system.boards}


@pytest.mark.parametrize("device", ["n150x4", "n300", "t3k", "p150x8", "p300", "p300x2"])
def test_boards_of_firmware_that_gives_no_number_are_told_apart(
    tmp_path: Path, device: str
) -> None:
    system = made(machines.tree(tmp_path, device, serials=False))
    assert system.device == device
    assert [board.id for board in system.boards] == [b.pci_addresses[0] for b in system.boards]
    assert [formed.device for formed in system.forms] == list(machines.KINDS[device].forms)


def test_three_of_four_boards_still_form_what_three_can(tmp_path: Path) -> None:
    system = made(machines.tree(tmp_path, "t3k", skip=(2,)))
    assert system.device == ""
    assert "No device is made up of 3 x n300" in system.reason
    assert [formed.device for formed in system.forms] == 3 * ["n300"] + 3 * ["n150"]
    assert {formed.reason for formed in system.forms} == {
        "1 of 3 x n300 (boards)",
        "one chip of n300 (board)",
    }


def test_a_mixed_machine_forms_a_device_of_each_kind(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    system = made(machines.tree(tmp_path, "p150", first=1))
    assert system.device == ""
    assert system.reason == "Cards of different kinds are in this machine: n150, p150."
    assert {formed.device for formed in system.forms} == {"n150", "p150"}
    assert {formed.boards for formed in system.forms} == {(one.id,) for one in system.boards}


def test_a_galaxy_that_lacks_a_chip_forms_what_its_whole_trays_can(tmp_path: Path) -> None:
    machines.tree(tmp_path, "galaxy")
    (tmp_path / "dev/tenstorrent/5").unlink()
    system = made(tmp_path)
    assert system.device == ""
    assert [formed.device for formed in system.forms] == ["galaxy_t3k"] * 3
    assert system.boards[0].verdict == "error"


@pytest.mark.parametrize(
    ("device", "node", "reason"),
    [
        ("t3k", 2, "it shows 0 of 1 device nodes"),
        ("p300x2", 0, "it shows 1 of 2 device nodes"),
    ],
)
def test_a_board_that_lacks_a_node_is_in_error_and_forms_nothing(
    tmp_path: Path, device: str, node: int, reason: str
) -> None:
    machines.tree(tmp_path, device)
    (tmp_path / f"dev/tenstorrent/{node}").unlink()
    system = made(tmp_path)
    [wrong] = [board for board in system.boards if board.verdict == "error"]
    assert reason in wrong.reasons
    assert all(wrong.id not in formed.boards for formed in system.forms)


def test_a_card_without_a_driver_is_a_board_in_error(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    write(tmp_path / "sys/bus/pci/devices/0000:09:00.0/vendor", "0x1e52")
    lone = boards(tmp_path)[1]
    assert (lone.id, lone.verdict, lone.free) == ("0000:09:00.0", "error", "unknown")


def test_boards_with_different_firmware_are_told(tmp_path: Path) -> None:
    found = boards(machines.tree(tmp_path, "t3k", firmware={1: "18.5.0.0", 2: ""}))
    assert [board.verdict for board in found] == ["healthy", "warning", "warning", "healthy"]
    assert found[1].reasons == ("firmware 18.5.0.0, other boards have 19.13.1.0",)
    assert found[2].reasons == ("no version of the firmware is told",)


@pytest.mark.parametrize("absent", ["", ".".join("0000"), "255.255.255.255"])
def test_a_galaxy_has_its_bundle_where_others_have_that_of_tt_flash(
    tmp_path: Path, absent: str
) -> None:
    machines.tree(tmp_path, "galaxy_t3k", firmware={0: absent})
    for folder in (tmp_path / "sys/class/tenstorrent").iterdir():
        write(folder / "tt_ttflash_ver", "18.6.0.0")
    assert boards(tmp_path)[0].firmware == "18.6.0.0"


def test_a_held_board_is_held_by_name_and_the_others_are_free(tmp_path: Path) -> None:
    machines.tree(tmp_path, "p300x2")
    machines.opened(tmp_path, 1, 120)
    found = boards(tmp_path)
    assert [(board.free, board.holders) for board in found] == [
        ("held", ("pid 120 (python3)",)),
        ("free", ()),
    ]


def test_a_board_is_unknown_where_another_users_process_cannot_be_seen(tmp_path: Path) -> None:
    machines.tree(tmp_path, "p300x2")
    machines.unreadable_pids(tmp_path, 2)
    machines.blind(tmp_path, 4000)
    assert [board.free for board in boards(tmp_path)] == ["free", "unknown"]


@pytest.mark.parametrize(
    ("word", "device", "said"),
    [
        pytest.param("T3K", "t3k", "agrees", id="the same"),
        pytest.param("N300", "n300", "MESH_DEVICE=N300 in the environment", id="a part"),
        pytest.param("(1, 2)", "n300", "MESH_DEVICE=(1, 2)", id="a part by its shape"),
        pytest.param("TG", "galaxy", "MESH_DEVICE=TG", id="not here"),
        pytest.param("banana", "t3k", "4 x n300", id="not known"),
        pytest.param("", "t3k", "4 x n300", id="not set"),
    ],
)
def test_mesh_device_overrides_what_is_found(
    tmp_path: Path, word: str, device: str, said: str
) -> None:
    system = made(machines.tree(tmp_path, "t3k"), mesh_device=word)
    assert system.device == device
    assert said in system.reason


def test_a_mesh_device_that_is_not_here_is_told_beside_what_is(tmp_path: Path) -> None:
    system = made(machines.tree(tmp_path, "t3k"), mesh_device="P150x4")
    assert system.device == "p150x4"
    assert "MESH_DEVICE=P150x4 means p150x4, but these cards form t3k, n300" in system.evidence


def test_what_a_made_up_tree_does_not_say_is_this_machines(tmp_path: Path) -> None:
    own = tmp_path / "own"
    write(own / "proc/meminfo", "MemTotal:       64 kB")
    write(own / "proc/cpuinfo", "flags\t: avx2")
    root = machines.tree(tmp_path / "root", "n150")
    found = LocalHost(root, affinity=1, own=own).system()
    assert (found.device, found.memory_bytes, found.cpu_flags) == ("n150", 65536, {"avx2"})
    write(root / "proc/meminfo", "MemTotal:       32 kB")
    assert LocalHost(root, affinity=1, own=own).system().memory_bytes == 32768


def test_a_tray_that_lacks_chips_is_not_whole(tmp_path: Path) -> None:
    root = machines.tree(tmp_path, "galaxy_t3k")
    for number in (6, 7):
        (root / f"sys/class/tenstorrent/tenstorrent!{number}/device").unlink()
        (root / f"sys/class/tenstorrent/tenstorrent!{number}").rename(root / f"gone{number}")
    found = LocalHost(root, affinity=8).system()
    board = found.boards[0]
    assert (board.verdict, board.reasons[0]) == ("error", "it shows 6 of 8 device nodes")
    assert found.forms == ()


def test_bytes_that_are_no_text_never_reach_the_output(tmp_path: Path) -> None:
    root = machines.tree(tmp_path, "n150")
    (root / "sys/module/tenstorrent/version").write_bytes(b"\x00\xff\n")
    chip = root / "sys/class/tenstorrent/tenstorrent!0"
    (chip / "tt_card_type").write_bytes(b"n1\n\x1b50\n")
    found = LocalHost(root, affinity=8).system()
    assert (found.driver, found.chips[0].card_type) == ("??", "n1??50")
