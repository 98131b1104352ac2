# SPDX-License-Identifier: Apache-2.0
"""What one command has: its flags, its console, and the world behind a door of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from ttctl.cli.console import Console

if TYPE_CHECKING:
    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What stands before or after every verb."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False


class Session:
    """One command's world."""

    def __init__(self, flags: Flags) -> None:
        """Nothing is read or asked yet."""
        self.flags = flags
        self.console = Console(as_json=flags.as_json, quiet=flags.quiet, verbose=flags.verbose)

    def show(self, kind: str, value: object, text: str) -> None:
        """Print the answer."""
        self.console.answer(kind, value, text)

    def event(self, kind: str, value: object, text: str) -> None:
        """Print one of many answers: a line, or one JSON object a line."""
        self.console.event(kind, value, text)

    @cached_property
    def world(self) -> World:
        """Everything outside, wired; loading it costs more than most answers."""
        from ttctl.cli.wiring import wire  # noqa: PLC0415

        return wire(self.console)


def session_of(ctx: typer.Context) -> Session:
    """Return the session that the door made for this command."""
    session = ctx.find_root().obj
    return session if isinstance(session, Session) else Session(Flags())
