# SPDX-License-Identifier: Apache-2.0
"""What can be set between two prompts for images? Pure."""

from __future__ import annotations

from dataclasses import replace
from sys import float_info
from typing import TYPE_CHECKING, Any

from ttctl.errors import UsageError
from ttctl.rules.picture_names import MOST

if TYPE_CHECKING:
    from ttctl.model.picture import Wanted

COMMANDS: dict[str, tuple[str, str]] = {
    "size": ("[512x512|auto]", "Show or set width and height in pixels."),
    "n": ("[N]", "Show or set how many images a prompt gives."),
    "steps": ("[N|auto]", "Show or set how many steps an image takes."),
    "seed": ("[N|any]", "Show or set the first image's seed; the same gives the same."),
    "guidance": ("[X|auto]", "Show or set how closely the prompt is followed."),
    "negative": ("[TEXT|none]", "Show or set what shall not be seen."),
    "help": ("", "Show this."),
    "quit": ("", "Leave; Ctrl-D does too."),
}
"""Command to (what follows it, what it does)."""
ALIASES = {"exit": "quit", "bye": "quit", "?": "help", "images": "n", "count": "n"}
FIELDS = {"size": "size", "n": "images", "steps": "steps", "seed": "seed", "guidance": "guidance",
          "negative": "negative_prompt"}  # fmt: skip
"""Command to the field of `Wanted` that it sets."""
UNSET = frozenset({"auto", "any", "none", "default"})
NEEDS = {
    "n": f"a whole number from 1 to {MOST}",
    "steps": "a whole number from 1, or auto",
    "seed": "a whole number from 0, or any",
    "guidance": "a number from 0, or auto",
}
EXAMPLES = {"n": "/n 2", "steps": "/steps 20", "seed": "/seed 1", "guidance": "/guidance 5"}


def with_setting(wanted: Wanted, command: str, text: str) -> Wanted:
    """Return what is wanted with one setting more; the service says which sizes and steps it has.

    Raises:
        UsageError: The text is no value of this setting.
    """
    if text.lower() in UNSET and command != "n":
        value: Any = "" if command in {"size", "negative"} else None
    elif command in {"size", "negative"}:
        value = text.lower() if command == "size" else text
    else:
        value = _number(command, text)
    return replace(wanted, **{FIELDS[command]: value})


def shown(wanted: Wanted, command: str) -> str:
    """Return a setting's value as it is typed."""
    value = getattr(wanted, FIELDS[command])
    if value in {None, ""}:
        return {"seed": "any", "negative": "none"}.get(command, "auto")
    return f"{value:g}" if isinstance(value, float) else str(value)


def command_for(wanted: Wanted, error: UsageError) -> str:
    """Return what to type after a refusal; a shell's command is none here."""
    for command in FIELDS:
        if error.meant and shown(wanted, command) == error.mistyped:
            return f"/{command} {error.meant}"
    return error.next_step if error.next_step.startswith("/") else "/help"


def _number(command: str, text: str) -> int | float:
    least = 1 if command in {"n", "steps"} else 0
    most = MOST if command == "n" else float_info.max
    try:
        value = float(text) if command == "guidance" else int(text)
    except ValueError:
        value = -1
    if least <= value <= most:
        return value
    raise UsageError(
        f"{text!r} cannot be set.",
        why=f"/{command} takes {NEEDS[command]}.",
        next_step=EXAMPLES[command],
    )
