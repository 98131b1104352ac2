# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion XL on a card: the text on the chips, then the loop as one captured trace.

The trace runs as a whole, so no step is told; progress is by image.

Source: tenstorrent/tt-metal, models/*/stable_diffusion_xl_base/tt/tt_sdxl_pipeline.py;
tt-media-server, tt_model_runners/sdxl_generate_runner_trace.py for the order of the calls.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

from ttctl_sd.drawing import Abilities, CannotLoadError
from ttctl_sd.processor import pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl_sd.drawing import Drawing, OnStep, Pixels
    from ttctl_sd.tree import Place

SIDE_PX = 1024
STEPS = 20
"""Source: tt-media-server/domain/image_generate_request.py, `num_inference_steps`."""
GUIDANCE = 5.0
"""Source: there, `guidance_scale`."""
GRID, GALAXY_GRID = "TT_METAL_CORE_GRID_OVERRIDE_TODEPRECATE", "7,7"
"""What the pipeline insists on where it is told that it runs on a Galaxy of Wormhole.

Source: tenstorrent/tt-metal, TtSDXLPipeline.__init__.
"""
SPLIT = (2, 1)
"""The mesh on which the two halves of guidance are drawn at once, a chip each."""


class XlPipeline:
    """Stable Diffusion XL base."""

    def __init__(
        self, library: Callable[[str], Any], place: Place, shape: tuple[int, int], *, galaxy: bool
    ) -> None:
        """Import the pipeline of the tree."""
        self._library, self._shape, self._galaxy = library, shape, galaxy
        if galaxy:
            os.environ.setdefault(GRID, GALAXY_GRID)
        self._module: Any = library(place.module)
        self._sizes: Any = library(
            place.module.replace(".tt.tt_sdxl_pipeline", ".tests.test_common")
        )
        self._class: Any = getattr(self._module, place.name)
        self._folder: Any = None
        self._pipeline: Any = None
        self._torch: Any = None

    def device_parameters(self) -> dict[str, int]:
        """Return what the mesh is opened with; the tree says how much."""
        return {
            "l1_small_size": self._sizes.SDXL_L1_SMALL_SIZE,
            "trace_region_size": self._sizes.SDXL_TRACE_REGION_SIZE,
        }

    def load(self, device: object, folder: Path) -> Abilities:
        """Load the weights to the chips.

        Raises:
            CannotLoadError: The pipeline is called in another way than is known.
        """
        self._torch = self._library("torch")
        self._folder = self._library("diffusers").DiffusionPipeline.from_pretrained(
            str(folder),
            torch_dtype=self._torch.float32,
            use_safetensors=True,
            local_files_only=True,
        )
        wanted = {
            "num_inference_steps": STEPS,
            "guidance_scale": GUIDANCE,
            "is_galaxy": self._galaxy,
            "encoders_on_device": True,
            "use_cfg_parallel": self._shape == SPLIT,
            "image_resolution": (SIDE_PX, SIDE_PX),
        }
        config = self._module.TtSDXLPipelineConfig
        takes = inspect.signature(config).parameters
        self._pipeline = self._class(
            ttnn_device=device,
            torch_pipeline=self._folder,
            pipeline_config=config(**{name: wanted[name] for name in wanted if name in takes}),
        )
        for name, parameter in (
            ("encode_prompts", "negative_prompts"),
            ("generate_input_tensors", "start_latent_seed"),
        ):
            if parameter not in inspect.signature(getattr(self._pipeline, name)).parameters:
                raise CannotLoadError(f"the pipeline's {name} takes no {parameter}: too old a tree")
        return Abilities(
            default_size=(SIDE_PX, SIDE_PX),
            sizes=((SIDE_PX, SIDE_PX),),
            default_steps=STEPS,
            default_guidance=GUIDANCE,
        )

    def draw(self, drawing: Drawing, on_step: OnStep) -> Pixels:
        """Draw one image; see `Backend`."""
        pipeline = self._pipeline
        pipeline.set_num_inference_steps(drawing.steps)
        pipeline.set_guidance_scale(drawing.guidance)
        pipeline.compile_text_encoding()
        # The chips draw a batch; what fills it up is thrown away.
        filling = [""] * (int(pipeline.batch_size) - 1)
        embeddings = pipeline.encode_prompts(
            [drawing.prompt, *filling], [drawing.negative_prompt, *filling]
        )
        latents, prompts, texts = pipeline.generate_input_tensors(
            *embeddings, start_latent_seed=drawing.seed
        )
        tensors = [latents, prompts[0], texts[0]]
        pipeline.prepare_input_tensors(tensors)
        # Compiling computes with the tensors, so they are laid in again.
        pipeline.compile_image_processing()
        pipeline.prepare_input_tensors(tensors)
        image = pipeline.generate_images()[0].unsqueeze(0)
        on_step(drawing.steps, drawing.steps)
        found = self._folder.image_processor.postprocess(image, output_type="pil")
        return pixels_of(found[0])
