# SPDX-License-Identifier: Apache-2.0
"""`ttctl completion`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer
from click.shell_completion import get_completion_class

from ttctl.adapters import shell_files
from ttctl.cli import options
from ttctl.cli.door import COMPLETE
from ttctl.cli.session import session_of
from ttctl.errors import UsageError
from ttctl.model.shell import ScriptState, ShellScript

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Shell(StrEnum):
    """The shells that can be answered."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(
    ctx: typer.Context,
    *,
    shell: Annotated[Shell, typer.Argument(help="The shell that the script is for.")],
    install: Annotated[
        bool, typer.Option("--install", help="Write it where the shell looks for it.")
    ] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Remove what `--install` wrote.")
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Print the script that makes a shell complete ttctl.

    Verbs, options, models, devices, stacks and services are completed from local files; nothing
    is asked of an engine or a network. Without `--install`: `eval "$(ttctl completion bash)"`.
    """
    if install and uninstall:
        raise UsageError(
            "--install and --uninstall exclude each other.",
            why="One writes what the other removes.",
            next_step="ttctl completion --help",
        )
    session = session_of(ctx)
    path, text = shell_files.script_path(shell, os.environ), script(shell)
    state: ScriptState = "printed"
    if install:
        state = shell_files.install(path, text, dry_run=dry_run)
    if uninstall:
        state = shell_files.uninstall(path, dry_run=dry_run)
    further = FURTHER[shell].format(folder=path.parent) if install else ""
    made = ShellScript(
        shell=shell.value, path=path, state=state, dry_run=dry_run, text=text, further=further
    )
    session.show("completion", made, text.rstrip("\n") if state == "printed" else _said(made))


FURTHER = {
    Shell.BASH: "It is read by the package bash-completion, in every new shell.",
    Shell.ZSH: "Put into ~/.zshrc, before compinit: fpath=({folder} $fpath)",
    Shell.FISH: "It is read in every new shell.",
}
"""What is to be known of a script that was put where the shell looks for it."""

SAID: dict[ScriptState, str] = {
    "written": "{path} is written.",
    "unchanged": "{path} is there already.",
    "removed": "{path} is removed.",
    "absent": "{path} is not there.",
}
PLANNED: dict[ScriptState, str] = {
    "written": "{path} would be written.",
    "removed": "{path} would be removed.",
}
"""The same under `--dry-run`, where it differs."""


def script(shell: str) -> str:
    """Return the script of `shell`: click's own, which asks ttctl through the environment.

    In zsh, a file of `fpath` is run at every call but the first as a function. click's script
    knows the first only, so that the second Tab of a session would find nothing.

    Source: https://github.com/pallets/click/blob/8.5.1/src/click/shell_completion.py, `_SOURCE_ZSH`
    """
    kind = get_completion_class(shell)
    assert kind  # noqa: S101 - click has the three of `Shell`
    names = {
        "complete_func": "_ttctl_completion",
        "complete_var": COMPLETE,
        "prog_name": "ttctl",
    }
    text = kind.source_template % names
    return text.replace("$zsh_eval_context[-1] == loadautofunc", "$funcstack[1] == _ttctl")


def _said(made: ShellScript) -> str:
    said = PLANNED if made.dry_run else {}
    head = {**SAID, **said}[made.state].format(path=made.path)
    return f"{head}\n{made.further}".rstrip()
