# SPDX-License-Identifier: Apache-2.0
"""Does only that go which no state of a stack names, no container is of, and nobody just made?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.fakes import Scene

from ttctl.model.engine_files import EngineCache
from ttctl.model.litter import OwnImage
from ttctl.model.lock import LockedEngine
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.prune import YOUNG_S, caches_in, named_by, unmounted, unnamed

NOW = 1_000_000
OLD = OwnImage(reference="ttctl/x:1", image_id="sha256:1", size_bytes=5, made_at=NOW - YOUNG_S)
DESIRED = desire(Scene().world, Request(model="llama"))
LOCK = DESIRED.lock


def test_an_image_that_is_old_and_of_no_use_goes_and_no_other() -> None:
    (one,) = unnamed([OLD], named=frozenset(), used=frozenset(), now=NOW)
    assert (one.kind, one.name, one.size_bytes) == ("image", "ttctl/x:1", 5)
    assert unnamed([OLD], named=frozenset({"ttctl/x:1"}), used=frozenset(), now=NOW) == ()
    assert unnamed([OLD], named=frozenset(), used=frozenset({"sha256:1"}), now=NOW) == ()
    assert unnamed([OLD], named=frozenset(), used=frozenset(), now=NOW - 1) == ()


def test_a_state_names_its_base_its_images_with_all_they_stand_on_and_what_is_composed() -> None:
    named = named_by(LOCK, 'services:\n  own:\n    image: "ttctl/own:9"\n')
    assert {"ttctl/own:9", LOCK.base.reference} <= named
    assert {one.reference for one in DESIRED.images} <= named
    assert {one.parent for one in DESIRED.images if one.parent} <= named


def test_an_engine_beside_names_its_image() -> None:
    beside = LockedEngine(
        service="api", requested="llama", model="m", device="cpu", engine="direct", reason="",
        weights=LOCK.weights, image="ttctl/direct:7",
    )  # fmt: skip
    assert "ttctl/direct:7" in named_by(replace(LOCK, beside=(beside,)), "")


def test_a_cache_that_a_state_mounts_stays() -> None:
    dotenv = "# x\nTTCTL_CACHE='/c/one'\nTTCTL_API_CACHE='/c/two'\nTTCTL_PORT='8000'\n"
    mounted = caches_in(dotenv)
    assert mounted == {"/c/one", "/c/two"}
    caches = [
        EngineCache(name=name, path=Path("/c") / name, size_bytes=3)
        for name in ("one", "two", "three")
    ]
    (left,) = unmounted(caches, mounted=mounted)
    assert unmounted(caches, mounted=mounted | {"/c/three/kernels"}) == ()
    assert unmounted(caches, mounted=mounted | {"/c/three-more"}) == (left,)
    assert (left.kind, left.name, left.target, left.size_bytes) == ("cache", "three", "/c/three", 3)
