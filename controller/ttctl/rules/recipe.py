# SPDX-License-Identifier: Apache-2.0
"""Which images build an entry from its pinned sources, and with which values? Pure.

What a tree holds at a commit is not known here: each build checks it (images/source/check-tree)
and ends with a sentence where the tree is of another time than the recipe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ttctl.errors import UsageError
from ttctl.model.commit import NamedCommit
from ttctl.model.house import HOUSE_UID, LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ttctl.model.image import LocalSource
    from ttctl.model.pins import Pins

Component = Literal["tt-metal", "vllm"]

DEFAULT_UID = HOUSE_UID
UIDS = range(1000, 60000)
"""Source: tenstorrent/tt-inference-server:scripts/build_docker_images.py@v0.20.0."""
PYTHONS = {"22.04": "3.10", "24.04": "3.12"}
"""Python of each Ubuntu that tt-metal is built on.

Source: tenstorrent/tt-metal:dockerfile/docker-bake.hcl at 011b0d6.
"""
DEFAULT_UBUNTU = "22.04"
STANDALONE, ALONE = "vllm-standalone-plugin", "vllm-tt-plugin"
"""The recipe whose vLLM comes with the plugin, and the plugin's repository."""
FROM_SOURCE = ("vllm-fork", "vllm-fork-plugin", "vllm-empty-plugin", STANDALONE)
"""vLLM's recipes, each with a folder of the same name under images/; so have those of `DERIVED`."""
NOT_FROM_SOURCE = {
    "media": "its Dockerfile stands on an image that changes from day to day and is pinned nowhere",
    "forge": "its Dockerfile takes a floating image and a wheel for PJRT that no entry pins",
    "multihost": "how the image for several hosts is made is not published",
    "own": "the entry names no pins of a source",
}
"""Why a recipe's images are only pulled.

Source: tenstorrent/tt-inference-server:tt-media-server/Dockerfile and Dockerfile.forge at 0551879.
"""
_FULL = re.compile(r"[0-9a-f]{40}|local-[0-9a-f]{64}")
_UBUNTU = re.compile(r"ubuntu-(\d\d\.\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBuild:
    """How an entry's image is built from source."""

    image: str
    """Name of the last image's folder under images/; its parents are declared there."""
    values: tuple[tuple[str, str], ...]
    """What the templates of the chain may see, by name."""
    unlocked: tuple[Component, ...] = ()
    """Components whose commit is not full: a build refuses those."""
    unvalidated: tuple[Component, ...] = ()
    """Components that are built from a checkout on this machine."""
    reason: str = ""
    derived: bool = False
    """Whether only tt-metal was validated, with another server than the one that is built."""

    @property
    def commits(self) -> tuple[tuple[str, str], ...]:
        """The component and the commit of each source."""
        values = dict(self.values)
        both: tuple[Component, ...] = ("tt-metal", "vllm")
        named = ((part, f"{part.replace('-', '_')}_commit") for part in both)
        return tuple((part, values[name]) for part, name in named if name in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotBuild:
    """An entry whose image can only be pulled."""

    reason: str

    @property
    def sentence(self) -> str:
        """What is shown of it."""
        return f"cannot be built from source, because {self.reason}"


def recipe_for(
    pins: Pins,
    *,
    repositories: Mapping[str, str],
    commits: Mapping[str, str] | None = None,
    sources: Sequence[LocalSource] = (),
    uid: int = DEFAULT_UID,
) -> SourceBuild | CannotBuild:
    """Return the chain of images for an entry's pins, or why there is none.

    Args:
        repositories: `tt-metal`, `vllm` and `vllm-tt-plugin` to their addresses.
        commits: Component to its full commit, where it was resolved.
        sources: Checkouts on this machine in place of commits.
        uid: The user id that the container runs as.

    Raises:
        UsageError: `uid` is out of range, or a checkout is of no component of the entry.
    """
    _check_uid(uid)
    if pins.recipe not in FROM_SOURCE and not pins.is_derived:
        return CannotBuild(reason=NOT_FROM_SOURCE[pins.recipe])
    pinned = {"tt-metal": pins.tt_metal}
    if not pins.is_derived:
        pinned["vllm"] = pins.vllm
    _check_sources(sources, pinned)
    missing = [name for name, commit in pinned.items() if not commit]
    if missing:
        return CannotBuild(reason=f"the entry pins no commit of {' and '.join(missing)}")
    chosen = pinned | dict(commits or {}) | {one.component: one.commit for one in sources}
    ubuntu = _ubuntu(pins.image)
    vllm = (
        ("vllm_repository", repositories[ALONE if pins.recipe == STANDALONE else "vllm"]),
        ("vllm_commit", chosen.get("vllm", "")),
    )
    return SourceBuild(
        image=pins.recipe,
        values=(
            ("tt_metal_repository", repositories["tt-metal"]),
            ("tt_metal_commit", chosen["tt-metal"]),
            *(() if pins.is_derived else vllm),
            ("ubuntu_version", ubuntu),
            ("python_version", PYTHONS[ubuntu]),
            ("uid", str(uid)),
        ),
        unlocked=_of(pinned, lambda name: not _FULL.fullmatch(chosen[name])),
        unvalidated=_of(pinned, lambda name: chosen[name].startswith(LOCAL)),
        reason=pins.reason,
        derived=pins.is_derived,
    )


def no_checkout(pins: Pins, found: CannotBuild, component: str) -> UsageError:
    """Return the refusal of a checkout of `component` where nothing is built from source."""
    return UsageError(
        f"--source {component}=... has nothing to build.",
        why=f"The image {pins.image or 'of this entry'!r} {found.sentence}.",
        evidence=f"Its recipe is {pins.recipe!r}: {pins.reason or 'the entry names it'}.",
        next_step="ttctl models ls --engine vllm   # entries that are built from source",
    )


def named_commits(build: SourceBuild) -> tuple[NamedCommit, ...]:
    """Return the commits of a build that have to be full, with where each is from."""
    values = dict(build.values)
    components = {
        "tt-metal": "tt-metal",
        "vllm": ALONE if build.image == STANDALONE else "vllm",
    }
    found = ((part, components[part], part.replace("-", "_")) for part, _ in build.commits)
    return tuple(
        NamedCommit(
            component=name,
            repository=values[f"{prefix}_repository"],
            name=values[f"{prefix}_commit"],
        )
        for part, name, prefix in found
        if part not in build.unvalidated
    )


def part_of(component: str) -> str:
    """Return which part of a stack a repository is: the plugin alone stands for vLLM."""
    return "vllm" if component == ALONE else component


def _ubuntu(image: str) -> str:
    """Return the release that an image's name says, else the usual one."""
    found = _UBUNTU.search(image)
    return found[1] if found and found[1] in PYTHONS else DEFAULT_UBUNTU


def _of(pinned: Mapping[str, str], holds: Callable[[str], bool]) -> tuple[Component, ...]:
    components: tuple[Component, ...] = ("tt-metal", "vllm")
    return tuple(name for name in components if name in pinned and holds(name))


def _check_uid(uid: int) -> None:
    if uid in UIDS:
        return
    raise UsageError(
        f"The user id {uid} is out of range.",
        why="A container of ours runs as an ordinary user of its own.",
        evidence=f"Allowed: {UIDS[0]} to {UIDS[-1]}.",
        next_step=f"id -u   # or {DEFAULT_UID}",
    )


def _check_sources(sources: Sequence[LocalSource], pinned: Mapping[str, str]) -> None:
    for one in sources:
        if one.component not in pinned:
            raise UsageError(
                f"{one.component!r} is no component that is built from source.",
                why="A checkout stands in place of a pinned commit.",
                evidence=f"Components: {', '.join(pinned)}.",
                next_step="ttctl up --help",
            )
