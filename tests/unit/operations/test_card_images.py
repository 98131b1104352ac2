# SPDX-License-Identifier: Apache-2.0
"""Is an entry's image the validated one by its digest, or ours from full commits?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import Scene, at
from tests.unit.listed import FACTS, MEDIA, VLLM, listed

from ttctl.errors import EngineError, OfflineError
from ttctl.model.image import BaseImage, LocalSource
from ttctl.model.plan import How
from ttctl.model.site import Site
from ttctl.operations.card_images import CardImages, Wish, card_images
from ttctl.rules.contract import pins_of

BASE = BaseImage(origin="bootstrapped", reference="ttctl/rootfs:bookworm")
DIGEST = f"sha256:{'d' * 64}"
IMAGE = f"{VLLM}:0.9.0-55fd115-aa4ae1e"
BY_DIGEST = f"{VLLM}@{DIGEST}"
PINS = replace(pins_of(listed(IMAGE), FACTS), tt_metal="55fd115")
MIRRORED = Site(registry=at("mirror.example.org"))
MEDIA_PINS = replace(pins_of(listed(f"{MEDIA}:0.12.0-a", engine="media"), FACTS), tt_metal="a" * 7)
CHAIN = ["base", "tt-metal-base", "tt-metal", "vllm-fork"]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def published(scene: Scene) -> Scene:
    scene.registry.digests[IMAGE] = DIGEST
    return scene


def had(scene: Scene, wish: Wish | None = None) -> CardImages:
    return card_images(scene.world, PINS, BASE, name="vllm", wish=wish)


def test_the_validated_image_is_pulled_by_its_digest(published: Scene) -> None:
    found = had(published)
    (image,) = found.images
    assert (image.name, image.reference, image.prebuilt) == ("vllm", BY_DIGEST, True)
    assert image.fingerprint == "d" * 64
    assert found.obtain.way == "pull"
    assert published.commits.asked == []


def test_the_same_image_from_a_mirror_has_the_same_fingerprint(published: Scene) -> None:
    first = had(published).images[0]
    published.registry.digests = {}
    mirrored = Wish(locked=f"mirror.example.org/x@{DIGEST}")
    assert had(published, mirrored).images[0].fingerprint == first.fingerprint


def test_what_a_lock_names_asks_nobody(published: Scene) -> None:
    published.engine.images.add(BY_DIGEST)
    found = had(published, Wish(locked=BY_DIGEST))
    assert (found.obtain.way, found.images[0].reference) == ("here", BY_DIGEST)
    assert published.registry.asked == []


def test_whom_the_image_starts_as_is_the_registry_s_word(published: Scene) -> None:
    published.registry.user = "15863"
    assert had(published).images[0].user == "15863"


def test_where_no_registry_is_asked_the_image_that_is_here_says_whom_it_starts_as(
    scene: Scene,
) -> None:
    scene.engine.images.add(IMAGE)
    scene.engine.users[IMAGE] = "2001"
    assert had(scene, Wish(how=How(pull="never"))).images[0].user == "2001"


def test_a_lock_keeps_whom_the_image_starts_as_and_nobody_is_asked(scene: Scene) -> None:
    scene.engine.images.add(BY_DIGEST)
    found = had(scene, Wish(locked=BY_DIGEST, locked_user="15863"))
    assert (found.images[0].user, scene.registry.asked) == ("15863", [])


def test_what_is_nowhere_is_built_from_full_commits(scene: Scene) -> None:
    found = had(scene)
    assert found.obtain.way == "build"
    assert [one.name for one in found.images] == CHAIN
    assert [one.component for one in found.commits] == ["tt-metal", "vllm"]
    assert found.pins == (("tt-metal", f"{'55fd115':0<40}"), ("vllm", f"{'aa4ae1e':0<40}"))
    assert f"{'55fd115':0<40}" in found.images[2].dockerfile
    assert f"{'aa4ae1e':0<40}" in found.images[3].dockerfile


def test_what_was_built_before_is_used(scene: Scene) -> None:
    scene.engine.images.add(had(scene).images[-1].reference)
    found = had(scene)
    assert (found.obtain.way, found.obtain.own) == ("here", True)


def test_another_pin_of_vllm_leaves_tt_metal_as_it_is(scene: Scene) -> None:
    other = replace(PINS, vllm="3499ffa")
    first = had(scene).images
    second = card_images(scene.world, other, BASE, name="vllm").images
    assert first[:-1] == second[:-1]
    assert first[-1].reference != second[-1].reference


def test_another_user_leaves_tt_metal_as_it_is(scene: Scene) -> None:
    first, second = had(scene).images, had(scene, Wish(uid=15863)).images
    assert first[:-1] == second[:-1]
    assert "TTCTL_UID=15863" in second[-1].dockerfile


def test_build_forces_a_build_though_the_image_is_there(published: Scene) -> None:
    found = had(published, Wish(how=How(build=True)))
    assert found.obtain.way == "build"
    assert published.registry.asked == []


def test_a_checkout_is_built_and_named(published: Scene) -> None:
    local = LocalSource(component="tt-metal", path="/src", digest="c" * 64)
    found = had(published, Wish(sources=(local,)))
    assert found.unvalidated == ("tt-metal",)
    assert [one.source for one in found.images] == [None, local, local, None]
    assert [one.component for one in found.commits] == ["vllm"]
    assert found.pins[0] == ("tt-metal", local.commit)


def test_a_checkout_s_image_names_no_repository_as_its_source(scene: Scene) -> None:
    local = LocalSource(component="vllm", path="/src", digest="c" * 64)
    *_, metal, fork = had(scene, Wish(sources=(local,))).images
    label = "LABEL org.opencontainers.image.source="
    assert f'{label}"" \\\n' in fork.dockerfile
    assert f"{label}https://git.example.org/acme/tt-metal.git" in metal.dockerfile


def test_never_to_pull_asks_no_registry(published: Scene) -> None:
    found = had(published, Wish(how=How(pull="never")))
    assert found.obtain.way == "build"
    assert published.registry.asked == []


def test_always_to_pull_is_refused_where_there_is_nothing_to_pull(scene: Scene) -> None:
    with pytest.raises(EngineError, match="cannot be had") as caught:
        had(scene, Wish(how=How(pull="always")))
    assert caught.value.why == "--pull always, but the registry has none."


def test_what_no_recipe_builds_is_refused_with_both_reasons(scene: Scene) -> None:
    with pytest.raises(EngineError) as caught:
        card_images(scene.world, MEDIA_PINS, BASE, name="media")
    assert caught.value.why.startswith(
        "The registry has none, and the image cannot be built from source, because"
    )


def test_where_nobody_answers_the_missing_commits_are_named(scene: Scene) -> None:
    scene.registry.answers = scene.commits.answers = False
    with pytest.raises(OfflineError, match=f"The image '{IMAGE}' cannot be had") as caught:
        had(scene)
    assert caught.value.why == (
        "Nobody answers, and the image cannot be built from source, because the full commits of x"
        " are not known here."
    )


def test_always_to_pull_names_the_flag_and_the_mirror_and_asks_for_no_commit(scene: Scene) -> None:
    scene.site, scene.registry.answers = MIRRORED, False
    with pytest.raises(OfflineError, match=r"'mirror\.example\.org/tenstorrent/") as caught:
        had(scene, Wish(how=How(pull="always")))
    assert caught.value.why == "--pull always, but nobody answers."
    assert "without --pull always" in caught.value.next_step
    assert scene.commits.asked == []


def test_never_to_pull_says_that_the_image_is_pulled_without_it(published: Scene) -> None:
    published.commits.answers = False
    with pytest.raises(OfflineError) as caught:
        had(published, Wish(how=How(pull="never")))
    assert caught.value.why.startswith("--pull never, and the image cannot be built")
    assert caught.value.next_step == (
        f"docker pull {IMAGE}   # or leave out --pull never: then ttctl pulls it"
    )


def test_offline_the_image_that_is_missing_is_named_and_what_keeps_ttctl_from_it(
    scene: Scene,
) -> None:
    scene.site, scene.commits.answers = Site(offline=at("1", "--offline")), False
    with pytest.raises(OfflineError, match=f"The image '{IMAGE}' cannot be had") as caught:
        had(scene)
    assert caught.value.next_step == (
        f"docker pull {IMAGE}   # where there is a network; --offline keeps ttctl from it"
    )


def test_what_a_lock_names_is_pulled_by_the_mirror_of_now_and_keeps_its_tag(scene: Scene) -> None:
    scene.site = MIRRORED
    found = had(scene, Wish(locked=f"old.example.org/x/{BY_DIGEST.rpartition('/')[2]}"))
    (image,) = found.images
    path = IMAGE.partition("/")[2]
    assert image.tag == f"mirror.example.org/{path}"
    assert image.reference == f"mirror.example.org/{path.partition(':')[0]}@{DIGEST}"
    assert found.obtain.reason == "the lock names the validated image"
    assert scene.registry.asked == []


def test_what_a_lock_names_serves_by_the_mirror_that_it_came_from(scene: Scene) -> None:
    scene.engine.images.add(BY_DIGEST)
    scene.site = MIRRORED
    found = had(scene, Wish(locked=BY_DIGEST))
    assert (found.obtain.way, found.images[0].reference) == ("here", BY_DIGEST)


def test_never_to_pull_builds_what_a_lock_names_and_is_not_here(scene: Scene) -> None:
    found = had(scene, Wish(locked=BY_DIGEST, how=How(pull="never")))
    assert (found.obtain.way, found.obtain.own) == ("build", True)
    assert found.obtain.reason == "--pull never: it is built from the pinned commits"


def test_an_entry_without_a_published_image_is_built_behind_a_mirror_too(scene: Scene) -> None:
    scene.site = MIRRORED
    wish = Wish(how=How(pull="never"))
    found = card_images(scene.world, replace(PINS, image=""), BASE, name="vllm", wish=wish)
    assert (found.obtain.way, found.obtain.own) == ("build", True)


def test_a_lock_of_a_loaded_image_has_no_digest_and_is_found_by_its_name(scene: Scene) -> None:
    scene.engine.images.add(IMAGE)
    found = had(scene, Wish(locked=IMAGE))
    assert (found.obtain.way, found.images[0].reference) == ("here", IMAGE)


def test_offline_a_locked_image_that_is_gone_is_not_pulled(scene: Scene) -> None:
    scene.site = Site(offline=at("1"))
    with pytest.raises(OfflineError) as caught:
        had(scene, Wish(locked=BY_DIGEST))
    assert "set to use no network" in caught.value.why


@pytest.mark.parametrize("offline", [True, False])
def test_an_unlocked_rendering_keeps_tags_and_short_commits_and_asks_nobody(
    scene: Scene,
    offline: bool,  # noqa: FBT001
) -> None:
    scene.site = Site(offline=at("1") if offline else None)
    assert [one.reference for one in had(scene, Wish(unlocked=True)).images] == [IMAGE]
    built = had(scene, Wish(unlocked=True, how=How(build=True)))
    assert built.pins == (("tt-metal", "55fd115"), ("vllm", "aa4ae1e"))
    assert (built.obtain.way, scene.commits.asked, scene.registry.asked) == ("build", [], [])
