# SPDX-License-Identifier: Apache-2.0
"""Are hugepages counted for chips with a node, and for no others?"""

from __future__ import annotations

import pytest
from tests.standins import machines
from tests.unit.rules.validated import t3k

from ttctl.rules.hugepages import nodes_of, pages_for, translates


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
