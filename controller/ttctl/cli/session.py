# SPDX-License-Identifier: Apache-2.0
"""What one command has: its flags, its console, and the world behind a door of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.cli.console import Console
from ttctl.cli.table import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import click

    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What stands before or after every verb."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    offline: bool = False
    no_color: bool = False
    yes: bool = False


class Session:
    """One command's world."""

    def __init__(self, flags: Flags, behind: tuple[str, ...] = ()) -> None:
        """Nothing is read or asked yet; `behind` is what stood behind `--`, for the engine."""
        self.flags = flags
        self.behind = behind
        self.console = Console(
            as_json=flags.as_json,
            quiet=flags.quiet,
            verbose=flags.verbose,
            yes=flags.yes,
            colour="never" if flags.no_color else "auto",
        )

    def show(self, kind: str, value: object, text: str) -> None:
        """Print the answer."""
        self.console.answer(kind, value, text)

    def line(self, kind: str, value: object, text: str) -> None:
        """Print one line of an answer that has many."""
        self.console.line(kind, value, text)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """Lay rows out for stdout, in its colours."""
        return table(head, rows, self.console.out)

    @cached_property
    def world(self) -> World:
        """Everything outside, wired."""
        from ttctl.cli.wiring import wire  # noqa: PLC0415

        return wire(self.console, offline=self.flags.offline)


def session_of(ctx: click.Context) -> Session:
    """Return the session that the door made for this command."""
    session = ctx.find_root().obj
    return session if isinstance(session, Session) else Session(Flags())
