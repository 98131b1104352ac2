# SPDX-License-Identifier: Apache-2.0
"""The back end for a Tenstorrent card: opens the mesh and hands it to the pipeline of the tree.

Written from the signatures in the trees and tried on stand-ins of them; it never met the real
pipelines nor a card.

Source: tenstorrent/tt-inference-server, tt-media-server/tt_model_runners (dit_runners.py,
base_sdxl_runner.py, base_metal_device_runner.py) for the order of the calls and the sizes.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ttctl_sd.drawing import CannotLoadError, trial_of
from ttctl_sd.large import LargePipeline
from ttctl_sd.processor import read_index
from ttctl_sd.tree import place_of
from ttctl_sd.xl import XlPipeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl_sd.drawing import Abilities, Drawing, OnStep, Pixels
    from ttctl_sd.tree import Family

WARM_UP_STEPS = 2
"""Source: dit_runners.py, the steps of its warm-up."""
MESHES: dict[tuple[Family, str], tuple[int, int]] = {
    ("sd35", "T3K"): (2, 4),
    ("sd35", "TG"): (4, 8),
    ("sdxl", "N150"): (1, 1),
    ("sdxl", "N300"): (1, 1),
    ("sdxl", "T3K"): (1, 1),
    ("sdxl", "TG"): (1, 1),
}
"""Family and MESH_DEVICE to (rows, columns); SDXL draws on one chip where nothing else is said.

Source: tenstorrent/tt-metal, defaults by mesh shape in pipeline_stable_diffusion_35_large.py;
tt-media-server, DEVICE_MESH_SHAPE of its SDXL runners.
"""
_SHAPE = re.compile(r"([1-9][0-9]?),([1-9][0-9]?)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Which chips compute, as the environment says it."""

    device: str
    """MESH_DEVICE: `N150`, `N300`, `T3K` or `TG`."""
    shape: str = ""
    """DEVICE_MESH_SHAPE: `ROWS,COLUMNS`, in place of what follows from the device."""

    @property
    def galaxy(self) -> bool:
        """Whether it is a Galaxy."""
        return self.device == "TG"

    def of(self, family: Family) -> tuple[int, int]:
        """Return (rows, columns) for a family.

        Raises:
            CannotLoadError: Nothing says which.
        """
        if self.shape:
            found = _SHAPE.fullmatch(self.shape)
            if not found:
                raise CannotLoadError(f"DEVICE_MESH_SHAPE is {self.shape!r}, and not as '2,4'")
            return int(found[1]), int(found[2])
        if (family, self.device) not in MESHES:
            known = ", ".join(device for one, device in MESHES if one == family)
            device = self.device or "no MESH_DEVICE"
            raise CannotLoadError(f"no mesh is known for {family} on {device}; known: {known}")
        return MESHES[family, self.device]


class CardBackend:
    """A Stable Diffusion pipeline of tt-metal's, on the chips that it is given."""

    name = "card"

    def __init__(
        self,
        folder: Path,
        tree: Path,
        mesh: Mesh,
        *,
        library: Callable[[str], Any] = importlib.import_module,
    ) -> None:
        """Remember what to load.

        Args:
            folder: The weights, as diffusers lays them out.
            tree: tt-metal's source tree; its folder must be among Python's paths.
            library: Imports ttnn and the tree's modules; nothing is imported before `load`.
        """
        self._folder, self._tree, self._mesh = folder, tree, mesh
        self._library = library
        self._ttnn: Any = None
        self._device: Any = None
        self._fabric = False
        self._pipeline: LargePipeline | XlPipeline | None = None

    def load(self) -> Abilities:
        """Open the mesh, load the pipeline, and draw once; see `Backend`."""
        place = place_of(read_index(self._folder), self._tree)
        shape = self._mesh.of(place.family)
        self._ttnn = self._library("ttnn")
        kind = LargePipeline if place.family == "sd35" else XlPipeline
        pipeline = kind(self._library, place, shape, galaxy=self._mesh.galaxy)
        self._device = self._open(shape, pipeline.device_parameters())
        abilities = pipeline.load(self._device, self._folder)
        self._pipeline = pipeline
        size = abilities.default_size
        first = trial_of(abilities, "warm-up", size=size, steps=WARM_UP_STEPS)
        self.draw(first, lambda _done, _steps: None)
        return abilities

    def draw(self, drawing: Drawing, on_step: OnStep) -> Pixels:
        """Draw one image; see `Backend`.

        A card is never interrupted midway, since it is not known what its chips do then: the image
        that nobody waits for is finished, and thrown away.
        """
        if self._pipeline is None:
            raise RuntimeError("the model is not loaded")
        return self._pipeline.draw(drawing, on_step)

    def close(self) -> None:
        """Drop the pipeline, then give the mesh back; a mesh that is left open wedges its chips."""
        self._pipeline = None
        if self._device is not None:
            self._ttnn.close_mesh_device(self._device)
            self._device = None
        if self._fabric:
            self._ttnn.set_fabric_config(self._ttnn.FabricConfig.DISABLED)
            self._fabric = False

    def _open(self, shape: tuple[int, int], parameters: dict[str, int]) -> object:
        if shape != (1, 1):
            # Chips that talk to each other need the fabric before the mesh is opened.
            self._ttnn.set_fabric_config(self._ttnn.FabricConfig.FABRIC_1D)
            self._fabric = True
        return self._ttnn.open_mesh_device(mesh_shape=self._ttnn.MeshShape(*shape), **parameters)
