# SPDX-License-Identifier: Apache-2.0
"""Is a card's image had as compose would, wherever it is, and known again by its digest?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, PINNED, PINNED_IMAGE, SERVER, card_scene
from tests.unit.fakes import at

from ttctl.errors import EngineError, OfflineError, TtctlError
from ttctl.model.plan import How
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.fetch import build
from ttctl.operations.plan import lock
from ttctl.operations.steps import plan_for

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

    from ttctl.model.plan import PullPolicy

assert PINNED.pins is not None
TAG = PINNED.pins.image


def place(where: str) -> Scene:
    """Return a machine whose image is here, in the registry, nowhere, or where nobody answers."""
    scene = card_scene()
    if where.startswith("here"):
        build(scene.world, LLAMA, how=How())
        scene.taken()
    if where.endswith("silent"):
        scene.registry.answers = False
    if where.endswith("absent"):
        scene.registry.digests.clear()
    return scene


@pytest.mark.parametrize(
    ("where", "pull", "way"),
    [
        pytest.param("remote", "missing", "pull", id="remote missing"),
        pytest.param("remote", "always", "pull", id="remote always"),
        pytest.param("remote", "never", "build", id="remote never"),
        pytest.param("here", "missing", "here", id="here missing"),
        pytest.param("here", "always", "pull", id="here always"),
        pytest.param("here", "never", "here", id="here never"),
        pytest.param("here, silent", "missing", "here", id="here silent missing"),
        pytest.param("here, silent", "always", "refuse", id="here silent always"),
        pytest.param("here, silent", "never", "here", id="here silent never"),
        pytest.param("here, absent", "missing", "here", id="here absent missing"),
        pytest.param("here, absent", "always", "refuse", id="here absent always"),
        pytest.param("absent", "missing", "build", id="absent missing"),
        pytest.param("absent", "always", "refuse", id="absent always"),
        pytest.param("absent", "never", "build", id="absent never"),
        pytest.param("silent", "missing", "build", id="silent missing"),
        pytest.param("silent", "always", "refuse", id="silent always"),
        pytest.param("silent", "never", "build", id="silent never"),
    ],
)
@pytest.mark.parametrize("forced", [True, False], ids=["--build", "as needed"])
def test_an_image_is_had_by_where_it_is_and_what_was_asked(
    where: str,
    pull: PullPolicy,
    way: str,
    forced: bool,  # noqa: FBT001
) -> None:
    scene, how = place(where), How(pull=pull, build=forced)
    if way == "refuse" and not forced:
        with pytest.raises(TtctlError, match="cannot be had"):
            desire(scene.world, LLAMA, how=how)
        return
    verbs = {"pull": "pull", "build": "build", "here": "skip"}
    steps = plan_for(scene.world, desire(scene.world, LLAMA, how=how), how).steps
    engine = next(one for one in steps if one.subject in {PINNED_IMAGE, "image vllm", "vllm-fork"})
    assert engine.verb == ("build" if forced else verbs[way])


@pytest.mark.parametrize("where", ["here", "here, silent", "here, absent"])
@pytest.mark.parametrize("pull", ["missing", "never"])
def test_an_image_that_is_here_is_locked_by_its_digest_whoever_pulled_it(
    where: str, pull: PullPolicy
) -> None:
    scene = place(where)
    lock = desire(scene.world, LLAMA, how=How(pull=pull)).lock
    assert PINNED_IMAGE in {one.reference for one in lock.images}


LOCKED_WAYS = [
    ("here", "missing", "skip"),
    ("here", "never", "skip"),
    ("here", "always", "pull"),
    ("remote", "missing", "pull"),
    ("remote", "never", "build"),
    ("remote", "always", "pull"),
]


@pytest.mark.parametrize("mirror", [False, True], ids=["upstream", "mirror"])
@pytest.mark.parametrize("locked", [False, True], ids=["", "locked"])
@pytest.mark.parametrize(("where", "pull", "verb"), LOCKED_WAYS)
def test_with_a_mirror_and_with_a_lock_an_image_is_had_the_same_way(
    where: str,
    pull: PullPolicy,
    verb: str,
    *,
    locked: bool,
    mirror: bool,
) -> None:
    scene, how = card_scene(), How(pull=pull)
    host = "mirror.example.org" if mirror else PINNED_IMAGE.partition("/")[0]
    scene.site = Site(registry=at(host) if mirror else None)
    name = PINNED_IMAGE.replace(PINNED_IMAGE.partition("/")[0], host)
    if locked:
        lock(scene.world, LLAMA, upgrade=False)
    if where == "here":
        build(scene.world, LLAMA, how=How())
    steps = plan_for(scene.world, desire(scene.world, LLAMA, how=how), how).steps
    subjects = {name, "image vllm", "vllm-fork"}
    assert next(one for one in steps if one.subject in subjects).verb == verb


def test_an_image_that_is_pulled_for_a_lock_keeps_its_tag() -> None:
    scene = card_scene()
    lock(scene.world, LLAMA, upgrade=False)
    build(scene.world, LLAMA, how=How())
    assert {TAG, PINNED_IMAGE} <= scene.engine.images


def test_an_image_that_somebody_loaded_has_no_digest_and_is_taken_by_its_name() -> None:
    scene = place("silent")
    scene.engine.images.add(TAG)
    assert desire(scene.world, LLAMA).images[-1].reference == TAG


def test_offline_a_second_stack_takes_the_image_that_a_first_one_has_pulled() -> None:
    scene = place("here, silent")
    scene.site = Site(offline=at("1"))
    assert desire(scene.world, LLAMA).images[-1].reference == PINNED_IMAGE
    scene.engine.images -= {TAG, PINNED_IMAGE}
    with pytest.raises(OfflineError):
        desire(scene.world, LLAMA)


def test_images_that_are_got_alone_are_built_side_by_side_too() -> None:
    scene = place("absent")
    build(scene.world, LLAMA, how=How())
    title = next(one for one in scene.reporter.steps if "Build vllm-fork" in one)
    assert {"Build gateway", "Build tt-metal"} < set(title.split("; "))


def test_images_are_got_alone_as_they_are_for_a_start() -> None:
    scene = place("remote")
    build(scene.world, LLAMA, how=How(pull="never"))
    assert "build vllm-fork" in scene.taken()
    scene = place("remote")
    build(scene.world, LLAMA, how=How(build=True))
    assert "build vllm-fork" in scene.taken()
    request = Request(model=SERVER.model, device=SERVER.device)
    with pytest.raises(EngineError, match="cannot be had"):
        build(card_scene(SERVER).world, request, how=How(build=True))
