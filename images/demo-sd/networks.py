# SPDX-License-Identifier: Apache-2.0
"""What demo-sd is made of: a tokenizer, three small networks and a scheduler, all stock classes."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from scenes import SEED, texts
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Whitespace
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

THREADS = 1
TEXTS = 8000
"""How many texts the vocabulary is learned from."""
VOCABULARY = 768
"""The most tokens that are learned; each byte is a token beside them."""
TOKENS = 24
"""The longest prompt; what is beyond is cut."""
WIDTH = 128
"""Of the text encoder."""
CHANNELS = 8
"""Of a latent picture."""
SHRINK = 8
"""Pixels of the picture to one of the latent picture."""
NATIVE = 64
"""Pixels of the side that most of the training is for."""

SIDES = (64, 128, 256, 512)
"""Pixels of the sides that were trained on."""
GUIDANCE = 3.0
RECORD = "training.json"


def _merges(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Learn which letters belong together, as CLIP writes them: a word's last token has a mark."""
    learned = Tokenizer(BPE(end_of_word_suffix="</w>"))
    learned.pre_tokenizer = Whitespace()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY, end_of_word_suffix="</w>",
        initial_alphabet=sorted(ByteLevel.alphabet()), show_progress=False,
    )  # fmt: skip
    learned.train_from_iterator(lines, trainer)
    merges: Sequence[Any] = json.loads(learned.to_str())["model"]["merges"]
    return [(one[0], one[1]) for one in merges]


def build_tokenizer(folder: Path) -> Any:  # noqa: ANN401 - of the library
    """Learn a vocabulary and return a tokenizer that was read from `folder`, where it is put."""
    merges = _merges(text.lower() for text in texts(TEXTS, seed=SEED))
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(f"{one}</w>" for one in letters), *("".join(one) for one in merges)]
    marks = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys([*words, *marks]))}
    lines = ["#version: 0.2", *(" ".join(one) for one in merges)]
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    return CLIPTokenizer.from_pretrained(
        folder, model_max_length=TOKENS, pad_token=marks[1], unk_token=marks[1]
    )


def build_vae() -> Any:  # noqa: ANN401
    """Return the untrained network between a picture and its latent picture, an eighth of it.

    It has no norms: without weights that keep a signal's size it would hardly begin to learn.
    """
    vae = AutoencoderTiny(
        encoder_block_out_channels=(24,) * 4, decoder_block_out_channels=(24,) * 4,
        num_encoder_blocks=(0, 1, 1, 1), num_decoder_blocks=(2, 1, 1, 0),
        latent_channels=CHANNELS, act_fn="silu",
    )  # fmt: skip
    for part in vae.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    for block in vae.modules():
        if isinstance(block, AutoencoderTinyBlock):
            block.conv[-1].weight.data.mul_(0.2)
    return vae


def build_text_encoder(tokenizer: Any) -> Any:  # noqa: ANN401
    """Return the untrained network that reads the prompt."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=4 * WIDTH,
            projection_dim=WIDTH, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=TOKENS, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip


def build_unet() -> Any:  # noqa: ANN401
    """Return the untrained network that takes noise away."""
    return UNet2DConditionModel(
        sample_size=NATIVE // SHRINK, in_channels=CHANNELS, out_channels=CHANNELS,
        layers_per_block=1, norm_num_groups=16, block_out_channels=(64, 112, 160),
        cross_attention_dim=WIDTH, attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip


def build_scheduler() -> Any:  # noqa: ANN401
    """Return the schedule: it begins at pure noise, so that a white background can be reached.

    Source: Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", 2023.
    """
    return DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012,
        beta_schedule="scaled_linear", prediction_type="v_prediction",
        rescale_betas_zero_snr=True, timestep_spacing="trailing", set_alpha_to_one=True,
        clip_sample=False, steps_offset=1,
    )  # fmt: skip


def read(tokenizer: Any, lines: Sequence[str]) -> torch.Tensor:  # noqa: ANN401
    """Return the numbers of the tokens, one row a line."""
    found: Mapping[str, torch.Tensor] = tokenizer(
        list(lines), padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt"
    )
    return found["input_ids"]


def save(out: Path, *, tokenizer: Any, **parts: Any) -> None:  # noqa: ANN401
    """Write the pipeline as half precision, save for the text encoder.

    Without a type asked for, diffusers reads its own networks as float32, but transformers takes
    the type that is in the file: half precision there would not fit the rest. The vocabulary is
    written twice: transformers 5 reads `tokenizer.json`, 4 the two others.
    """
    pipe = StableDiffusionPipeline(
        **parts, tokenizer=tokenizer, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.vae.half()
    pipe.unet.half()
    pipe.save_pretrained(out)
    plain = json.loads((out / "vae" / "config.json").read_text())
    # AutoencoderTiny derives this and warns when it reads it.
    plain.pop("block_out_channels", None)
    # Where the machine that trained it had it.
    plain.pop("_name_or_path", None)
    (out / "vae" / "config.json").write_text(json.dumps(plain, indent=2) + "\n")
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    lines = ["#version: 0.2", *(" ".join(one) for one in model["merges"])]
    (out / "tokenizer" / "merges.txt").write_text("\n".join(lines) + "\n")
    words = json.dumps(model["vocab"], ensure_ascii=False)
    (out / "tokenizer" / "vocab.json").write_text(words + "\n")
    told = {
        "default_size": [NATIVE, NATIVE],
        "sizes": [[side, side] for side in SIDES],
        "multiple": SHRINK,
        "default_steps": 20,
        "default_guidance": GUIDANCE,
    }
    (out / "drawing.json").write_text(json.dumps(told, indent=2) + "\n")


def record(out: Path, facts: Mapping[str, Any]) -> None:
    """Write down how the model was trained, with each file's size and hash, readable for all."""
    files = {
        path.relative_to(out).as_posix(): [
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        ]
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != RECORD
    }
    (out / RECORD).write_text(json.dumps({**facts, "files": files}, indent=2) + "\n")
    for path in (out, *out.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
