# SPDX-License-Identifier: Apache-2.0
"""Trees of tt-metal with Stable Diffusion pipelines at each time, which draw one colour.

Source: the signatures that tests/unit/images/sd/metal.py names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TTNN = """\
class FabricConfig:
    FABRIC_1D, DISABLED = "1d", "off"
def MeshShape(rows, columns):
    return (rows, columns)
def set_fabric_config(config):
    print("fabric", config, flush=True)
def open_mesh_device(mesh_shape, l1_small_size, trace_region_size):
    print("open", mesh_shape, l1_small_size, trace_region_size, flush=True)
    return mesh_shape
def close_mesh_device(device):
    print("close", device, flush=True)
"""
IMAGE = """\
class Image:
    size = (1024, 1024)
    def __init__(self, seed):
        self.seed = seed
    def convert(self, mode):
        return self
    def tobytes(self):
        return bytes([self.seed % 256]) * (3 * 1024 * 1024)
"""
LARGE_NOW = """\
from PIL import Image
class SectionEnd:
    def __init__(self, name):
        self.name = name
class StableDiffusion3Pipeline:
    @classmethod
    def create_pipeline(cls, *, mesh_device, width=1024, height=1024, checkpoint_name=""):
        return cls()
    def __call__(self, *, prompts, negative_prompts=None, num_inference_steps, seed=0,
                 guidance_scale=3.5, traced=False, on_event=None):
        for step in range(num_inference_steps):
            on_event(SectionEnd(f"denoising_step_{step}"))
        return [Image(seed)]
"""
LARGE_THEN = """\
from PIL import Image
class StableDiffusion3Pipeline:
    @staticmethod
    def create_pipeline(mesh_device, batch_size=1, image_w=1024, image_h=1024, guidance_scale=3.5,
                        checkpoint_name=""):
        assert "stabilityai/stable-diffusion-3.5-large" in checkpoint_name
        open(checkpoint_name + "/model_index.json").close()
        return StableDiffusion3Pipeline()
    def __call__(self, *, prompt_1, prompt_2, prompt_3, negative_prompt_1, negative_prompt_2,
                 negative_prompt_3, num_inference_steps=40, seed=None, traced=False, profiler=None):
        for step in range(num_inference_steps):
            with profiler(f"denoising_step_{step}", 0):
                pass
        return [Image(seed)]
"""
XL = """\
from dataclasses import dataclass
@dataclass
class TtSDXLPipelineConfig:
    num_inference_steps: int
    guidance_scale: float
    is_galaxy: bool
class TtSDXLPipeline:
    batch_size = 1
    def __init__(self, ttnn_device, torch_pipeline, pipeline_config):
        pass
    def set_num_inference_steps(self, steps):
        pass
    def set_guidance_scale(self, scale):
        pass
    def compile_text_encoding(self):
        pass
    def encode_prompts(self, prompts, negative_prompts):
        return prompts, negative_prompts
    def generate_input_tensors(self, prompts, texts, start_latent_seed=None):
        self.seed = start_latent_seed
        return "latents", prompts, texts
    def prepare_input_tensors(self, tensors):
        pass
    def compile_image_processing(self):
        pass
    def generate_images(self):
        seed = self.seed
        class Tensor:
            def unsqueeze(self, axis):
                return seed
        return [Tensor()]
"""
XL_SIZES = "SDXL_L1_SMALL_SIZE, SDXL_TRACE_REGION_SIZE = 30000, 34000000\n"
DIFFUSERS = """\
from PIL import Image
class Processor:
    def postprocess(self, image, output_type):
        return [Image(image)]
class DiffusionPipeline:
    image_processor = Processor()
    @classmethod
    def from_pretrained(cls, folder, **options):
        return cls()
"""
_LARGE = "stable_diffusion_35_large"
_LARGE_FILE = f"pipelines/{_LARGE}/pipeline_{_LARGE}.py"
_XL = "stable_diffusion_xl_base"


def with_diffusion(
    files: Mapping[str, str], era: str, *, large: str = "", xl: str = ""
) -> dict[str, str]:
    """Return a tree's files with the pipelines of an era and what its environment has for them.

    Args:
        era: The folder of the pipelines: `models/` or `models/experimental/`.
    """
    added = {
        "ttnn/__init__.py": TTNN,
        "PIL.py": IMAGE,
        "diffusers.py": DIFFUSERS,
        "torch.py": 'float32 = "float32"\n',
        "transformers.py": "",
    }
    if large:
        added[f"{era}tt_dit/{_LARGE_FILE}"] = large
    if xl:
        folder = f"{'models/demos/' if era == 'models/' else era}{_XL}/"
        added[f"{folder}tt/tt_sdxl_pipeline.py"] = xl
        added[f"{folder}tests/test_common.py"] = XL_SIZES
    return {**files, **added}


def diffusion_trees(plain: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return tt-metal with its pipelines by the time that they are of."""
    early = f"models/experimental/{_LARGE}/tt/fun_pipeline.py"
    return {
        "sd-now": with_diffusion(plain, "models/", large=LARGE_NOW, xl=XL),
        "sd-then": with_diffusion(plain, "models/experimental/", large=LARGE_THEN, xl=XL),
        "sd-first": {**plain, early: "class TtStableDiffusion3Pipeline:\n    pass\n"},
    }


def index_of(kind: str) -> str:
    """Return the index of a folder of weights that diffusers would load as `kind`."""
    return json.dumps({"_class_name": kind})
