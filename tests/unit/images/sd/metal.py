# SPDX-License-Identifier: Apache-2.0
"""Stand-ins of ttnn and of tt-metal's pipelines, written from their signatures at each time.

Source: tenstorrent/tt-metal, pipeline_stable_diffusion_35_large.py under models/experimental/tt_dit
and models/tt_dit, tt_sdxl_pipeline.py under models/demos; tt-media-server/tt_model_runners.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.unit.images.sd.test_processor import Image

SIDE = 1024


@dataclass
class Seen:
    """What was called, in order."""

    calls: list[Any] = field(default_factory=list)

    def add(self, *call: Any) -> None:
        self.calls.append(call)


@dataclass(frozen=True)
class SectionStart:
    name: str


@dataclass(frozen=True)
class SectionEnd:
    name: str


def ttnn_of(seen: Seen) -> Any:
    """Return a ttnn that opens nothing."""
    return SimpleNamespace(
        MeshShape=lambda rows, columns: (rows, columns),
        FabricConfig=SimpleNamespace(FABRIC_1D="1d", DISABLED="off"),
        set_fabric_config=lambda config: seen.add("fabric", config),
        open_mesh_device=lambda *, mesh_shape, l1_small_size, trace_region_size: (
            seen.add("open", mesh_shape, l1_small_size, trace_region_size) or "mesh"
        ),
        close_mesh_device=lambda device: seen.add("close", device),
    )


def large_now(seen: Seen) -> type:
    """Return Stable Diffusion 3.5 as it is called now."""

    class StableDiffusion3Pipeline:
        @classmethod
        def create_pipeline(
            cls,
            *,
            mesh_device: object,
            width: int = 1024,
            height: int = 1024,
            cfg_enabled: bool = True,
            max_t5_sequence_length: int = 256,
            checkpoint_name: str = "",
        ) -> Any:
            seen.add("create", mesh_device, width, height, Path(checkpoint_name).resolve())
            return cls()

        def __call__(
            self,
            *,
            prompts: list[str],
            prompts_2: list[str] | None = None,
            negative_prompts: list[str] | None = None,
            num_inference_steps: int,
            seed: int = 0,
            num_images_per_prompt: int = 1,
            guidance_scale: float = 3.5,
            traced: bool = False,
            on_event: Any = None,
        ) -> list[Image]:
            seen.add("call", prompts, negative_prompts, guidance_scale, seed, traced)
            on_event(SectionStart("total"))
            for step in range(num_inference_steps):
                on_event(SectionStart(f"denoising_step_{step}"))
                on_event(SectionEnd(f"denoising_step_{step}"))
            on_event(SectionEnd("total"))
            return [Image("RGB", (SIDE, SIDE))]

    return StableDiffusion3Pipeline


def large_then(seen: Seen) -> type:
    """Return Stable Diffusion 3.5 as it was called about v0.9."""

    class StableDiffusion3Pipeline:
        @staticmethod
        def create_pipeline(
            mesh_device: object,
            batch_size: int = 1,
            image_w: int = 1024,
            image_h: int = 1024,
            guidance_scale: float = 3.5,
            checkpoint_name: str = "",
            model_checkpoint_path: str | None = None,
        ) -> Any:
            assert "stabilityai/stable-diffusion-3.5-large" in checkpoint_name
            seen.add("create", mesh_device, image_w, image_h, Path(checkpoint_name).resolve())
            return StableDiffusion3Pipeline()

        def __call__(
            self,
            *,
            prompt_1: list[str],
            prompt_2: list[str],
            prompt_3: list[str],
            negative_prompt_1: list[str],
            negative_prompt_2: list[str],
            negative_prompt_3: list[str],
            num_inference_steps: int = 40,
            seed: int | None = None,
            traced: bool = False,
            clip_skip: int | None = None,
            profiler: Any = None,
            profiler_iteration: int = 0,
        ) -> list[Image]:
            assert prompt_1 == prompt_2 == prompt_3
            assert negative_prompt_1 == negative_prompt_2 == negative_prompt_3
            seen.add("call", prompt_1, negative_prompt_1, None, seed, traced)
            with profiler("total", profiler_iteration):
                for step in range(num_inference_steps):
                    with profiler(f"denoising_step_{step}", profiler_iteration):
                        pass
            f"{profiler.get_duration('total', profiler_iteration):.1f}"
            return [Image("RGB", (SIDE, SIDE))]

    return StableDiffusion3Pipeline


@dataclass
class TtSDXLPipelineConfig:
    num_inference_steps: int
    guidance_scale: float
    is_galaxy: bool
    image_resolution: tuple[int, int] = (1024, 1024)
    capture_trace: bool = True
    vae_on_device: bool = True
    encoders_on_device: bool = True
    use_cfg_parallel: bool = False


class Tensor:
    """An image as the chips give it."""

    def unsqueeze(self, axis: int) -> Tensor:
        assert axis == 0
        return self


def xl(seen: Seen, *, seeded: bool = True) -> Any:
    """Return the module of Stable Diffusion XL; without a seed as it was at first."""

    class TtSDXLPipeline:
        def __init__(self, ttnn_device: object, torch_pipeline: Any, pipeline_config: Any) -> None:
            seen.add("create", ttnn_device, pipeline_config)
            self.batch_size = 2 if pipeline_config.use_cfg_parallel else 1
            self.encoders_compiled = self.image_processing_compiled = self.generated = False

        def set_num_inference_steps(self, num_inference_steps: int) -> None:
            seen.add("steps", num_inference_steps)
            self.generated = False

        def set_guidance_scale(self, guidance_scale: float) -> None:
            seen.add("guidance", guidance_scale)

        def compile_text_encoding(self) -> None:
            self.encoders_compiled = True

        def encode_prompts(
            self,
            prompts: list[str],
            negative_prompts: list[str],
            prompt_2: None = None,
            negative_prompt_2: None = None,
        ) -> tuple[str, str]:
            assert self.encoders_compiled
            assert len(prompts) == len(negative_prompts) == self.batch_size
            seen.add("encode", prompts, negative_prompts)
            return "prompts", "texts"

        def generate_input_tensors(
            self,
            all_prompt_embeds_torch: str,
            torch_add_text_embeds: str,
            start_latent_seed: int | None = None,
            fixed_seed_for_batch: bool = False,
        ) -> tuple[str, list[str], list[str]]:
            seen.add("seed", start_latent_seed)
            self.generated = True
            return "latents", [all_prompt_embeds_torch], [torch_add_text_embeds]

        def prepare_input_tensors(self, host_tensors: list[str]) -> None:
            assert host_tensors == ["latents", "prompts", "texts"]
            self.prepared = True

        def compile_image_processing(self) -> None:
            assert self.prepared
            self.prepared = self.image_processing_compiled
            self.image_processing_compiled = True

        def generate_images(self) -> list[Tensor]:
            assert self.image_processing_compiled
            assert self.generated
            assert self.prepared, "compiling computed with the tensors"
            return [Tensor()] * self.batch_size

    class Unseeded(TtSDXLPipeline):
        def generate_input_tensors(self, *prompt_embeds: str) -> Any:  # type: ignore[override]
            return None

    kind = TtSDXLPipeline if seeded else Unseeded
    return SimpleNamespace(TtSDXLPipeline=kind, TtSDXLPipelineConfig=TtSDXLPipelineConfig)


def diffusers_of(seen: Seen) -> Any:
    """Return a diffusers whose folder has an image processor."""
    processor = SimpleNamespace(
        postprocess=lambda image, *, output_type: [Image("RGB", (SIDE, SIDE))]
    )
    return SimpleNamespace(
        DiffusionPipeline=SimpleNamespace(
            from_pretrained=lambda folder, **given: (
                seen.add("weights", folder, given) or SimpleNamespace(image_processor=processor)
            )
        )
    )
