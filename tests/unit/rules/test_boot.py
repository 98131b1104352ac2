# SPDX-License-Identifier: Apache-2.0
"""Is it told what of a stack's cards is not there yet after a boot?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, WELL
from tests.unit.rules.validated import t3k

from ttctl.rules.boot import cards_missing, nodes_missing

if TYPE_CHECKING:
    from ttctl.model.health import CardVitals

BARE = replace(WELL, iommu=((FIRST, "identity"),))


def test_boards_that_the_driver_shows_are_here_and_others_are_named() -> None:
    assert nodes_missing(t3k(), (FIRST, "0000:09:00.0")) == ("0000:09:00.0",)
    without = replace(t3k(), boards=tuple(replace(one, nodes=()) for one in t3k().boards))
    assert cards_missing(without, WELL, (FIRST,)) == f"no node of {FIRST}"


@pytest.mark.parametrize(
    ("cards", "missing"),
    [
        pytest.param(BARE, "", id="pages that are mounted"),
        pytest.param(replace(BARE, hugepages=0), "no hugepages of 1 GiB", id="no pages"),
        pytest.param(
            replace(BARE, hugepages_mounted=False),
            "hugepages that are not mounted on /dev/hugepages-1G",
            id="pages without a mount",
        ),
        pytest.param(
            replace(WELL, hugepages=0, hugepages_mounted=False), "", id="an IOMMU that translates"
        ),
    ],
)
def test_hugepages_are_missed_where_no_iommu_translates(cards: CardVitals, missing: str) -> None:
    assert cards_missing(t3k(), cards, (FIRST,)) == missing
