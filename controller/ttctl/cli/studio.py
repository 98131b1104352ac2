# SPDX-License-Identifier: Apache-2.0
"""Prompt after prompt at a terminal: each is drawn, until the person leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ttctl.cli.session import Session
from ttctl.cli.turns import Turns
from ttctl.cli.viewer import Viewer
from ttctl.errors import UsageError
from ttctl.model.picture import Drawn, Easel, Wanted
from ttctl.operations import image as operations
from ttctl.rules.studio import (
    ALIASES,
    COMMANDS,
    FIELDS,
    command_for,
    shown,
    with_setting,
)
from ttctl.rules.talk import visible
from ttctl.rules.typed import FENCE, Typed, command_in


class Studio(Turns):
    """Where it is drawn, what is wanted, and where images are kept and shown."""

    def __init__(
        self,
        session: Session,
        easel: Easel,
        wanted: Wanted,
        viewer: Viewer,
        *,
        output: Path | None,
        force: bool,
    ) -> None:
        """Nothing is drawn yet."""
        super().__init__(session)
        self.easel = easel
        self.wanted = wanted
        self._viewer = viewer
        self._output = output
        self._force = force
        self._interrupted = False

    def draw(self, prompt: str, *, exact: bool = True) -> Drawn:
        """Draw one prompt; with `exact` its file is the one that was named."""
        world = self.session.world
        place = operations.place_of(world, self._output, prompt, force=self._force, exact=exact)
        wanted = replace(self.wanted, prompt=prompt)
        return operations.draw(world, self.easel, wanted, place, on_file=self._viewer.show)

    def run(self) -> None:
        """Draw what is typed until the person leaves."""
        who = f"{self.easel.model} on {self.easel.where}"
        head = f"{who}  (/help, Ctrl-C stops an image, Ctrl-D leaves)"
        self.until_left(self.session.world.shelf.prompts, head)

    def interrupted(self) -> None:
        """Leave at the second time in a row."""
        self.leaves = self._interrupted
        self._interrupted = True
        again = "" if self.leaves else "Ctrl-C again, Ctrl-D or /quit leaves"
        self.say(f"\n{again}".rstrip(), "dim")

    def turn(self, text: str) -> None:
        """Draw what was typed, or obey it."""
        self._interrupted = False
        if not text.strip():
            return
        try:
            if typed := command_in(text, COMMANDS.keys(), ALIASES, other="a prompt"):
                self._obey(typed)
                return
            drawn = self.draw(text.strip(), exact=False)
        except UsageError as error:
            error.next_step = command_for(self.wanted, error)
            raise
        if drawn.stopped:
            self._interrupted = True
            self.say("(stopped; Ctrl-C again leaves)", "warn")
        if self.session.console.as_json:
            self.session.line("image", drawn, "")

    def _obey(self, typed: Typed) -> None:
        if typed.command in FIELDS:
            if typed.argument:
                self.wanted = with_setting(self.wanted, typed.command, typed.argument)
            self.say(f"{typed.command} {visible(shown(self.wanted, typed.command))}", "dim")
            return
        _OTHERS[typed.command](self)


def _help(studio: Studio) -> None:
    for name, (argument, text) in COMMANDS.items():
        studio.say(f"  {f'/{name} {argument}':<22} {text}")
    studio.say(f"A block of lines begins with {FENCE} and ends with it. A blank in front of a /")
    studio.say("makes it a prompt, and keeps a line out of the history.")


def _quit(studio: Studio) -> None:
    studio.leaves = True


_OTHERS: dict[str, Callable[[Studio], None]] = {"help": _help, "quit": _quit}
"""What is no setting."""
