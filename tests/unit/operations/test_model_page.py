# SPDX-License-Identifier: Apache-2.0
"""Does an entry's page have the runs of this entry on cards, and of no other?"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.fakes import CARD_MODEL, Scene

from ttctl.model.acceptance import RanOn
from ttctl.operations.catalogs import page

RUN = RanOn(
    entry="own", model="acme/Small-1B", device="n150", date="2026-01-31", verdict="passed",
    reached="target", file="a.json", signer="SHA256:abc", signature="good", driver="2.0.0",
    firmware=("19.2.0.0",), contract="vllm-current", ttctl="0.1.0",
)  # fmt: skip


def test_a_page_has_the_runs_of_its_own_entry() -> None:
    scene = Scene()
    scene.catalog.entries = (replace(CARD_MODEL, id="own"),)
    scene.hardware.runs = (RUN, replace(RUN, entry="another"))
    assert page(scene.world, "small", device="n150").ran == (RUN,)


def test_a_page_of_an_entry_that_did_not_run_has_none() -> None:
    scene = Scene()
    scene.catalog.entries = (replace(CARD_MODEL, id="own"),)
    assert page(scene.world, "small", device="n150").ran == ()
