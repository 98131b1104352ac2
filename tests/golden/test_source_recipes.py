# SPDX-License-Identifier: Apache-2.0
"""Is the Dockerfile of each image that is built from source the one that was reviewed?

`TTCTL_GOLDEN=write` rewrites them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.fakes import RECIPES
from tests.unit.listed import FACTS, VLLM, listed

from ttctl.adapters import places
from ttctl.adapters.sources import read_sources
from ttctl.model.image import BaseImage
from ttctl.model.pins import DERIVED
from ttctl.rules.contract import pins_of
from ttctl.rules.images import specs_for
from ttctl.rules.recipe import SourceBuild, recipe_for

FOLDER = Path(__file__).parent / "source-recipes"
BASE = BaseImage(origin="bootstrapped", reference="ttctl/rootfs:bookworm", source="debian bookworm")
METAL = "80180b9d7d07ea9fcc99f723d4d46fe7a0b233bd"
PINS = {
    "vllm-fork": ("0.9.0", "3499ffa1fd8ab7a6987e17347d31d78379a92bef"),
    "vllm-fork-plugin": ("0.14.0", "7678b70408180e7e9bda7656719975730ac4b47e"),
    # Their full commits are not known: these stand for any.
    "vllm-empty-plugin": ("0.18.0", "6b4a3a7" + "0" * 33),
    "vllm-standalone-plugin": ("0.21.0", "1" * 40),
    "direct": ("0.14.0", ""),
    "sd": ("0.14.0", ""),
}


def dockerfiles(recipe: str) -> dict[str, str]:
    """Return what builds a pin of each recipe, by image."""
    version, vllm = PINS[recipe]
    pins = pins_of(listed(f"{VLLM}:{version}-a-b", vllm=vllm), FACTS)
    if recipe in DERIVED:
        pins = replace(pins, recipe=recipe)  # type: ignore[arg-type]
    build = recipe_for(
        pins,
        repositories=read_sources(places.catalog()).source,
        commits={"tt-metal": METAL, "vllm": vllm},
    )
    assert isinstance(build, SourceBuild)
    assert build.unlocked == ()
    recipes = {name: RECIPES.recipe(name) for name in RECIPES.names()}
    specs = specs_for(
        recipes, (build.image,), base=BASE, render=RECIPES.render, values=dict(build.values)
    )
    return {spec.name: spec.dockerfile for spec in specs[1:]}


@pytest.mark.parametrize("recipe", PINS)
def test_golden_dockerfiles_of_a_recipe_are_the_ones_that_were_reviewed(recipe: str) -> None:
    found = dockerfiles(recipe)
    assert list(found) == ["tt-metal-base", "tt-metal", recipe]
    for name, text in found.items():
        file = FOLDER / name / "Dockerfile"
        if os.environ.get("TTCTL_GOLDEN") == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert text == file.read_text(encoding="utf-8")


def test_golden_files_are_of_images_that_there_are() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"tt-metal-base", "tt-metal", *PINS}
