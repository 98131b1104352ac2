# SPDX-License-Identifier: Apache-2.0
"""A verb for tests, which fails in the way that it is told."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from ttctl import errors

app = typer.Typer(add_completion=False)


class OddError(Exception):
    """What no adapter translates."""


@app.command()
def boom(
    kind: Annotated[str, typer.Argument()],
    number: Annotated[int, typer.Option("--number", max=9)] = 0,
) -> None:
    """Raise what `kind` names."""
    if kind == "nothing":
        sys.stdout.write(f"{number}\n")
        return
    if hasattr(errors, kind):
        raise getattr(errors, kind)(
            "What happened.", why="Why.", evidence="one\ntwo", next_step="ttctl ps"
        )
    raise {
        "all": OddError(" ".join(os.environ.values())),
        "odd": OddError("a\nb"),
        "interrupt": KeyboardInterrupt(),
        "exit": typer.Exit(7),
        "abort": typer.Abort(),
        "memory": MemoryError(),
        "recursion": RecursionError("deep"),
        "system": SystemExit(143),
        "hangup": SystemExit(129),
        "full": OSError(errno.ENOSPC, "No space left on device"),
    }[kind]
