# SPDX-License-Identifier: Apache-2.0
"""Are nodes, pages, the IOMMU and holders read as they are? The trees are written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.adapters.test_host import WORMHOLE, machine, own_serials, write

from ttctl.adapters.card_vitals import card_vitals
from ttctl.rules.card_health import card_checks

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.adapters.host import LocalHost

PAGES = "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"


@pytest.fixture
def n300(tmp_path: Path) -> LocalHost:
    """Write a tree with four n300 boards that are well."""
    host = machine(tmp_path, WORMHOLE, "n300", own_serials(4))
    for number in range(4):
        (tmp_path / "dev/tenstorrent" / str(number)).chmod(0o666)
        write(tmp_path / "proc/driver/tenstorrent" / str(number) / "pids", "")
    write(tmp_path / PAGES, "16")
    write(tmp_path / "proc/mounts", "none /dev/hugepages-1G hugetlbfs rw,pagesize=1024M 0 0")
    return host


def verdicts(root: Path, host: LocalHost) -> dict[str, str]:
    return {check.name: check.verdict for check in card_checks(host.system(), card_vitals(root))}


def test_a_machine_without_cards_shows_none(tmp_path: Path) -> None:
    found = card_vitals(tmp_path)
    assert (found.pci, found.nodes, found.hugepages) == ((), (), 0)


def test_cards_that_are_well_are_judged_so(n300: LocalHost, tmp_path: Path) -> None:
    found = verdicts(tmp_path, n300)
    assert found.pop("tt-smi") in {"ok", "warning"}
    assert set(found.values()) == {"ok"}


def test_modes_and_owners_are_those_of_the_nodes(n300: LocalHost, tmp_path: Path) -> None:
    node = tmp_path / "dev/tenstorrent/2"
    node.chmod(0o640)
    (tmp_path / "dev/tenstorrent/by-id").mkdir()
    found = card_vitals(tmp_path)
    assert [one.node for one in found.nodes] == [f"/dev/tenstorrent/{n}" for n in range(4)]
    assert found.nodes[2].mode == 0o640
    assert found.nodes[2].uid == node.stat().st_uid
    assert verdicts(tmp_path, n300)["rights"] == "failed"


def test_a_card_without_its_node_fails(n300: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "dev/tenstorrent/3").unlink()
    assert verdicts(tmp_path, n300)["cards"] == "failed"


def test_pages_that_are_missing_or_not_mounted_fail(n300: LocalHost, tmp_path: Path) -> None:
    write(tmp_path / "proc/mounts", "none /dev/hugepages hugetlbfs rw 0 0")
    assert verdicts(tmp_path, n300)["transfers"] == "failed"
    write(tmp_path / PAGES, "0")
    assert card_vitals(tmp_path).hugepages == 0
    assert verdicts(tmp_path, n300)["transfers"] == "failed"


def test_an_iommu_that_translates_is_enough(n300: LocalHost, tmp_path: Path) -> None:
    write(tmp_path / PAGES, "0")
    for folder in (tmp_path / "sys/bus/pci/devices").iterdir():
        write(folder / "iommu_group/type", "DMA-FQ")
    assert {kind for _, kind in card_vitals(tmp_path).iommu} == {"DMA-FQ"}
    assert verdicts(tmp_path, n300)["transfers"] == "ok"


def test_holders_are_found_by_the_driver_and_by_open_files(n300: LocalHost, tmp_path: Path) -> None:
    write(tmp_path / "proc/driver/tenstorrent/0/pids", "120")
    write(tmp_path / "proc/120/comm", "python3")
    (tmp_path / "proc/77/fd").mkdir(parents=True)
    (tmp_path / "proc/77/fd/3").symlink_to("/dev/tenstorrent/1")
    (tmp_path / "proc/77/fd/4").symlink_to("/dev/null")
    found = card_vitals(tmp_path)
    assert found.nodes[0].holders == ("pid 120 (python3)",)
    assert found.nodes[1].holders == ("pid 77 (unknown)",)
    assert found.nodes[2].holders == ()
    assert verdicts(tmp_path, n300)["holders"] == "warning"


def test_files_of_another_user_in_the_pages_are_found(n300: LocalHost, tmp_path: Path) -> None:
    write(tmp_path / "dev/hugepages-1G/device_0_channel_0_tenstorrent", "")
    write(tmp_path / "dev/hugepages-1G/other", "")
    owner = (tmp_path / "dev/hugepages-1G/other").stat().st_uid
    expected = () if owner == 1000 else ("/dev/hugepages-1G/device_0_channel_0_tenstorrent",)
    assert card_vitals(tmp_path).leftovers == expected
    assert n300.system().device == "t3k"


LINE = "none /dev/hugepages-1G"


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        pytest.param("", "nothing", id="nothing"),
        pytest.param(f"{LINE} hugetlbfs rw,pagesize=1024M 0 0", "", id="1 GiB"),
        pytest.param(f"{LINE} hugetlbfs rw,pagesize=1G 0 0", "", id="1 GiB, as it is typed"),
        pytest.param(
            f"{LINE} hugetlbfs rw,pagesize=2M 0 0", "a mount of hugepages of 2M", id="2 MiB"
        ),
        pytest.param(
            f"{LINE} hugetlbfs rw 0 0", "a mount of hugepages of a size that is not told",
            id="not told",
        ),
        pytest.param(f"{LINE} tmpfs rw 0 0", "a mount of tmpfs", id="another file system"),
        pytest.param(
            f"{LINE} hugetlbfs rw,pagesize=1024M 0 0\n{LINE} tmpfs rw 0 0", "a mount of tmpfs",
            id="something lies above it",
        ),
    ],
)  # fmt: skip
def test_what_is_at_the_folder_of_the_hugepages_is_told(
    tmp_path: Path, mounts: str, found: str
) -> None:
    write(tmp_path / "proc/mounts", mounts)
    cards = card_vitals(tmp_path)
    assert (cards.hugepages_found, cards.hugepages_mounted) == (found, not found)


def test_a_plain_folder_is_no_mount_and_the_librarys_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "dev/hugepages-1G/device_3_channel_0_tenstorrent", "")
    write(tmp_path / "dev/hugepages-1G/other", "")
    write(tmp_path / PAGES.replace("nr_", "free_"), "2")
    cards = card_vitals(tmp_path)
    assert (cards.hugepages_found, cards.hugepages_free) == ("a plain folder", 2)
    assert cards.hugepage_files == ("device_3_channel_0_tenstorrent",)
