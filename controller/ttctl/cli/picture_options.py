# SPDX-License-Identifier: Apache-2.0
"""The options of `ttctl image`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ttctl.cli.options import OFSTACK
from ttctl.rules import inline_image
from ttctl.rules.picture_names import MOST

Prompt = Annotated[
    str | None,
    typer.Argument(help="What to draw, - for standard input; without it, one after another."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The file, or a folder [default: named after the prompt]."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
Images = Annotated[
    int, typer.Option("--images", "-n", min=1, max=MOST, help="How many, each with the next seed.")
]
Size = Annotated[str, typer.Option("--size", help="Width and height in pixels, such as 512x512.")]
Steps = Annotated[
    int | None,
    typer.Option("--steps", min=1, help="More take longer and show more [default: the model's]."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="The same one gives the same image.")
]
Guidance = Annotated[
    float | None,
    typer.Option(
        "--guidance", min=0, help="How closely the prompt is followed [default: the model's]."
    ),
]
NegativePrompt = Annotated[str, typer.Option("--negative-prompt", help="What shall not be seen.")]
Stack = Annotated[str | None, typer.Option(*OFSTACK, help="The stack that draws.")]
Service = Annotated[
    str | None, typer.Option("--service", help="Which engine of it draws, where several do.")
]
Show = Annotated[
    inline_image.Show,
    typer.Option("--show", help="How the terminal shows images; auto finds out."),
]
NoShow = Annotated[bool, typer.Option("--no-show", help="The same as --show none.")]
