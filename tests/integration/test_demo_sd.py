# SPDX-License-Identifier: Apache-2.0
"""The picture model draws what it is asked for: inside the product's own image, from its folder."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.product_images import product_images

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

FOLDER = Path(__file__).parents[2] / "images" / "demo-sd"
SEEDS = 20 if os.environ.get("TRAINING") == "whole" else 5
"""`make integration` draws all 160 pictures, which takes minutes of both processors."""
PICTURES = 8 * SEEDS
COLOURS_ENOUGH = 0.8
SHAPES_ENOUGH = 0.4
LIMIT_S = 1800
FIGURES = re.compile(
    r"colour (?P<colours>\d+) of (?P<pictures>\d+)\n"
    r"shape (?P<shapes>\d+) of \d+ \(by chance one in four\)\n"
    r"overlap (?P<named>[\d.]+) with the named shape, (?P<others>[\d.]+) with the others\n"
    r".* s a picture, pixels (?P<pixels>[0-9a-f]{16})\n"
)


def in_the_image(*arguments: str) -> str:
    """Evaluate the model: no network, the source read-only, user 1000."""
    name = f"ttctl-test-{secrets.token_hex(4)}"
    docker = [
        "docker", "run", "--rm", "--init", f"--name={name}", "--network=none", "--read-only",
        "--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges:true",
        "--memory=3g", "--tmpfs=/tmp:size=256m,mode=1777", "--env=HOME=/tmp",
        "--env=HF_HUB_OFFLINE=1", "--env=OMP_WAIT_POLICY=PASSIVE",
        f"--volume={FOLDER}:/source:ro", "--workdir=/source",
        "--entrypoint=python", product_images()["sd-cpu"], "-B", "evaluate.py", "model",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            [*docker, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout


def figures(told: str) -> dict[str, str]:
    found = FIGURES.search(told)
    assert found, told
    return found.groupdict()


@pytest.fixture(scope="module")
def evaluated() -> dict[str, str]:
    return figures(in_the_image("--seeds", str(SEEDS)))


def test_the_named_colour_dominates_over_many_seeds(
    evaluated: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    record_property("named colour dominates", f"{evaluated['colours']} of {PICTURES}")
    assert int(evaluated["pictures"]) == PICTURES
    assert int(evaluated["colours"]) >= COLOURS_ENOUGH * PICTURES


def test_the_shape_is_the_named_one_more_often_than_by_chance(
    evaluated: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    record_property("named shape fits best", f"{evaluated['shapes']} of {PICTURES}")
    record_property("overlap", f"{evaluated['named']} (other shapes {evaluated['others']})")
    assert int(evaluated["shapes"]) >= SHAPES_ENOUGH * PICTURES
    assert float(evaluated["named"]) > float(evaluated["others"])


def test_the_same_seeds_give_the_same_pixels() -> None:
    one, again = (figures(in_the_image("--seeds", "3"))["pixels"] for _ in range(2))
    assert one == again
