# SPDX-License-Identifier: Apache-2.0
"""Write a Stable Diffusion pipeline of random weights, as small as can be: small.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTHS = (8, 8, 16, 16)


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Return one that knows each letter."""
    letters = [chr(one) for one in range(33, 127)]
    words = [*letters, *(f"{one}</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({one: at for at, one in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
    )


def pipeline(words: CLIPTokenizer) -> StableDiffusionPipeline:
    """Return the pipeline; equal on each call."""
    torch.manual_seed(7)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    return StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=WIDTHS, norm_num_groups=4, sample_size=64,
        ),
        unet=UNet2DConditionModel(
            sample_size=8, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=16,
            attention_head_dim=4,
        ),
        text_encoder=CLIPTextModel(text), tokenizer=words, scheduler=DDIMScheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def make(folder: Path) -> None:
    """Write it."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline(tokenizer(folder)).save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
