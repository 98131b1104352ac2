# SPDX-License-Identifier: Apache-2.0
"""`ttctl doctor`."""

from __future__ import annotations

import os
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli.session import session_of
from ttctl.operations import doctor as operations
from ttctl.rules.mending import without_sudo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.cli.palette import Palette, Role
    from ttctl.cli.session import Session
    from ttctl.model.health import Check, Diagnosis
    from ttctl.operations.subject import Subject

WIDTH = 80
VERDICT = 9
"""Columns of the word and the blanks behind it."""
NAME = 17
MARGIN = 2 + VERDICT

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    ctx: typer.Context,
    *,
    stack: Annotated[
        str | None, typer.Argument(help="A stack, or a model that is not up yet [default: all].")
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Do the harmless fixes, each after a question.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on a warning too.")] = False,
) -> None:
    """Check this machine and this place, and say what to do."""
    session = session_of(ctx)
    subject, found = operations.doctor(session.world, stack)
    if fix:
        found = _mended(session, subject, found)
    found = _as_typed(found, root=os.geteuid() == 0)
    session.show("doctor", found, screen(found, session.console.out))
    if found.failed or (strict and found.warnings):
        raise typer.Exit(1)


def _mended(session: Session, subject: Subject, found: Diagnosis) -> Diagnosis:
    """Ask for each harmless fix, do it, and look at its group again."""
    harmless = [one for one in found.checks if one.harmless and one.verdict in operations.BAD]
    if not harmless:
        session.console.note("nothing here is mended by --fix")
    for check in harmless:
        question = f"{check.name}: {check.summary}. Do `{check.fix}`?"
        if session.console.agrees(question, next_step="ttctl doctor --fix --yes"):
            operations.mend(subject, check)
            found = operations.again(subject, found, check.group)
    return found


def screen(found: Diagnosis, palette: Palette) -> str:
    """Lay every check out by its group, with evidence and fix where something is to be done."""
    lines: list[str] = []
    group = ""
    for check in found.checks:
        if check.group != group:
            lines += (
                ["", palette.paint(check.group, "head")]
                if group
                else [palette.paint(check.group, "head")]
            )
            group = check.group
        lines += _lines(check, palette)
    return "\n".join([*lines, "", *_end(found, palette)])


def _lines(check: Check, palette: Palette) -> Iterator[str]:
    verdict = palette.state(f"{check.verdict:<{VERDICT}}")
    first, *rest = textwrap.wrap(check.summary, WIDTH - MARGIN - NAME) or [""]
    yield f"  {verdict}{check.name:<{NAME - 1}} {first}".rstrip()
    for line in rest:
        yield " " * (MARGIN + NAME) + line
    if check.verdict not in operations.BAD:
        return
    if check.evidence:
        yield from _part("found", check.evidence, palette, wrap=True)
    if check.fix:
        yield from _part("fix", check.fix, palette, wrap=False)


def _part(name: str, text: str, palette: Palette, *, wrap: bool) -> Iterator[str]:
    """Yield a named text; a command stays on one line, to be copied."""
    room = WIDTH - MARGIN - 7
    lines = textwrap.wrap(text, room, break_on_hyphens=False) if wrap else [text]
    role: Role = "dim" if wrap else "accent"
    label = f"{name}:".ljust(7)
    for at, line in enumerate(lines):
        yield " " * MARGIN + (palette.paint(label, role) if at == 0 else " " * 7) + line


def _end(found: Diagnosis, palette: Palette) -> Iterator[str]:
    counts = (
        (found.ok, "ok"),
        (found.warnings, "warning"),
        (found.failed, "failed"),
        (found.skipped, "skipped"),
    )
    parts = []
    for count, word in counts:
        plural = "s" if word == "warning" and count != 1 else ""
        text = f"{count} {word}{plural}"
        parts.append(palette.state(word).replace(word, text, 1) if count else text)
    yield ", ".join(parts)
    if found.next_step:
        yield f"{palette.paint('next:', 'accent')}     {found.next_step}"


def _as_typed(found: Diagnosis, *, root: bool) -> Diagnosis:
    """Return the diagnosis with commands as this user types them."""
    if not root:
        return found
    checks = tuple(replace(one, fix=without_sudo(one.fix)) for one in found.checks)
    return replace(found, checks=checks, next_step=without_sudo(found.next_step))
