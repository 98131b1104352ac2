# SPDX-License-Identifier: Apache-2.0
"""Are the Dockerfiles of the CPU target's own services the ones that were reviewed?

`TTCTL_GOLDEN=write` rewrites them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.fakes import RECIPES

from ttctl.model.image import BaseImage
from ttctl.rules.images import specs_for

FOLDER = Path(__file__).parent / "processor-images"
BASE = BaseImage(origin="bootstrapped", reference="ttctl/rootfs:bookworm", source="debian bookworm")
NAMES = ("direct-cpu", "sd-cpu")


@pytest.mark.parametrize("name", NAMES)
def test_golden_dockerfiles_of_the_processors_services_are_the_ones_that_were_reviewed(
    name: str,
) -> None:
    recipes = {one: RECIPES.recipe(one) for one in RECIPES.names()}
    found = specs_for(recipes, (name,), base=BASE, render=RECIPES.render)
    assert [one.name for one in found] == ["base", "torch", "vllm-cpu", name]
    golden = FOLDER / name / "Dockerfile"
    if os.environ.get("TTCTL_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(found[-1].dockerfile, encoding="utf-8")
    assert found[-1].dockerfile == golden.read_text(encoding="utf-8")
