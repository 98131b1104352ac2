# SPDX-License-Identifier: Apache-2.0
"""Which Stable Diffusion pipelines does a tree of tt-metal have, under which of their names?

The files are read and not imported: nothing of a tree runs before there is a card.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ttctl_sd.drawing import CannotLoadError

if TYPE_CHECKING:
    from pathlib import Path

Family = Literal["sd35", "sdxl"]

FAMILIES: dict[str, Family] = {
    "StableDiffusion3Pipeline": "sd35",
    "StableDiffusionXLPipeline": "sdxl",
}
"""`_class_name` in the index of diffusers' folders, to the family that serves it on a card."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a pipeline was at some time."""

    family: Family
    module: str
    name: str
    """Of the class."""
    driven: bool = True
    """Whether this program knows how to call it."""

    @property
    def path(self) -> str:
        """The module's file in the tree."""
        return self.module.replace(".", "/") + ".py"


_SD35 = "stable_diffusion_35_large"
_XL = "stable_diffusion_xl_base.tt.tt_sdxl_pipeline"
PLACES = (
    Place(
        family="sd35",
        module=f"models.tt_dit.pipelines.{_SD35}.pipeline_{_SD35}",
        name="StableDiffusion3Pipeline",
    ),
    Place(
        family="sd35",
        module=f"models.experimental.tt_dit.pipelines.{_SD35}.pipeline_{_SD35}",
        name="StableDiffusion3Pipeline",
    ),
    Place(
        family="sd35",
        module=f"models.experimental.{_SD35}.tt.fun_pipeline",
        name="TtStableDiffusion3Pipeline",
        driven=False,
    ),
    Place(family="sdxl", module=f"models.demos.{_XL}", name="TtSDXLPipeline"),
    Place(family="sdxl", module=f"models.experimental.{_XL}", name="TtSDXLPipeline"),
)
"""The newest first.

Source: tenstorrent/tt-metal, these paths: models/experimental about v0.9 of the media server,
models/tt_dit and models/demos since.
"""


def pipelines_in(tree: Path) -> tuple[Place, ...]:
    """Return the pipelines that a tree has, the newest name of each first."""
    return tuple(one for one in PLACES if _defines(tree / one.path, one.name))


def place_of(index: dict[str, object], tree: Path) -> Place:
    """Return the pipeline in `tree` for a folder of weights.

    Args:
        index: The folder's `model_index.json`.

    Raises:
        CannotLoadError: The weights are of a pipeline that no card serves here, or the tree has
            none for them.
    """
    kind = str(index.get("_class_name"))
    family = FAMILIES.get(kind)
    if family is None:
        raise CannotLoadError(
            f"the weights are of {kind}; a card draws with {' and '.join(sorted(FAMILIES))}"
        )
    found = [one for one in pipelines_in(tree) if one.family == family]
    driven = [one for one in found if one.driven]
    if not driven:
        raise CannotLoadError(missing(family, found))
    return driven[0]


def missing(family: Family, found: list[Place]) -> str:
    """Return why a tree draws nothing of a family."""
    if found:
        return f"its {found[0].path} is of a time before the pipelines that this program calls"
    paths = ", ".join(one.path for one in PLACES if one.family == family and one.driven)
    return f"the tree has no pipeline for {family}: none of {paths}"


def _defines(file: Path, name: str) -> bool:
    """Return whether a file defines a class at its top."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in body)
