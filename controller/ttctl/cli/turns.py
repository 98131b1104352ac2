# SPDX-License-Identifier: Apache-2.0
"""Turn after turn at a terminal: what is typed is taken up, until the person leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ttctl.cli.palette import Role
from ttctl.cli.prompt import Prompt
from ttctl.cli.session import Session
from ttctl.errors import TtctlError
from ttctl.model.shelf import Inputs


class Turns(ABC):
    """What a conversation and a studio have in common; a refusal ends a turn, not the program."""

    def __init__(self, session: Session) -> None:
        """Nothing is typed yet."""
        self.session = session
        self.leaves = False

    def until_left(self, history: Inputs, head: str) -> None:
        """Take up what is typed until the person leaves.

        Args:
            history: What was typed before, and is added to.
            head: What is said at first, about whom and how to leave.
        """
        prompt = Prompt(self.session.console, history)
        if not self.session.console.quiet:
            self.say(head, "dim")
        while not self.leaves:
            try:
                self.turn(prompt.read())
            except KeyboardInterrupt:
                self.interrupted()
            except EOFError:
                self.say("")
                return
            except TtctlError as error:
                self.session.console.error(error)

    @abstractmethod
    def turn(self, text: str) -> None:
        """Take up what was typed."""

    @abstractmethod
    def interrupted(self) -> None:
        """Ctrl-C was pressed where nothing is under way."""

    def say(self, text: str, role: Role | None = None) -> None:
        """Say something that is no answer: on stderr."""
        console = self.session.console
        console.say(console.err.paint(text, role) if role else text)
