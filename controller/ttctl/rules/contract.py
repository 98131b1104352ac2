# SPDX-License-Identifier: Apache-2.0
"""How is a validated image launched, and how is it built from source? Pure.

Engine and repository decide first: a media image 0.2.0 is no old vLLM image. Only then do the
image's version and the vLLM pin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.model.pins import Pins
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from ttctl.model.export import Listed
    from ttctl.model.pin_facts import PinFact, PinFacts
    from ttctl.model.pins import Contract, Flag, Inferred, Recipe

MIN_CURRENT = (0, 11, 0)
"""Images from here on take arguments behind the image's name.

Source: tenstorrent/tt-inference-server:workflows/utils.py@v0.20.0, MIN_SUPPORTED_IMAGE_VERSION.
"""
MIN_CPP = (0, 15, 0)
"""Images from here on hold the image runners of the C++ server; older ones serve with Python.

Source: tenstorrent/tt-inference-server commit 4edeb4558 ("Migrate image models to cpp_server"),
whose first release is 0.15.0.
"""
NO_CPP = (
    "SDXL, but the image is older than 0.15.0, the first release whose C++ server has the image"
    " runners (read in the source; that this image lacks them is deduced)"
)
CPP = (
    "SDXL on an image of 0.15.0 or newer: the launcher of 0.20.0 starts the C++ server (read); that"
    " this image holds it is deduced from its version"
)
CPP_MODELS = frozenset(
    {
        "stable-diffusion-xl-base-1.0",
        "stable-diffusion-xl-base-1.0-img-2-img",
        "stable-diffusion-xl-1.0-inpainting-0.1",
    }
)
"""Source: tenstorrent/tt-inference-server:workflows/run_docker_server.py@v0.20.0."""
CPP_DEVICES = frozenset(
    {
        "n150", "n300", "t3k", "galaxy", "p150", "p300", "p300x2", "p150x4", "p150x8",
        "blackhole_galaxy",
    }
)  # fmt: skip
"""For others the launcher has no settings of the C++ server, and starts the Python one.

Source: tenstorrent/tt-inference-server:workflows/run_docker_server.py@v0.16.0 to v0.20.0; v0.15.0
refuses them.
"""
MULTIHOST_DEVICES = frozenset({"dual_galaxy", "quad_galaxy"})
_TAG_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?)(?=$|[-_+])")


def pins_of(listed: Listed, facts: PinFacts) -> Pins:
    """Return an entry's pins with contract, recipe and flag, and why they are these."""
    version, where = image_version(listed.image, listed.version)
    contract, said, unsure = _contract(listed, version, where)
    recipe, flag, inferred, why = _build(listed, contract, version, facts)
    return Pins(
        tt_metal=listed.tt_metal,
        vllm=listed.vllm,
        image=listed.image,
        version=listed.version,
        contract=contract,
        recipe=recipe,
        flag=flag,
        inferred=(*unsure, *inferred),
        reason=f"{said}; {why}",
    )


def image_version(image: str, version: str) -> tuple[tuple[int, ...], str]:
    """Return the version that an image's tag begins with, else the entry's own, and which it is."""
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    if found := _TAG_VERSION.match(tag):
        return numbers(found[1]), "the image's tag"
    return numbers(version), "the entry"


def fact_of(commit: str, facts: PinFacts) -> PinFact | None:
    """Return what is known of a vLLM commit, however many of its digits are given."""
    for fact in facts.vllm:
        known = fact.full or fact.commit
        if commit and (known.startswith(commit) or commit.startswith(known)):
            return fact
    return None


def repository(image: str) -> str:
    """Return the last part of an image's repository."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _contract(
    listed: Listed, version: tuple[int, ...], where: str
) -> tuple[Contract, str, tuple[Inferred, ...]]:
    name, engine = repository(listed.image), listed.spec.engine
    if "multihost" in name or listed.spec.device in MULTIHOST_DEVICES:
        return "multihost", "the image or the device spans several hosts", ()
    if name.startswith("tt-media-inference-server") or (not name and engine != "vllm"):
        return _media(listed, name, version)
    unsure: tuple[Inferred, ...] = ()
    told = f"version {'.'.join(map(str, version))} of {where}"
    if not version:
        return "vllm-current", "neither tag nor entry has a version: taken as newest", ("contract",)
    if not name.startswith("vllm-tt-metal"):
        unsure = ("contract",)
        told = f"repository {name or 'missing'} is not known, engine {engine}, {told}"
    if version < MIN_CURRENT:
        return "vllm-legacy", f"{told} is below 0.11.0", unsure
    return "vllm-current", f"{told} is 0.11.0 or above", unsure


def _media(
    listed: Listed, name: str, version: tuple[int, ...]
) -> tuple[Contract, str, tuple[Inferred, ...]]:
    if listed.spec.engine == "forge" or name.endswith("-forge"):
        return "forge", f"engine {listed.spec.engine}, repository {name or 'missing'}", ()
    if listed.spec.model.rpartition("/")[2] not in CPP_MODELS:
        return "media", f"engine {listed.spec.engine}, repository {name or 'missing'}", ()
    if listed.spec.device not in CPP_DEVICES:
        return (
            "media",
            f"SDXL on {listed.spec.device}, which the C++ server has no settings for",
            (),
        )
    if version and version < MIN_CPP:
        return "media", NO_CPP, ("contract",)
    return "media-cpp", CPP, ("contract",)


def _build(
    listed: Listed, contract: Contract, version: tuple[int, ...], facts: PinFacts
) -> tuple[Recipe, Flag, tuple[Inferred, ...], str]:
    name = repository(listed.image)
    if contract in {"media", "media-cpp", "forge"}:
        own: Recipe = "forge" if name.endswith("-forge") else "media"
        if contract == "forge" and name and own == "media":
            why = "the image is one of tt-media-inference-server, so its recipe is media's"
            return own, "", ("recipe",), why
        if contract == "forge":
            return "forge", "", (), "built by Dockerfile.forge"
        return "media", "", (), "built by the media server's Dockerfile"
    if fact := fact_of(listed.vllm, facts):
        recipe: Recipe = "multihost" if contract == "multihost" else fact.recipe
        return recipe, fact.flag, fact.inferred, fact.why
    recipe, flag = _by_era(version)
    why = f"vLLM {listed.vllm or 'commit'} is not known: recipe and flag follow the version's era"
    return "multihost" if contract == "multihost" else recipe, flag, ("recipe", "flag"), why


def _by_era(version: tuple[int, ...]) -> tuple[Recipe, Flag]:
    """Return how vLLM was built and spelled its option at a release.

    Source: tenstorrent/tt-inference-server, vllm-tt-metal/vllm.tt-metal.src.dev.Dockerfile and
    workflows/model_spec.py at the tags.
    """
    eras: tuple[tuple[tuple[int, int], Recipe, Flag], ...] = (
        ((0, 14), "vllm-fork", "--override_tt_config"),
        ((0, 15), "vllm-fork-plugin", "--override_tt_config"),
        ((0, 16), "vllm-empty-plugin", "--plugin_config"),
        ((0, 21), "vllm-empty-plugin", "--additional-config"),
    )
    for end, recipe, flag in eras:
        if version and version < end:
            return recipe, flag
    return "vllm-standalone-plugin", "--additional-config"
