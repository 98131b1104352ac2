#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train demo-sd and write it as a folder that stock diffusers loads.

`python train.py --out DIR` takes about half an hour of one CPU core. Steps are counted, never
timed, and seeds and threads are fixed, so that training again gives the same model up to rounding.
"""

import argparse
import copy
import math
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny
from networks import (
    NATIVE,
    THREADS,
    build_scheduler,
    build_text_encoder,
    build_tokenizer,
    build_unet,
    build_vae,
    read,
    record,
    save,
)
from pictures import draw
from scenes import SEED, Scene, scenes, sha256, words_for

VAE_STEPS, VAE_BATCH, VAE_RATE = 2000, 12, 3e-3
PIECE = 64
"""Pixels of the pieces that the autoencoder is trained on."""
BLUR = 0.1
"""Noise that the decoder must bear, in standard deviations of a latent picture."""
PEAK_RATE, WARM_UP = 1e-3, 100
SAVED_EVERY = 200
NO_WORDS = 0.1
"""Share of pictures that are shown without words, for guidance."""
KEEP = 0.996
"""How slowly the averaged weights, which are the ones that are kept, follow."""
POOLS = {64: 3000, 128: 1200, 256: 240, 512: 60}
"""Pixels of a side to the number of pictures."""
BATCHES = {64: 24, 128: 8, 256: 2, 512: 1}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of the training."""

    steps: int
    sides: dict[int, float]
    """Pixels of a side to how often it is trained on, one against the other."""


STAGES = (
    Stage(steps=1500, sides={64: 1}),
    Stage(steps=1400, sides={64: 3, 128: 4, 256: 2, 512: 1}),
)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Latent pictures and what is in them."""

    latents: torch.Tensor
    scenes: list[Scene]


def tensor_of(drawn: list[Any]) -> torch.Tensor:
    """Return pictures as one tensor from -1 to 1."""
    values = np.stack([np.asarray(one, dtype=np.float32) for one in drawn])
    return torch.from_numpy(values).permute(0, 3, 1, 2) / 127.5 - 1


def rate_at(step: int, steps: int) -> float:
    """Return the share of the learning rate: a short rise, then a cosine fall to a fiftieth."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(1, steps - WARM_UP)
    return 0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2


def told(text: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def pieces(dice: random.Random) -> torch.Tensor:
    """Return a batch of squares cut out of pictures of several sizes."""
    cut = []
    for scene in scenes(VAE_BATCH, seed=dice.randrange(2**32)):
        side = dice.choice((64, 128, 128, 256))
        x, y = (dice.randrange(0, side - PIECE + 1, 8) for _ in "xy")
        cut.append(draw(scene, side).crop((x, y, x + PIECE, y + PIECE)))
    return tensor_of(cut)


def train_vae(dice: random.Random, steps: int) -> Any:  # noqa: ANN401
    """Learn to write a picture as numbers of about mean 0 and deviation 1, and to read it."""
    vae = build_vae()
    optimizer = torch.optim.AdamW(vae.parameters(), lr=VAE_RATE, betas=(0.9, 0.99))
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = VAE_RATE * rate_at(step, steps)
        shown = pieces(dice)
        latents = vae.encoder(shown)
        again = vae.decoder(latents + BLUR * torch.randn_like(latents))
        wrong = again - shown
        spread = latents.mean((0, 2, 3)).square() + (latents.std((0, 2, 3)) - 1).square()
        loss = 2 * wrong.square().mean() + 0.3 * wrong.abs().mean() + 0.01 * spread.mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            told(f"autoencoder {step}/{steps} {wrong.abs().mean().item():.4f}")
    return vae.eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def pools(vae: Any, share: float) -> dict[int, Pool]:  # noqa: ANN401
    """Draw the pictures and return their latent pictures."""
    made = {}
    for side, count in POOLS.items():
        shown = scenes(max(4, int(count * share)), seed=SEED + side)
        latents = [vae.encoder(tensor_of([draw(scene, side)])) for scene in shown]
        made[side] = Pool(latents=torch.cat(latents), scenes=shown)
        told(f"{len(shown)} pictures of {side} pixels")
    return made


class Trainer:
    """The networks that learn, and what they learn from."""

    def __init__(self, tokenizer: Any, vae: Any, share: float) -> None:  # noqa: ANN401
        self.tokenizer, self.vae = tokenizer, vae
        self.pools = pools(vae, share)
        native = self.pools[NATIVE].latents
        self.scale = 1 / float(native.std())
        vae.register_to_config(scaling_factor=round(self.scale, 6))
        self.scale = vae.config.scaling_factor
        self.scheduler = build_scheduler()
        self.learning = torch.nn.ModuleDict(
            {"text_encoder": build_text_encoder(tokenizer), "unet": build_unet()}
        )
        self.kept = copy.deepcopy(self.learning).eval()
        self.dice = random.Random(SEED)  # noqa: S311

    def loss(self, side: int) -> torch.Tensor:
        """Return how far the networks are off on some pictures of one size."""
        pool = self.pools[side]
        chosen = self.dice.choices(range(len(pool.scenes)), k=BATCHES[side])
        clean = pool.latents[chosen] * self.scale
        lines = [
            "" if self.dice.random() < NO_WORDS else words_for(pool.scenes[one], self.dice)
            for one in chosen
        ]
        said = self.learning["text_encoder"](read(self.tokenizer, lines))[0]
        noise, times = torch.randn_like(clean), torch.randint(1000, (len(chosen),))
        noisy = self.scheduler.add_noise(clean, noise, times)
        target = self.scheduler.get_velocity(clean, noise, times)
        found = self.learning["unet"](noisy, times, said, return_dict=False)[0]
        return torch.nn.functional.mse_loss(found, target)

    @torch.no_grad()
    def keep(self, step: int) -> None:
        """Let the averaged weights follow."""
        share = 1 - min(KEEP, (1 + step) / (10 + step))
        for old, new in zip(self.kept.parameters(), self.learning.parameters(), strict=True):
            old.lerp_(new, share)

    def save(self, out: Path) -> None:
        """Write the averaged weights."""
        parts = {name: copy.deepcopy(part) for name, part in self.kept.items()}
        vae = copy.deepcopy(self.vae)
        save(out, tokenizer=self.tokenizer, vae=vae, scheduler=self.scheduler, **parts)


def fit(trainer: Trainer, out: Path, share: float) -> int:
    """Train through all stages and return the number of steps."""
    plan = [
        side
        for stage in STAGES
        for side in trainer.dice.choices(
            list(stage.sides), list(stage.sides.values()), k=int(stage.steps * share)
        )
    ]
    optimizer = torch.optim.AdamW(
        trainer.learning.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=0.01
    )
    losses: dict[int, float] = {}
    for step, side in enumerate(plan):
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate_at(step, len(plan))
        loss = trainer.loss(side)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainer.learning.parameters(), 1.0)
        optimizer.step()
        trainer.keep(step)
        losses[side] = 0.97 * losses.get(side, loss.item()) + 0.03 * loss.item()
        if step % 100 == 0:
            told(f"step {step}/{len(plan)} { {k: round(v, 4) for k, v in losses.items()} }")
        if (step + 1) % SAVED_EVERY == 0:
            trainer.save(out)
    return len(plan)


def main() -> None:
    """Train, and save."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--vae", type=Path, help="an autoencoder that was trained before")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps, for a quick try")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = build_tokenizer(Path(folder))
    if arguments.vae:
        vae = AutoencoderTiny.from_pretrained(arguments.vae)
        vae.eval().requires_grad_(requires_grad=False)
    else:
        vae = train_vae(random.Random(SEED), int(VAE_STEPS * arguments.share))  # noqa: S311
    torch.manual_seed(SEED)
    trainer = Trainer(tokenizer, vae, arguments.share)
    steps = fit(trainer, arguments.out, arguments.share)
    trainer.save(arguments.out)
    parameters = sum(one.numel() for one in [*vae.parameters(), *trainer.kept.parameters()])
    facts = {
        "scenes_sha256": sha256(), "seed": SEED, "threads": THREADS, "steps": steps,
        "autoencoder_steps": VAE_STEPS, "parameters": parameters,
    }  # fmt: skip
    record(arguments.out, facts)
    sys.stdout.write(f"{steps} steps\n")


if __name__ == "__main__":
    main()
