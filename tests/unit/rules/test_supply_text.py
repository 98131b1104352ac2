# SPDX-License-Identifier: Apache-2.0
"""Is it said once where weights come from, however often it is looked up?"""

from __future__ import annotations

from ttctl.model.weights import Supply
from ttctl.rules.supply_text import placed, supply_text

MOUNTED = Supply(total_bytes=9, fetched_bytes=0, place="~/models/X", mounted=True)
LINKED = Supply(total_bytes=4_000_000, fetched_bytes=1_000_000, place="~/hub")
OURS = Supply(total_bytes=9, fetched_bytes=0)


def test_a_place_is_said_once_and_replaced_where_it_changes() -> None:
    once = placed("the entry; no card was found", MOUNTED)
    assert once == "the entry; no card was found; its weights are read in ~/models/X"
    assert placed(once, MOUNTED) == once
    assert placed(once, OURS) == "the entry; no card was found"
    linked = placed("the entry", LINKED)
    assert placed(linked, LINKED) == linked
    assert placed(linked, OURS) == linked


def test_what_is_taken_on_trust_is_named() -> None:
    trusted = Supply(
        total_bytes=9, fetched_bytes=0, place="/m", mounted=True, unproven=tuple("abcde")
    )
    assert supply_text(trusted).endswith("nobody told the hash of a, b, c, d and more")
    assert supply_text(OURS) == ""
    assert supply_text(LINKED) == "3.0 MB of it from ~/hub"
