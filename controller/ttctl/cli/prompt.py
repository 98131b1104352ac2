# SPDX-License-Identifier: Apache-2.0
"""Read what a person types in a conversation: lines that can be edited, recalled and joined."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from ttctl.cli.palette import can_move
from ttctl.errors import TtctlError
from ttctl.rules.typed import FENCE, goes_on, together

try:
    import readline
except ImportError:  # pragma: no cover - a Python that was built without it
    readline = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from ttctl.cli.console import Console
    from ttctl.model.shelf import Inputs

FIRST, FURTHER = "> ", "... "


class Prompt:
    """The line at which questions are typed."""

    def __init__(self, console: Console, inputs: Inputs) -> None:
        """Take over the history of earlier conversations."""
        self._console = console
        self._inputs = inputs
        self._keeps = True
        self._edits = bool(readline) and sys.stdin.isatty() and sys.stdout.isatty()
        if self._edits:
            _prepare(inputs.recent())

    def read(self) -> str:
        """Return a question, a block of lines as one.

        Raises:
            EOFError: The person leaves.
            KeyboardInterrupt: What was typed is thrown away.
        """
        lines = [self._line(FIRST)]
        # An end of input within a block ends the block.
        with contextlib.suppress(EOFError):
            while goes_on(lines):
                lines.append(self._line(FURTHER))
        text = together(lines).strip("\n")
        # What a person does not want to be kept begins with a blank, as in a shell.
        if not lines[0].startswith(" "):
            self._keep(text if "\n" not in text else f"{FENCE}{text}{FENCE}")
        return text

    def _line(self, prompt: str) -> str:
        if self._edits:
            return input(self._painted(prompt))
        print(prompt, end="", file=sys.stderr, flush=True)  # noqa: T201 - input() would use stdout
        if line := sys.stdin.readline():
            return line.rstrip("\n")
        raise EOFError

    def _painted(self, prompt: str) -> str:
        painted = self._console.out.paint(prompt, "accent")
        if painted == prompt:
            return prompt
        # Readline must know what takes no room: RL_PROMPT_START_IGNORE and RL_PROMPT_END_IGNORE.
        before, after = painted.split(prompt)
        return f"\001{before}\002{prompt}\001{after}\002"

    def _keep(self, text: str) -> None:
        if self._edits:
            readline.add_history(text)
        if not self._keeps:
            return
        try:
            self._inputs.add(text)
        except TtctlError as error:
            # Talking goes on without it; once said is enough.
            self._keeps = False
            self._console.note(f"{error.message} {error.why}: {error.evidence}")


def _prepare(earlier: tuple[str, ...]) -> None:
    readline.set_auto_history(False)
    if "libedit" not in (readline.__doc__ or ""):
        # What is pasted stays one input, and is sent when Enter is pressed. Asking for that is
        # an escape code, which a terminal without any would show.
        paste = "on" if can_move(sys.stdout) else "off"
        readline.parse_and_bind(f"set enable-bracketed-paste {paste}")
    readline.clear_history()
    for text in earlier:
        readline.add_history(text)
