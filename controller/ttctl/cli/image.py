# SPDX-License-Identifier: Apache-2.0
"""`ttctl image`."""

from __future__ import annotations

import sys

import typer

from ttctl.cli import picture_options as options
from ttctl.cli.chosen import stack_word
from ttctl.cli.piped import piped
from ttctl.cli.session import session_of
from ttctl.cli.studio import Studio
from ttctl.cli.viewer import Viewer
from ttctl.errors import InterruptedByUserError
from ttctl.model.picture import Drawn, Wanted
from ttctl.operations import image as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def image(  # noqa: PLR0913 - one for each flag
    ctx: typer.Context,
    *,
    prompt: options.Prompt = None,
    output: options.Output = None,
    force: options.Force = False,
    images: options.Images = 1,
    size: options.Size = "",
    steps: options.Steps = None,
    seed: options.Seed = None,
    guidance: options.Guidance = None,
    negative_prompt: options.NegativePrompt = "",
    stack: options.Stack = None,
    service: options.Service = None,
    show: options.Show = "auto",
    no_show: options.NoShow = False,
) -> None:
    """Draw images from words, once or prompt after prompt."""
    session = session_of(ctx)
    words = _words(prompt)
    easel = operations.find_easel(session.world, stack_word(session, stack), service=service)
    wanted = Wanted(
        negative_prompt=negative_prompt,
        images=images,
        size=size,
        steps=steps,
        seed=seed,
        guidance=guidance,
    )
    viewer = Viewer(session.console, "none" if no_show else show)
    studio = Studio(session, easel, wanted, viewer, output=output, force=force)
    if words is None:
        studio.run()
        return
    drawn = studio.draw(words.strip())
    if drawn.stopped:
        raise _stopped(drawn)
    session.show("image", drawn, "")


def _words(prompt: str | None) -> str | None:
    """Return what is to be drawn, None where it is asked for at the terminal."""
    if prompt is None and sys.stdin and sys.stdin.isatty():
        return None
    return piped(next_step="ttctl image --help") if prompt in {None, "-"} else prompt


def _stopped(drawn: Drawn) -> InterruptedByUserError:
    whole = ", ".join(str(one.path) for one in drawn.files)
    return InterruptedByUserError(
        "The drawing was stopped.",
        why="The service stops computing, too.",
        evidence=f"Whole by then: {whole or 'nothing'}.",
        next_step="ttctl image",
    )
