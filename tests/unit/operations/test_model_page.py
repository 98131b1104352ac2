# SPDX-License-Identifier: Apache-2.0
"""Does an entry's page have the runs of this entry on cards, and of no other?"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.fakes import CARD_MODEL, Scene

from ttctl.cli.model_text import cache_text
from ttctl.model.acceptance import RanOn
from ttctl.model.pins import Pins
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


def test_a_page_has_the_caches_of_its_model_of_every_version() -> None:
    scene = Scene()
    pins = Pins(tt_metal="1", version="1", image="x:1", contract="own", recipe="vllm-fork", flag="")
    scene.catalog.entries = (replace(CARD_MODEL, pins=pins),)
    scene.engine_files.made = dict.fromkeys(
        ("a-Small-1B-v0.9.0", "a-Small-1B", "b-Small-1B-own", "a-Small-1B-Instruct"), (".",)
    )
    found = page(scene.world, "small", device="n150")
    names = [one.name for one in found.caches]
    assert names == ["a-Small-1B-v0.9.0", "a-Small-1B", "b-Small-1B-own"]
    (first, *_) = found.caches
    assert cache_text(first) == "a-Small-1B-v0.9.0 7 B"
    parted = replace(first, size_bytes=3_000_000, parts=(("kernels", 2_000_000), (".", 1_000_000)))
    assert cache_text(parted) == "a-Small-1B-v0.9.0 3.0 MB (kernels 2.0 MB)"
    scene.catalog.entries = (CARD_MODEL,)
    assert page(scene.world, "small", device="n150").caches == ()
