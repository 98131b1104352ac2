# SPDX-License-Identifier: Apache-2.0
"""Does a lock hold while it answers what is asked, and are weights asked for where they are?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, PINNED, PINNED_IMAGE, SERVER, card_scene
from tests.unit.fakes import REVISION, Scene

from ttctl.errors import NothingFitsError
from ttctl.model.spec import Limits, Request, Weights
from ttctl.operations.choice import kept_spec, new_choice, remembered
from ttctl.operations.plan import lock

if TYPE_CHECKING:
    from ttctl.model.lock import Lock

OTHER = replace(PINNED, id="other", implementation="llama3_70b_galaxy", default=False)
IN_THE_IMAGE = replace(SERVER, weights=Weights(kind="hub", repository="resnet-50"))


@pytest.fixture
def scene() -> Scene:
    scene = card_scene()
    scene.catalog.entries = (*scene.catalog.entries, OTHER)
    return scene


@pytest.fixture
def locked(scene: Scene) -> Lock:
    return lock(scene.world, replace(LLAMA, implementation="tt_transformers"), upgrade=False)


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        pytest.param({}, True, id="what was asked then"),
        pytest.param({"implementation": "tt_transformers"}, True, id="its implementation"),
        pytest.param({"engine": "vllm", "device": "n300"}, True, id="its engine and device"),
        pytest.param({"implementation": "llama3_70b_galaxy"}, False, id="another implementation"),
        pytest.param({"engine": "media"}, False, id="another engine"),
        pytest.param({"device": "n150"}, False, id="another device"),
        pytest.param({"model": "llama"}, False, id="another word"),
    ],
)
def test_a_lock_holds_for_the_entry_that_it_names_and_for_no_other(
    scene: Scene, locked: Lock, asked: dict[str, str], *, holds: bool
) -> None:
    request = replace(LLAMA, **asked)  # type: ignore[arg-type]
    assert (kept_spec(scene.world, locked, request) == PINNED) == holds


def test_a_lock_means_its_own_implementation_whatever_the_catalogs_order(
    scene: Scene, locked: Lock
) -> None:
    scene.catalog.entries = tuple(reversed(scene.catalog.entries))
    assert kept_spec(scene.world, locked, LLAMA) == PINNED
    other = replace(locked, implementation="llama3_70b_galaxy")
    assert kept_spec(scene.world, other, LLAMA) == OTHER
    assert kept_spec(scene.world, replace(locked, implementation="gone"), LLAMA) is None


def test_another_implementation_is_locked_in_the_place_of_the_first(
    scene: Scene, locked: Lock
) -> None:
    assert locked.implementation == "tt_transformers"
    anew = lock(scene.world, replace(LLAMA, implementation="llama3_70b_galaxy"), upgrade=False)
    assert anew.implementation == "llama3_70b_galaxy"


def test_a_locked_image_is_asked_for_nowhere(scene: Scene, locked: Lock) -> None:
    scene.registry.asked.clear()
    scene.registry.answers = False
    again = lock(scene.world, LLAMA, upgrade=False)
    assert again == locked
    assert {one.name: one.reference for one in again.images}["vllm"] == PINNED_IMAGE


def test_weights_that_are_no_repository_are_left_to_the_image_and_asked_for_nowhere() -> None:
    scene = card_scene(IN_THE_IMAGE)
    scene.weights.offline = True
    found = new_choice(scene.world, Request(model=SERVER.model, device="n300"))
    assert (found.weights.repository, found.weights.revision) == ("resnet-50", "")
    assert found.weights.files == ()
    assert found.reason.endswith("its image fetches the weights itself")


def test_weights_of_the_hub_are_locked_by_their_commit(scene: Scene) -> None:
    assert new_choice(scene.world, LLAMA).weights.revision == REVISION
    unlocked = new_choice(scene.world, LLAMA, unlocked=True).weights
    assert (unlocked.repository, unlocked.revision) == (PINNED.weights.repository, "")


def test_limits_that_an_entry_does_not_say_are_no_limits_of_the_next_request(scene: Scene) -> None:
    none = Limits(max_model_len=0, max_num_seqs=0, block_size=0)
    unsaid = replace(SERVER, limits=none)
    scene.catalog.entries = (unsaid,)
    scene.registry.digests = {SERVER.pins.image: f"sha256:{'d' * 64}"} if SERVER.pins else {}
    request = Request(model=SERVER.model, device="n300")
    first = lock(scene.world, request, upgrade=False)
    assert first.max_model_len == 0
    assert lock(scene.world, remembered(request, first), upgrade=False) == first


def test_an_implementation_that_is_not_for_the_device_is_refused(scene: Scene) -> None:
    with pytest.raises(NothingFitsError):
        new_choice(scene.world, replace(LLAMA, implementation="llama3_70b_galaxy", device="t3k"))
