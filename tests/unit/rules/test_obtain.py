# SPDX-License-Identifier: Apache-2.0
"""Is the validated image pulled first, else built, and else refused with both reasons?"""

from __future__ import annotations

from itertools import product

import pytest

from ttctl.model.plan import How
from ttctl.model.prebuilt import Prebuilt
from ttctl.rules.obtain import Present, how_to_obtain
from ttctl.rules.recipe import CannotBuild, SourceBuild

THERE = Prebuilt(reference="r.example.org/x:1", state="there", digest=f"sha256:{'a' * 64}")
LOCKED = Prebuilt(reference="r.example.org/x:1", state="locked", digest=f"sha256:{'a' * 64}")
ABSENT = Prebuilt(reference="r.example.org/x:1", state="absent", why="the registry has none")
SILENT = Prebuilt(reference="r.example.org/x:1", state="silent", why="nobody answers")
UNASKED = Prebuilt(reference="r.example.org/x:1", state="unasked", why="set to be offline")
FORK = SourceBuild(image="vllm-fork", values=())
LOCAL = SourceBuild(image="vllm-fork", values=(), unvalidated=("vllm",))
MEDIA = CannotBuild(reason="its base floats")
NONE, PULLED, OWN = Present(), Present(prebuilt=True), Present(own=True)
MISSING, ALWAYS, NEVER = How(), How(pull="always"), How(pull="never")
BUILD = How(build=True)


@pytest.mark.parametrize(
    ("prebuilt", "recipe", "present", "how", "expected", "reason"),
    [
        pytest.param(
            THERE, FORK, NONE, MISSING, "pull", "the validated image is in the registry", id="pull"
        ),
        pytest.param(
            LOCKED, FORK, NONE, MISSING, "pull", "the lock names the validated image", id="locked"
        ),
        pytest.param(
            THERE, FORK, PULLED, MISSING, "here", "the validated image is here", id="here"
        ),
        pytest.param(THERE, FORK, PULLED, ALWAYS, "pull", "--pull always", id="pulled again"),
        pytest.param(
            THERE, FORK, OWN, MISSING, "pull", "the validated image is in the registry",
            id="the validated one goes before one of ours",
        ),
        pytest.param(
            ABSENT, FORK, NONE, MISSING, "build",
            "the registry has none: it is built from the pinned commits", id="absent, built",
        ),
        pytest.param(
            SILENT, FORK, NONE, MISSING, "build",
            "nobody answers: it is built from the pinned commits", id="silent, built",
        ),
        pytest.param(
            ABSENT, FORK, OWN, MISSING, "here own",
            "it was built here before; the registry has none", id="absent, built before",
        ),
        pytest.param(
            ABSENT, MEDIA, NONE, MISSING, "refuse",
            "the registry has none, and the image cannot be built from source, because its base"
            " floats", id="absent, no recipe",
        ),
        pytest.param(THERE, MEDIA, NONE, MISSING, "pull", "", id="no recipe is needed"),
        pytest.param(
            ABSENT, FORK, PULLED, ALWAYS, "refuse", "--pull always, but the registry has none",
            id="always, absent",
        ),
        pytest.param(THERE, FORK, PULLED, NEVER, "here", "the validated image is here", id="never"),
        pytest.param(
            THERE, FORK, NONE, NEVER, "build",
            "--pull never: it is built from the pinned commits", id="never, built",
        ),
        pytest.param(
            THERE, MEDIA, NONE, NEVER, "refuse",
            "--pull never, and the image cannot be built from source, because its base floats",
            id="never, no recipe",
        ),
        pytest.param(THERE, FORK, PULLED, BUILD, "build", "--build", id="--build"),
        pytest.param(THERE, FORK, OWN, BUILD, "build", "--build", id="--build again"),
        pytest.param(
            THERE, MEDIA, PULLED, BUILD, "refuse",
            "--build, but the image cannot be built from source, because its base floats",
            id="--build, no recipe",
        ),
        pytest.param(
            THERE, MEDIA, PULLED, How(build=True, build_word="--again"), "refuse",
            "--again, but the image cannot be built from source, because its base floats",
            id="--again, no recipe",
        ),
        pytest.param(
            THERE, LOCAL, PULLED, MISSING, "build",
            "a checkout stands in place of a pinned commit", id="a checkout",
        ),
        pytest.param(
            THERE, LOCAL, OWN, MISSING, "here own",
            "a checkout stands in place of a pinned commit: it was built here before",
            id="a checkout, built before",
        ),
    ],
)  # fmt: skip
def test_an_image_is_had_the_way_that_the_place_and_the_flags_allow(  # noqa: PLR0917
    prebuilt: Prebuilt,
    recipe: SourceBuild | CannotBuild,
    present: Present,
    how: How,
    expected: str,
    reason: str,
) -> None:
    found = how_to_obtain(prebuilt, recipe, present=present, how=how)
    assert found.reason == reason or (not reason and found.reason)
    way, _, own = expected.partition(" ")
    assert (found.way, found.own) == (way, bool(own) or way == "build")


@pytest.mark.parametrize("how", [MISSING, NEVER, BUILD])
def test_offline_nothing_is_built(how: How) -> None:
    found = how_to_obtain(UNASKED, FORK, present=NONE, how=how, offline=True)
    assert found.way == "refuse"
    assert "offline" in found.reason


def test_offline_what_is_here_is_used() -> None:
    for present, own in ((PULLED, False), (OWN, True)):
        found = how_to_obtain(UNASKED, FORK, present=present, how=MISSING, offline=True)
        assert (found.way, found.own) == ("here", own)


def test_whatever_is_asked_never_pulls_what_is_not_there_nor_builds_what_cannot_be() -> None:
    states, recipes = (THERE, ABSENT, SILENT, UNASKED), (FORK, LOCAL, MEDIA)
    hows = [How(build=build, pull=pull) for build in (True, False) for pull in PULLS]
    presents = [Present(prebuilt=a, own=b) for a in (True, False) for b in (True, False)]
    for prebuilt, recipe, present, how in product(states, recipes, presents, hows):
        found = how_to_obtain(prebuilt, recipe, present=present, how=how)
        assert found.reason
        assert found.way != "pull" or (prebuilt.state == "there" and how.pull != "never")
        assert found.way != "build" or isinstance(recipe, SourceBuild)
        assert found.way != "here" or (present.own if found.own else present.prebuilt)


PULLS = ("always", "missing", "never")
