# SPDX-License-Identifier: Apache-2.0
"""`ttctl config`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ttctl.cli import config_answers as answers
from ttctl.cli import config_boot, config_key, options
from ttctl.cli.session import session_of
from ttctl.cli.wiring_files import wire_editor
from ttctl.model.site import SiteEntry
from ttctl.operations import settings as operations
from ttctl.rules.settings import known_setting, text_of
from ttctl.rules.settings import typed as typed_value

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="Show and change the settings.",
)
app.add_typer(config_key.app, name="key")
app.command("boot")(config_boot.boot)

Key = Annotated[str, typer.Argument(help="A setting, such as up.port.")]
Project = Annotated[
    bool, typer.Option("--project", help="The project's ttctl.toml, not the user's file.")
]
All = Annotated[bool, typer.Option("--all", help="Also what is not set here.")]


@app.callback()
def config(ctx: typer.Context) -> None:
    """Show and change the settings."""
    if ctx.invoked_subcommand is None:
        show(ctx)


@app.command("show")
def show(
    ctx: typer.Context,
    *,
    key: Annotated[str | None, typer.Argument(help="Only this setting, or this table.")] = None,
    every: All = False,
) -> None:
    """Show the settings that somebody made, each with its source.

    Passwords in addresses are hidden.
    """
    session = session_of(ctx)
    found = answers.found_settings(session, key)
    if key is None and not every:
        found = [one for one in found if answers.is_made(one)]
    rows = [(one.key, answers.cell(one) or '""', one.source or "-") for one in found]
    text = session.table(("SETTING", "VALUE", "SOURCE"), rows) if rows else answers.NOTHING
    session.show("settings", tuple(map(answers.without_password, found)), text)


@app.command("get")
def get(ctx: typer.Context, *, key: Key) -> None:
    """Print the value that will be used for one setting, and nothing where there is none.

    Passwords in addresses are hidden; several values stand on a line each.
    """
    session = session_of(ctx)
    found = answers.found_settings(session, known_setting(key).key)
    shown = tuple(map(answers.without_password, found))
    lines = [answers.cell(replace(one, written="")) for one in shown if one.value is not None]
    session.show("settings", shown, "\n".join(lines))


@app.command("set")
def set_(
    ctx: typer.Context,
    *,
    key: Key,
    value: Annotated[list[str], typer.Argument(help="Its value; several where it has several.")],
    project: Project = False,
    dry_run: options.DryRun = False,
) -> None:
    """Set one setting in the user's file, or in the project's.

    Comments, order and layout of the file stay. An empty VALUE switches off what the host says.
    """
    session = session_of(ctx)
    setting = known_setting(key)
    wanted = typed_value(setting, tuple(value))
    answers.note_respelled(session, setting, value)
    answers.check_file(session, setting, wanted)
    file = answers.settings_file(session, project=project)
    stored = answers.for_file(session, setting, wanted, file, project=project)
    change = operations.change(file, setting, stored, dry_run=dry_run)
    session.show("settings-change", change, answers.change_text(change))
    if change.changed and not dry_run:
        answers.note_stronger(session, setting, file, project=project)


@app.command("unset")
def unset(
    ctx: typer.Context, *, key: Key, project: Project = False, dry_run: options.DryRun = False
) -> None:
    """Remove one setting from the user's file, or from the project's.

    A key of the file that is no setting can be removed too.
    """
    session = session_of(ctx)
    file = answers.settings_file(session, project=project)
    change = operations.remove(file, key, dry_run=dry_run)
    session.show("settings-change", change, answers.change_text(change))


@app.command("edit")
def edit(ctx: typer.Context, *, project: Project = False) -> None:
    """Open the user's file, or the project's, in VISUAL or EDITOR.

    A copy is edited, and checked before it takes the file's place.
    """
    session = session_of(ctx)
    answers.check_terminal(session)
    file = answers.settings_file(session, project=project)
    change = operations.edit(
        file,
        editor=wire_editor(session.settings.repair(project=project)),
        again=lambda wrong: answers.wants_again(session, wrong),
    )
    session.show("settings-change", change, answers.change_text(change))


@app.command("path")
def path(ctx: typer.Context, *, project: Project = False) -> None:
    """Print the path of the user's file, or of the project's.

    The file may not exist yet.
    """
    session = session_of(ctx)
    place = session.settings.place(project=project)
    session.show("settings-path", place, place.path)


@app.command("site")
def site(ctx: typer.Context, *, every: All = False) -> None:
    """Show what is peculiar to this place.

    Each of it with where it was found.
    """
    session = session_of(ctx)
    found = [one for one in answers.site_settings(session) if every or one.source]
    values = tuple(
        SiteEntry(name=one.key.partition(".")[2], value=text_of(one.value), source=one.source)
        for one in map(answers.without_password, found)
    )
    rows = [(one.name, one.value or "-", one.source or "-") for one in values]
    text = (
        session.table(("SETTING", "VALUE", "SOURCE"), rows) if rows else "Nothing is peculiar here."
    )
    session.show("site", values, text)
