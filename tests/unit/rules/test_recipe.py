# SPDX-License-Identifier: Apache-2.0
"""Is each pin built by the recipe of its time, and is what cannot be built told why?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.listed import FACTS, FORGE, MEDIA, MULTIHOST, VLLM, listed

from ttctl.errors import UsageError
from ttctl.model.image import LocalSource
from ttctl.model.pins import DERIVED, RECIPES
from ttctl.rules.contract import pins_of
from ttctl.rules.recipe import FROM_SOURCE, NOT_FROM_SOURCE, CannotBuild, SourceBuild, recipe_for

METAL, PLUGIN = "a" * 40, "b" * 40
REPOSITORIES = {
    "tt-metal": "https://git.example.org/acme/tt-metal.git",
    "vllm": "https://git.example.org/acme/vllm.git",
    "vllm-tt-plugin": "https://git.example.org/acme/vllm-tt-plugin.git",
}
PINS = replace(pins_of(listed(f"{VLLM}:0.9.0-a-b", vllm="3499ffa"), FACTS), tt_metal=METAL)


def built(**changes: object) -> SourceBuild:
    found = recipe_for(replace(PINS, **changes), repositories=REPOSITORIES)  # type: ignore[arg-type]
    assert isinstance(found, SourceBuild)
    return found


@pytest.mark.parametrize(
    ("image", "vllm", "recipe"),
    [
        pytest.param("0.9.0-a-b", "3499ffa", "vllm-fork", id="the fork alone"),
        pytest.param("0.14.0-a-b", "7678b70", "vllm-fork-plugin", id="the fork and its plugin"),
        pytest.param("0.18.0-a-b", "6b4a3a7", "vllm-empty-plugin", id="no target, and the plugin"),
        pytest.param("0.30.0-a-b", PLUGIN, "vllm-standalone-plugin", id="the plugin alone"),
    ],
)
def test_a_pin_is_built_by_the_recipe_of_its_time(image: str, vllm: str, recipe: str) -> None:
    pins = pins_of(listed(f"{VLLM}:{image}", vllm=vllm), FACTS)
    found = recipe_for(pins, repositories=REPOSITORIES)
    assert isinstance(found, SourceBuild)
    assert found.image == recipe
    name = "vllm-tt-plugin" if recipe == "vllm-standalone-plugin" else "vllm"
    assert dict(found.values)["vllm_repository"] == REPOSITORIES[name]


@pytest.mark.parametrize(
    ("image", "engine", "because"),
    [
        pytest.param(f"{MEDIA}:0.12.0-a", "media", "day to day", id="media"),
        pytest.param(f"{FORGE}:0.12.0-a", "forge", "PJRT", id="forge"),
        pytest.param(f"{MULTIHOST}:0.12.0-a-b", "vllm", "several hosts", id="multihost"),
    ],
)
def test_what_is_only_pulled_says_why(image: str, engine: str, because: str) -> None:
    pins = pins_of(listed(image, engine=engine), FACTS)
    found = recipe_for(pins, repositories=REPOSITORIES)
    assert isinstance(found, CannotBuild)
    assert found.sentence.startswith("cannot be built from source, because ")
    assert because in found.sentence


def test_every_recipe_is_built_or_says_why_not() -> None:
    assert set(RECIPES) == {*FROM_SOURCE, *DERIVED, *NOT_FROM_SOURCE}


def test_an_entry_without_a_commit_of_vllm_cannot_be_built() -> None:
    found = recipe_for(replace(PINS, vllm=""), repositories=REPOSITORIES)
    assert isinstance(found, CannotBuild)
    assert found.reason == "the entry pins no commit of vllm"


def test_a_short_commit_is_named_until_it_is_resolved() -> None:
    assert built().unlocked == ("vllm",)
    full = recipe_for(PINS, repositories=REPOSITORIES, commits={"vllm": PLUGIN})
    assert isinstance(full, SourceBuild)
    assert full.unlocked == ()
    assert dict(full.values)["vllm_commit"] == PLUGIN


def test_a_checkout_stands_in_place_of_the_commit_and_is_named_as_unvalidated() -> None:
    local = LocalSource(component="tt-metal", path="/src", digest="c" * 64)
    found = recipe_for(PINS, repositories=REPOSITORIES, sources=[local])
    assert isinstance(found, SourceBuild)
    assert found.unvalidated == ("tt-metal",)
    assert found.unlocked == ("vllm",)
    assert dict(found.values)["tt_metal_commit"] == f"local-{'c' * 64}"


def test_a_checkout_of_something_else_is_refused() -> None:
    local = LocalSource(component="sfpi", path="/src", digest="c" * 64)
    with pytest.raises(UsageError, match="'sfpi'") as caught:
        recipe_for(PINS, repositories=REPOSITORIES, sources=[local])
    assert caught.value.next_step == "ttctl up --help"


@pytest.mark.parametrize("uid", [999, 60000, 0, -1])
def test_a_user_id_of_the_system_is_refused(uid: int) -> None:
    with pytest.raises(UsageError, match=str(uid)) as caught:
        recipe_for(PINS, repositories=REPOSITORIES, uid=uid)
    assert caught.value.evidence == "Allowed: 1000 to 59999."


@pytest.mark.parametrize("uid", [1000, 15863, 59999])
def test_a_user_id_of_a_person_is_taken(uid: int) -> None:
    found = recipe_for(PINS, repositories=REPOSITORIES, uid=uid)
    assert isinstance(found, SourceBuild)
    assert dict(found.values)["uid"] == str(uid)


@pytest.mark.parametrize(
    ("image", "ubuntu", "python"),
    [
        pytest.param(f"{VLLM}:0.9.0-a-b", "22.04", "3.10", id="22.04"),
        pytest.param(f"{VLLM.replace('22.04', '24.04')}:1-a-b", "24.04", "3.12", id="24.04"),
        pytest.param("acme/x:1", "22.04", "3.10", id="none in the name"),
        pytest.param("acme/x-ubuntu-18.04:1", "22.04", "3.10", id="one that tt-metal is not for"),
    ],
)
def test_the_distribution_is_the_prebuilt_images(image: str, ubuntu: str, python: str) -> None:
    values = dict(built(image=image).values)
    assert (values["ubuntu_version"], values["python_version"]) == (ubuntu, python)
