# SPDX-License-Identifier: Apache-2.0
"""What `--help` shows beyond what Typer makes of a command: arguments' texts, and examples."""

from __future__ import annotations

from functools import partial
from typing import get_type_hints

import click

from ttctl.cli.examples import EXAMPLES


def explain(command: click.Command, path: str) -> None:
    """Give a command, and those in it, the texts of their arguments and their examples."""
    _explain_arguments(command)
    if examples := EXAMPLES.get(path, ()):
        vars(command)["format_epilog"] = partial(_write_examples, examples)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            explain(inner, f"{path} {name}")


def _explain_arguments(command: click.Command) -> None:
    """Put back what click 8.5 erases: its arguments have a `help` of their own, which is empty.

    With it, click writes a section of arguments beside Typer's; one is enough.

    Source: https://github.com/pallets/click/blob/8.5.1/src/click/core.py, `Argument.__init__` and
    `Command.format_arguments`; https://github.com/fastapi/typer/blob/0.25.1/typer/core.py,
    `TyperArgument.__init__` and `_typer_format_options`.
    """
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    function = getattr(command.callback, "__wrapped__", None)
    if not arguments or function is None:
        return
    vars(command)["format_arguments"] = _write_nothing
    hints = get_type_hints(function, include_extras=True)
    for argument in arguments:
        for said in getattr(hints.get(argument.name or ""), "__metadata__", ()):
            vars(argument)["help"] = getattr(said, "help", None)


def _write_nothing(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write no section."""


def _write_examples(
    examples: tuple[str, ...],
    ctx: click.Context,  # noqa: ARG001 - click's signature
    formatter: click.HelpFormatter,
) -> None:
    with formatter.section("Examples"):
        formatter.write_text("\n".join(["\b", *examples]))
