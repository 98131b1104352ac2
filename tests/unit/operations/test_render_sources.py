# SPDX-License-Identifier: Apache-2.0
"""Can a rendered folder build images from source with plain docker?"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene
from tests.unit.listed import FACTS, listed

from ttctl.model.image import LocalSource
from ttctl.model.spec import Request
from ttctl.operations.card_images import Wish, card_images
from ttctl.operations.desire import desire
from ttctl.operations.render_folder import render_files
from ttctl.rules.contract import pins_of

if TYPE_CHECKING:
    from ttctl.operations.render_folder import Files


def folder(*sources: LocalSource) -> Files:
    scene = Scene()
    desired = desire(scene.world, Request(model="llama"))
    made = card_images(
        scene.world,
        pins_of(listed(), FACTS),
        desired.base,
        name="vllm",
        wish=Wish(sources=sources),
    )
    return render_files(
        scene.world,
        lock=desired.lock,
        stack=desired.stack,
        serving=replace(desired.serving, images=made.images),
        base=desired.base,
    )


@pytest.mark.parametrize("local", [True, False], ids=["a checkout", "pinned commits"])
def test_the_script_that_builds_by_hand_is_clean(local: bool) -> None:  # noqa: FBT001
    source = LocalSource(component="tt-metal", path="/src", digest="c" * 64)
    text, executable = folder(*([source] if local else []))["build.sh"]
    assert executable
    program = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [str(program), "-"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert ("images/tt-metal/source/tree: lay the checkout here" in text) == local


def test_the_script_lays_the_tree_out_and_builds_it_by_what_it_holds() -> None:
    text = folder()["build.sh"][0]
    laid, baked = text.index("--output=type=local"), text.index("docker buildx bake")
    plain = text.index("--target=ci-build")
    assert laid < text.index('docker-bake.hcl" ]; then') < baked < plain
    assert "env --chdir=images/tt-metal-base/tree" in text


def test_every_build_that_takes_a_source_finds_its_folder() -> None:
    files = folder()
    for name in ("tt-metal-base", "tt-metal", "vllm-fork"):
        assert f"images/{name}/source/README" in files
        assert files[f"images/{name}/fetch-source"][1]


def test_the_script_drops_an_image_of_a_source_tree_that_fails_its_verify() -> None:
    files = folder()
    text = files["build.sh"][0]
    for name in ("tt-metal-base", "tt-metal", "vllm-fork"):
        assert files[f"images/{name}/verify"][1]
        assert f'--volume="$PWD/images/{name}/verify:/verify:ro" ttctl/{name}:' in text
    assert text.count("docker image rm --force") == text.count("if ! docker run") == 3
