# SPDX-License-Identifier: Apache-2.0
"""The back end for the processor: any folder that diffusers' `DiffusionPipeline` loads."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import TYPE_CHECKING, Any

from ttctl_sd.drawing import Abilities, CannotLoadError, Pixels
from ttctl_sd.told import told_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl_sd.drawing import Drawing, OnStep
    from ttctl_sd.told import Told

DEFAULT_SIDE_PX = 512
"""Where a pipeline does not say what it was trained on.

Source: huggingface/diffusers, StableDiffusionPipeline, `unet.config.sample_size` of 1.x models.
"""
VAE_SCALE = 8
"""Source: huggingface/diffusers, `vae_scale_factor` of four blocks."""


class ProcessorBackend:
    """diffusers on the processor."""

    name = "cpu"

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = 0,
        library: Callable[[str], Any] = importlib.import_module,
    ) -> None:
        """Remember what to load.

        Args:
            threads: How many compute; 0 leaves it to torch. Equal pixels need equal threads.
            library: Imports torch and diffusers; nothing is imported before `load`.
        """
        self._folder = folder
        self._threads = threads
        self._library = library
        self._torch: Any = None
        self._pipeline: Any = None
        self._takes: frozenset[str] = frozenset()

    def load(self) -> Abilities:
        """Load the folder; see `Backend`."""
        empty, told = _empty_parts(self._folder), told_by(self._folder)
        self._torch = self._library("torch")
        if self._threads:
            self._torch.set_num_threads(self._threads)
        diffusers = self._library("diffusers")
        try:
            # A folder says which optional parts it lacks; some pipelines want to hear it again.
            self._pipeline = diffusers.DiffusionPipeline.from_pretrained(
                str(self._folder), local_files_only=True, **dict.fromkeys(empty)
            )
        except (OSError, ValueError, AttributeError, ImportError) as exc:
            raise CannotLoadError(f"diffusers cannot load the folder: {exc}") from exc
        self._pipeline.set_progress_bar_config(disable=True)
        parameters = inspect.signature(self._pipeline.__call__).parameters
        self._takes = frozenset(parameters)
        return _abilities(self._pipeline, parameters, told)

    def draw(self, drawing: Drawing, on_step: OnStep) -> Pixels:
        """Draw one image; see `Backend`. `on_step` may interrupt it."""

        def each_step(
            _pipeline: object, done: int, _timestep: object, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            on_step(done + 1, drawing.steps)
            return tensors

        wanted = {
            "prompt": drawing.prompt,
            "negative_prompt": drawing.negative_prompt or None,
            "width": drawing.width,
            "height": drawing.height,
            "num_inference_steps": drawing.steps,
            "guidance_scale": drawing.guidance,
            "generator": self._torch.Generator("cpu").manual_seed(drawing.seed),
            "callback_on_step_end": each_step,
            "output_type": "pil",
        }
        found = self._pipeline(**{name: wanted[name] for name in wanted if name in self._takes})
        return pixels_of(found.images[0])

    def close(self) -> None:
        """Forget the pipeline."""
        self._pipeline = None


def pixels_of(image: Any) -> Pixels:  # noqa: ANN401 - an image of Pillow's, which is not imported here
    """Return a Pillow image's pixels."""
    plain = image.convert("RGB")
    width, height = plain.size
    return Pixels(width=width, height=height, rgb=plain.tobytes())


def _empty_parts(folder: Path) -> list[str]:
    """Return the parts that the folder's index lists and does not have."""
    index = read_index(folder)
    return [name for name, value in index.items() if value == [None, None]]


def read_index(folder: Path) -> dict[str, Any]:
    """Read `model_index.json`.

    Raises:
        CannotLoadError: The folder has none, or it is not JSON.
    """
    try:
        found = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise CannotLoadError(
            f"the folder has no model_index.json that can be read: {exc}"
        ) from exc
    if not isinstance(found, dict) or not isinstance(found.get("_class_name"), str):
        raise CannotLoadError("the folder's model_index.json names no pipeline")
    return found


def _abilities(pipeline: Any, parameters: Any, told: Told) -> Abilities:  # noqa: ANN401 - of diffusers
    scale = int(getattr(pipeline, "vae_scale_factor", VAE_SCALE))
    side = _sample(pipeline) * scale or DEFAULT_SIDE_PX
    guided = "guidance_scale" in parameters
    steps = _default(parameters, "num_inference_steps", 50)
    guidance = _default(parameters, "guidance_scale", 0.0)
    return Abilities(
        default_size=told.size or (side, side),
        default_steps=told.steps or steps,
        default_guidance=guidance if told.guidance is None else told.guidance,
        multiple=scale * int(getattr(pipeline, "patch_size", None) or 1),
        negative_prompt="negative_prompt" in parameters,
        guidance=guided,
        interruptible=True,
    )


def _sample(pipeline: Any) -> int:  # noqa: ANN401 - of diffusers
    """Return the side that the model was trained on, before the scale; 0 where nothing says it."""
    parts = (getattr(pipeline, name, None) for name in ("unet", "transformer"))
    said = [getattr(pipeline, "default_sample_size", None)]
    said += [getattr(getattr(part, "config", None), "sample_size", None) for part in parts]
    return next((one for one in said if isinstance(one, int)), 0)


def _default(parameters: Any, name: str, otherwise: Any) -> Any:  # noqa: ANN401 - of a signature
    found = parameters[name].default if name in parameters else None
    return found if isinstance(found, (int, float)) else otherwise
