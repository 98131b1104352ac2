# SPDX-License-Identifier: Apache-2.0
"""The built images hold what their recipes say, and nothing of the place that built them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.product_images import product_images

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

IMAGES = Path(__file__).parents[2] / "images"
LARGEST_BYTES = 1_600_000_000
NAMES = ("base", "torch", "vllm-cpu", "gateway", "chat", "direct-cpu", "sd-cpu")


def docker(*words: str) -> str:
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def verified(image: str, recipe: str) -> str:
    """Run a recipe's `verify` in an image, held in as a service is."""
    return docker(
        "run", "--rm", "--network=none", "--read-only", "--user=1000:1000", "--cap-drop=ALL",
        "--security-opt=no-new-privileges:true", "--pids-limit=4096", "--memory=4g",
        "--tmpfs=/tmp:size=512m,mode=1777", f"--volume={IMAGES / recipe}:/recipe:ro",
        "--entrypoint=/recipe/verify", image,
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_what_its_recipe_says(name: str) -> None:
    assert verified(product_images()[name], name).endswith("verify: ok\n")


@pytest.mark.parametrize("name", NAMES[1:])
def test_an_image_keeps_what_its_base_promises(name: str) -> None:
    assert verified(product_images()[name], "base").endswith("verify: ok\n")


def chain_and_size(reference: str) -> tuple[tuple[str, ...], int]:
    """Return an image's layers, the lowest first, and what they take together."""
    (found,) = json.loads(docker("image", "inspect", reference))
    return tuple(found["RootFS"]["Layers"]), found["Size"]


def test_all_images_of_the_cpu_target_take_at_most_their_room(
    record_property: Callable[[str, object], None],
) -> None:
    found = {name: chain_and_size(reference) for name, reference in product_images().items()}
    unique = 0
    for name, (chain, size) in found.items():
        below = [
            had
            for layers, had in found.values()
            if len(layers) < len(chain) and layers == chain[: len(layers)]
        ]
        own = size - max(below, default=0)
        record_property(f"image {name}", f"{size / 1e6:.0f} MB, {own / 1e6:.0f} MB of its own")
        unique += own
    record_property("unique layers of all cpu images", f"{unique / 1e6:.0f} MB")
    assert unique <= LARGEST_BYTES


def test_everything_that_computes_shares_one_torch() -> None:
    found = {name: chain_and_size(reference)[0] for name, reference in product_images().items()}
    for lower, upper in (
        ("base", "torch"),
        ("torch", "vllm-cpu"),
        ("base", "gateway"),
        ("base", "chat"),
        ("vllm-cpu", "direct-cpu"),
        ("vllm-cpu", "sd-cpu"),
    ):
        assert found[upper][: len(found[lower])] == found[lower]


def test_an_image_says_what_it_was_made_from() -> None:
    for name, reference in product_images().items():
        config = json.loads(docker("image", "inspect", reference))[0]["Config"]
        assert config["Labels"]["dev.ttctl.fingerprint"].startswith(reference.partition(":")[2])
        if name in {"vllm-cpu", "gateway", "direct-cpu", "sd-cpu"}:
            assert config["User"] == "1000:1000"
