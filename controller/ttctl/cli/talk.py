# SPDX-License-Identifier: Apache-2.0
"""A conversation at a terminal: what is typed is a question or a command, until it is left."""

from __future__ import annotations

import sys

from ttctl.cli.session import Session
from ttctl.cli.talk_commands import HANDLERS
from ttctl.cli.turns import Turns
from ttctl.errors import UsageError
from ttctl.model.talk import Completion, Door, Talk
from ttctl.operations import chat as operations
from ttctl.rules.talk import STOPPED, visible
from ttctl.rules.typed import command_in, put_right


class Conversation(Turns):
    """One conversation: with whom, what was said, and where it is shown."""

    def __init__(self, session: Session, door: Door, talk: Talk) -> None:
        """Nothing is asked yet."""
        super().__init__(session)
        self.door = door
        self.talk = talk
        self._is_screen = sys.stdout.isatty()

    def run(self) -> None:
        """Talk until the person leaves."""
        who = f"{self.talk.model} on {self.door.where}"
        head = f"{who}  (/help, Ctrl-C stops an answer, Ctrl-D leaves)"
        self.until_left(self.session.world.shelf.inputs, head)

    def interrupted(self) -> None:
        """Say how to leave: Ctrl-C stops an answer."""
        self.say("\nCtrl-D or /quit leaves", "dim")

    def turn(self, text: str) -> None:
        """Ask what was typed, or obey it."""
        if not text.strip():
            return
        if typed := command_in(text):
            try:
                HANDLERS[typed.command](self, typed.argument)
            except UsageError as error:
                error.next_step = put_right(typed, error)
                raise
            return
        answer = self.ask(text.strip())
        if self.session.console.as_json:
            self.session.line("chat", answer, "")

    def ask(self, question: str) -> Completion:
        """Ask, show the answer as it comes, and remember both."""
        shown = False

        def show(piece: str) -> None:
            nonlocal shown
            shown = True
            self.session.console.piece(visible(piece) if self._is_screen else piece)

        try:
            self.talk, answer = operations.ask(
                self.session.world, self.door, self.talk, question, on_text=show
            )
        finally:
            if shown:
                self.session.console.piece("\n")
        self._figures(answer)
        return answer

    def _figures(self, answer: Completion) -> None:
        if self.session.console.quiet or self.session.console.as_json:
            return
        if answer.finish == STOPPED:
            self.say("(stopped)", "warn")
        if answer.completion_tokens:
            self.say(
                f"({answer.completion_tokens} tokens, first after {answer.first_token_s:.2f} s, "
                f"{answer.tokens_per_s:.0f} tokens/s)",
                "dim",
            )
        if answer.finish == "length":
            self.say(
                f"(cut at {answer.completion_tokens} tokens; --max-tokens, or /set max_tokens, "
                "allows more)",
                "warn",
            )
