# SPDX-License-Identifier: Apache-2.0
"""Are hugepages counted for chips with a node, and for no others?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.standins import machines
from tests.unit.rules.validated import t3k

from ttctl.rules.fit_pages import Pages, of_pages
from ttctl.rules.host_steps import GET_PAGES, MOUNT_PAGES, REMOUNT_PAGES, SHOW_PAGES
from ttctl.rules.hugepages import KNOWN_WITHOUT, needs_mount, nodes_of, pages_for, translates


@pytest.mark.parametrize("device", machines.KINDS)
def test_a_device_that_is_not_here_is_counted_as_its_boards_would_show_it(device: str) -> None:
    kind = machines.KINDS[device]
    assert nodes_of(device, ()) == kind.boards * kind.local


def test_boards_that_are_here_are_counted_themselves() -> None:
    assert pages_for(nodes_of("t3k", t3k().boards)) == 16


@pytest.mark.parametrize(
    ("kind", "does"), [("DMA", True), ("DMA-FQ", True), ("identity", False), ("", False)]
)
def test_an_iommu_translates_where_its_type_says_dma(kind: str, *, does: bool) -> None:
    assert translates(kind) is does


KNOWN = ("aaaaaaa",)
MOUNTED = Pages(total=16, mounted=True, free=16)
BARE = replace(MOUNTED, mounted=False)
IOMMU = ("DMA-FQ",)


@pytest.mark.parametrize(
    ("commit", "iommu", "driver", "needed"),
    [
        pytest.param("aaaaaaa1", ("DMA",), "1.29", False, id="all three"),
        pytest.param("bbbbbbb", ("DMA",), "1.29", True, id="pin not known"),
        pytest.param("aaaaaaa1", ("DMA", "identity"), "1.29", True, id="one passes through"),
        pytest.param("aaaaaaa1", (), "1.29", True, id="no IOMMU"),
        pytest.param("aaaaaaa1", ("DMA",), "1.28.9", True, id="old driver"),
        pytest.param("aaaaaaa1", ("DMA",), "", True, id="driver not known"),
    ],
)
def test_a_container_sees_the_hugepages_unless_all_is_known_to_do_without(
    commit: str, iommu: tuple[str, ...], driver: str, *, needed: bool
) -> None:
    assert needs_mount(tt_metal=commit, iommu=iommu, driver=driver, known=KNOWN) is needed


def test_no_pin_is_known_to_do_without_hugepages() -> None:
    assert KNOWN_WITHOUT == ()


@pytest.mark.parametrize(
    ("seen", "verdict", "said", "step"),
    [
        pytest.param(MOUNTED, "ok", "16 are here", "", id="well"),
        pytest.param(replace(MOUNTED, free=None), "ok", "", "", id="free not told"),
        pytest.param(replace(MOUNTED, iommu=IOMMU), "ok", "IOMMU translates", "", id="both"),
        pytest.param(
            replace(MOUNTED, total=0, free=0, iommu=IOMMU), "ok", "IOMMU translates", "",
            id="an IOMMU and an empty mount",
        ),
        pytest.param(
            replace(BARE, total=0, iommu=IOMMU), "blocked", "nothing is there", MOUNT_PAGES,
            id="an IOMMU and no mount",
        ),
        pytest.param(BARE, "blocked", "nothing is there", MOUNT_PAGES, id="no mount"),
        pytest.param(
            replace(BARE, found="a plain folder"), "blocked", "a plain folder is there",
            REMOUNT_PAGES, id="a plain folder",
        ),
        pytest.param(
            replace(BARE, found="a mount of hugepages of 2M"), "blocked", "of 2M is there",
            REMOUNT_PAGES, id="a wrong page size",
        ),
        pytest.param(
            replace(BARE, total=0), "blocked", "no IOMMU translates", GET_PAGES, id="no pages"
        ),
        pytest.param(
            replace(MOUNTED, free=0), "blocked", "none is free", SHOW_PAGES, id="none free"
        ),
        pytest.param(
            replace(MOUNTED, free=0, files=("device_0_tenstorrent",)), "ok", "", "",
            id="its own files have them",
        ),
        pytest.param(
            replace(MOUNTED, free=0, files=("device_9_tenstorrent",)), "blocked", "none is free",
            SHOW_PAGES, id="another board's files have them",
        ),
        pytest.param(
            replace(MOUNTED, free=3), "warning", "3 of them free", SHOW_PAGES, id="few free"
        ),
        pytest.param(replace(MOUNTED, total=3), "warning", "3 are here", GET_PAGES, id="few"),
        pytest.param(Pages(), "unknown", "looked for", "", id="nobody looked"),
    ],
)  # fmt: skip
def test_what_a_container_is_launched_with_is_there_or_it_is_said_what_to_type(
    seen: Pages, verdict: str, said: str, step: str
) -> None:
    (board, *_) = t3k().boards
    found = of_pages("n300", (board,), seen, tt_metal="bbbbbbb", driver="2.10.0")
    assert (found.verdict, found.next_step) == (verdict, step)
    assert said in found.summary
