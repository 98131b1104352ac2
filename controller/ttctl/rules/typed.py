# SPDX-License-Identifier: Apache-2.0
"""What did somebody type in a conversation: a question, a block, or a `/command`? Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

COMMANDS: dict[str, tuple[str, str]] = {
    "model": ("[NAME]", "Show what can be talked to, or talk to another one."),
    "service": ("[NAME]", "Show the engines of the stack that talk, or take one."),
    "system": ("[TEXT|none]", "Show or set the system message."),
    "role": ("[NAME|none]", "List the roles, or take one."),
    "set": ("[NAME VALUE]", "Show or set temperature and max_tokens."),
    "tokens": ("", "Show how many tokens were used, and the limit."),
    "save": ("[-f] [NAME]", "Keep the conversation; -f replaces one of that name."),
    "load": ("[NAME]", "List the kept conversations, or go on with one."),
    "drop": ("[N]", "Forget the N oldest questions and answers [1]."),
    "new": ("", "Begin anew; model, role and settings stay."),
    "help": ("", "Show this."),
    "quit": ("", "Leave; Ctrl-D does too."),
}
"""Command to (what follows it, what it does)."""

ALIASES = {"clear": "new", "exit": "quit", "bye": "quit", "?": "help", "reset": "new"}
FENCE = '"""'
_COMMAND = re.compile(r"/([A-Za-z?]+)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command and what followed it."""

    command: str
    argument: str


def command_in(
    text: str,
    commands: Collection[str] = COMMANDS.keys(),
    aliases: Mapping[str, str] = ALIASES,
    *,
    other: str = "a question",
) -> Typed | None:
    """Return the command that `text` is, None where it is a question.

    A word with a second slash is a path and no command, and a blank in front makes anything a
    question.

    Args:
        text: What was typed.
        commands: Which there are.
        aliases: Further words for them.
        other: What is typed where it is no command.

    Raises:
        UsageError: There is no such command.
    """
    found = _COMMAND.fullmatch(text.rstrip())
    if not found:
        return None
    word, argument = found[1].lower(), (found[2] or "").strip()
    name = aliases.get(word, word)
    if name not in commands:
        near = get_close_matches(word, [*commands, *aliases], n=1)
        raise UsageError(
            f"There is no command '/{word}'.",
            why=f"What begins with a slash is a command; a blank in front makes it {other}.",
            evidence=f"Nearest: /{near[0]}." if near else f"Commands: /{', /'.join(commands)}.",
            next_step=f"/{near[0]}" if near else "/help",
        )
    return Typed(command=name, argument=argument)


def put_right(typed: Typed, error: UsageError) -> str:
    """Return what to type in the conversation after a refusal; a shell's command is none here."""
    if error.meant:
        return f"/{typed.command} {typed.argument.replace(error.mistyped, error.meant, 1)}"
    if error.next_step.startswith("/"):
        return error.next_step
    return f"/{typed.command}"


def goes_on(lines: list[str]) -> bool:
    """Return whether more lines belong to what was typed.

    A block begins with three quotes and ends with three; else a backslash at the end goes on.
    """
    text = "\n".join(lines).strip()
    if text.startswith(FENCE):
        return len(text) < 2 * len(FENCE) or not text.endswith(FENCE)
    return bool(lines) and lines[-1].endswith("\\")


def together(lines: list[str]) -> str:
    """Return what was typed as one text, without the quotes and backslashes."""
    text = "\n".join(lines)
    if text.strip().startswith(FENCE):
        return text.strip().removeprefix(FENCE).removesuffix(FENCE).strip("\n")
    return "\n".join([*(line.removesuffix("\\") for line in lines[:-1]), lines[-1]]).rstrip("\\")
