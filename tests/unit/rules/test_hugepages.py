# SPDX-License-Identifier: Apache-2.0
"""Are hugepages counted for chips with a node, and for no others?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.standins import machines
from tests.unit.rules.launching import contracts
from tests.unit.rules.validated import t3k

from ttctl.rules.hugepages import needs_mount, nodes_of, pages_for, translates


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


@pytest.mark.parametrize(
    ("commit", "iommu", "driver", "needed"),
    [
        pytest.param("aaaaaaa1", "DMA", "1.29", False, id="all three"),
        pytest.param("bbbbbbb", "DMA", "1.29", True, id="pin not known"),
        pytest.param("aaaaaaa1", "identity", "1.29", True, id="passes through"),
        pytest.param("aaaaaaa1", "DMA", "1.28.9", True, id="old driver"),
        pytest.param("aaaaaaa1", "DMA", "", True, id="driver not known"),
    ],
)
def test_a_container_sees_the_hugepages_unless_all_is_known_to_do_without(
    commit: str, iommu: str, driver: str, *, needed: bool
) -> None:
    contract = replace(contracts()["vllm-current"], without_hugepages=("aaaaaaa",))
    assert needs_mount(contract, tt_metal=commit, iommu=iommu, driver=driver) is needed


def test_no_pin_is_known_to_do_without_hugepages() -> None:
    assert not any(contract.without_hugepages for contract in contracts().values())
