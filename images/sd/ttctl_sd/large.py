# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion 3.5 on a card, as it was called about v0.9 and as it is called now.

About v0.9 (`models/experimental/tt_dit`): made by `create_pipeline(mesh_device, image_w=, image_h=,
guidance_scale=)`, which fixes the guidance; called with `prompt_1` to `prompt_3` and
`negative_prompt_1` to `negative_prompt_3`; its profiler hears a section for each step.

Now (`models/tt_dit`): made by `create_pipeline(*, mesh_device, width=, height=)`; called with
`prompts`, `negative_prompts` and `guidance_scale`; `on_event` hears of each step.

Source: tenstorrent/tt-metal, pipeline_stable_diffusion_35_large.py in both places.
"""

from __future__ import annotations

import inspect
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl_sd.drawing import Abilities, CannotLoadError
from ttctl_sd.processor import pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl_sd.drawing import Drawing, OnStep, Pixels
    from ttctl_sd.tree import Place

NAME = "stabilityai/stable-diffusion-3.5-large"
"""Source: tenstorrent/tt-metal, an assertion on `checkpoint_name` in the pipeline of v0.9."""
SIDE_PX = 1024
STEPS = 28
"""Source: huggingface/diffusers, StableDiffusion3Pipeline, `num_inference_steps`."""
GUIDANCE = 3.5
"""Source: `guidance_scale` in both places."""
DEVICE = {"l1_small_size": 32768, "trace_region_size": 25_000_000}
"""Bytes. Source: tt-media-server, TTSD35Runner.get_pipeline_device_params."""
_STEP = re.compile(r"denoising_step_([0-9]+)", re.ASCII)


def under_its_name(folder: Path) -> Path:
    """Return another path to the weights, which ends with the model's name on the hub.

    The pipelines of v0.9 insist on it. It is the same at each start: caches may be named by it.
    """
    link = Path(tempfile.gettempdir()) / "ttctl-sd" / NAME
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(folder.absolute())
    return link


class Steps:
    """Hears of the pipeline's sections, as its profiler or by its events, and counts the steps."""

    def __init__(self, on_step: OnStep, steps: int) -> None:
        """Remember whom to tell."""
        self._on_step, self._steps = on_step, steps

    @contextmanager
    def __call__(self, section: str, _iteration: int = 0) -> Iterator[None]:
        """Stand for the profiler of v0.9: a section is a context."""
        yield
        self._ended(section)

    def get_duration(self, _section: str, _iteration: int = 0) -> float:
        """Stand for the profiler: its log wants seconds."""
        return 0.0

    def on_event(self, event: object) -> None:
        """Hear an event of the pipelines of now."""
        if type(event).__name__ == "SectionEnd":
            self._ended(str(getattr(event, "name", "")))

    def _ended(self, section: str) -> None:
        if found := _STEP.fullmatch(section):
            self._on_step(int(found[1]) + 1, self._steps)


class LargePipeline:
    """Stable Diffusion 3.5 Large."""

    def __init__(
        self,
        library: Callable[[str], Any],
        place: Place,
        _shape: tuple[int, int],
        *,
        galaxy: bool,  # noqa: ARG002 - of SDXL only
    ) -> None:
        """Import the pipeline of the tree."""
        self._class: Any = getattr(library(place.module), place.name)
        self._pipeline: Any = None
        self._takes: frozenset[str] = frozenset()

    def device_parameters(self) -> dict[str, int]:
        """Return what the mesh is opened with."""
        return DEVICE

    def load(self, device: object, folder: Path) -> Abilities:
        """Load the weights to the chips.

        Raises:
            CannotLoadError: The pipeline is called in neither of the known ways.
        """
        takes = inspect.signature(self._class.create_pipeline).parameters
        sides = ("width", "height") if "width" in takes else ("image_w", "image_h")
        self._pipeline = self._class.create_pipeline(
            mesh_device=device,
            checkpoint_name=str(under_its_name(folder)),
            **dict.fromkeys(sides, SIDE_PX),
        )
        self._takes = frozenset(inspect.signature(self._pipeline.__call__).parameters)
        if not self._takes & {"prompts", "prompt_1"}:
            names = ", ".join(sorted(self._takes))
            raise CannotLoadError(f"the pipeline is called with {names}: not as at a known time")
        return Abilities(
            default_size=(SIDE_PX, SIDE_PX),
            sizes=((SIDE_PX, SIDE_PX),),
            default_steps=STEPS,
            default_guidance=GUIDANCE,
            guidance="guidance_scale" in self._takes,
        )

    def draw(self, drawing: Drawing, on_step: OnStep) -> Pixels:
        """Draw one image; see `Backend`."""
        steps = Steps(on_step, drawing.steps)
        common = {
            "num_inference_steps": drawing.steps,
            "seed": drawing.seed,
            "traced": True,
        }
        if "prompts" in self._takes:
            images = self._pipeline(
                prompts=[drawing.prompt],
                negative_prompts=[drawing.negative_prompt],
                guidance_scale=drawing.guidance,
                **({"on_event": steps.on_event} if "on_event" in self._takes else {}),
                **common,
            )
        else:
            images = self._pipeline(
                **{f"prompt_{one}": [drawing.prompt] for one in (1, 2, 3)},
                **{f"negative_prompt_{one}": [drawing.negative_prompt] for one in (1, 2, 3)},
                **({"profiler": steps} if "profiler" in self._takes else {}),
                **common,
            )
        return pixels_of(images[0])
