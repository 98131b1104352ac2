#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does demo-sd draw what it is asked for? Exits with 1 when it does so too seldom.

`python evaluate.py MODEL` draws every colour with each of 20 seeds (160 pictures) and prints in
how many of them the named colour dominates, and how well the named shape fits.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from judge import Seen, Verdict, look, prompts, verdict
from PIL import Image

FOLDER = Path(__file__).parent
SEEDS = 20
COLOURS_ENOUGH = 0.8
SHAPES_ENOUGH = 0.4
"""By chance it is 0.25; 0.4 of 160 pictures come by chance less than once in 10 000 times."""


def drawn(pipe: Any, lines: list[str], seed: int, side: int, told: dict[str, Any]) -> list[Any]:  # noqa: ANN401
    """Draw one picture a line, all with the same seed."""
    dice = [torch.Generator("cpu").manual_seed(seed) for _ in lines]
    found = pipe(
        lines, generator=dice, height=side, width=side, num_inference_steps=told["default_steps"],
        guidance_scale=told["default_guidance"],
    )  # fmt: skip
    return list(found.images)


def seen_in(picture: Any, side: int) -> Seen:  # noqa: ANN401
    """Look at a picture, made as small as the pictures that the model was trained on."""
    small = picture.convert("RGB").resize((side, side), Image.Resampling.BOX)
    return look(lambda x, y: small.getpixel((x, y)), side)


def sheet(rows: list[list[Any]], path: Path) -> None:
    """Put all pictures on one page: a row a seed."""
    side = rows[0][0].width
    page = Image.new("RGB", (len(rows[0]) * (side + 4), len(rows) * (side + 4)), (120, 120, 120))
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            page.paste(picture, (right * (side + 4) + 2, down * (side + 4) + 2))
    page.save(path)


def printed(found: Verdict, rows: list[list[Any]], seconds: float) -> None:
    """Print the figures and a checksum of all pixels."""
    pixels = hashlib.sha256(b"".join(one.tobytes() for row in rows for one in row)).hexdigest()
    sys.stdout.write(
        f"colour {found.colours} of {found.pictures}\n"
        f"shape {found.shapes} of {found.pictures} (by chance one in four)\n"
        f"overlap {found.named:.3f} with the named shape, {found.others:.3f} with the others\n"
        f"{seconds / found.pictures:.2f} s a picture, pixels {pixels[:16]}\n"
    )


def main() -> int:
    """Print the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("model", type=Path, nargs="?", default=FOLDER / "model")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--side", type=int, help="pixels; default: what the model says")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--sheet", type=Path, help="write all pictures as one PNG file")
    arguments = parser.parse_args()
    told = json.loads((arguments.model / "drawing.json").read_text())
    told["default_steps"] = arguments.steps or told["default_steps"]
    if arguments.guidance is not None:
        told["default_guidance"] = arguments.guidance
    native = told["default_size"][0]
    pipe = DiffusionPipeline.from_pretrained(arguments.model, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    asked, rows, started = [], [], time.monotonic()
    for seed in range(arguments.seeds):
        pairs = list(prompts(seed))
        lines = [f"a {colour} {shape}" for colour, shape in pairs]
        rows.append(drawn(pipe, lines, seed, arguments.side or native, told))
        asked += pairs
    seconds = time.monotonic() - started
    found = verdict(asked, [seen_in(one, native) for row in rows for one in row])
    printed(found, rows, seconds)
    if arguments.sheet:
        sheet(rows, arguments.sheet)
    colours_hold = found.colours >= COLOURS_ENOUGH * found.pictures
    shapes_hold = found.shapes >= SHAPES_ENOUGH * found.pictures and found.named > found.others
    return 0 if colours_hold and shapes_hold else 1


if __name__ == "__main__":
    raise SystemExit(main())
