# SPDX-License-Identifier: Apache-2.0
"""What does click's refusal of words mean, in our four parts and with the command put right?"""

from __future__ import annotations

from dataclasses import replace

import click
from click.exceptions import NoSuchCommand

from ttctl.cli.door import GLOBAL, VALUED
from ttctl.cli.meant import Typed, nearest, unknown_word
from ttctl.errors import UsageError

FORMATS = frozenset({"--format", "--output", "-o"})
"""By which docker, compose and kubectl are asked for JSON."""


def refusal_of(raised: click.UsageError, typed: Typed) -> UsageError:
    """Return click's refusal in our four parts, with the nearest word where one is off."""
    path = raised.ctx.command_path if raised.ctx else f"ttctl {typed.verb}".rstrip()
    help_of = f"{path} --help"
    command = raised.ctx.command if raised.ctx else None
    if isinstance(raised, click.NoSuchOption):
        if refusal := _bare_flag(raised.option_name, typed):
            return refusal
        if raised.option_name in FORMATS:
            return _format(raised.option_name, typed)
        options = [*_options(command), *(long for long, *_ in (*GLOBAL, *VALUED))]
        return unknown_word("option", raised.option_name, options, next_step=help_of)
    if isinstance(raised, NoSuchCommand) and isinstance(command, click.Group):
        names = [name for name, one in command.commands.items() if not one.hidden]
        inner = path.partition(" ")[2]
        return unknown_word(f"verb {inner}", raised.command_name, names, next_step=help_of)
    mistyped, meant = _choice(raised, typed)
    return UsageError(
        _message(raised),
        why="The words of the command could not be read.",
        evidence=f"Typed: {typed.command()}",
        next_step=_quoted(raised, typed) or _first_choice(raised, path) or help_of,
        mistyped=mistyped,
        meant=meant,
    )


def _bare_flag(name: str, typed: Typed) -> UsageError | None:
    """Return the refusal of `--json=yes`: the flag is there, but takes no value."""
    given = next((word for word in typed.words if word.startswith(f"{name}=")), "")
    if not given or name not in {long for long, *_ in GLOBAL}:
        return None
    return UsageError(
        f"{name} takes no value.",
        why="It is a flag: it is there, or it is not.",
        evidence=f"Typed: {given}",
        mistyped=given,
        meant=name,
    )


def _message(raised: click.UsageError) -> str:
    """Return click's message, on one line and in words that say what is expected."""
    param = getattr(raised, "param", None)
    kind = getattr(param, "type", None)
    if isinstance(raised, click.MissingParameter) and param and isinstance(kind, click.Choice):
        return f"Missing {param.human_readable_name}: {', '.join(map(str, kind.choices))}."
    if isinstance(raised, click.BadParameter) and param and isinstance(kind, click.IntRange):
        found = raised.message.partition(" is not ")[0].strip("'")
        upper = f" to {kind.max}" if kind.max is not None else ""
        return f"{param.opts[0]} takes a whole number from {kind.min}{upper}, not {found!r}."
    return " ".join(raised.format_message().split())


def _first_choice(raised: click.UsageError, path: str) -> str:
    kind = getattr(getattr(raised, "param", None), "type", None)
    if isinstance(raised, click.MissingParameter) and isinstance(kind, click.Choice):
        return f"{path} {next(map(str, kind.choices))}"
    return ""


def _quoted(raised: click.UsageError, typed: Typed) -> str:
    """Return the command with its words as one question, where too many stand there."""
    first = raised.ctx.params.get("question") if raised.ctx else None
    if first not in typed.words or "extra argument" not in raised.message:
        return ""
    more = raised.message.partition("(")[2].rstrip(")").split()
    at = typed.words.index(first)
    rest = [word for word in typed.words[at + 1 :] if word not in more]
    return replace(typed, words=(*typed.words[:at], " ".join([first, *more]), *rest)).command()


def _format(option: str, typed: Typed) -> UsageError:
    """Return the refusal of another tool's way to ask for JSON."""
    at = next(at for at, word in enumerate(typed.words) if word.partition("=")[0] == option)
    taken = 1 if "=" in typed.words[at] else 2
    words = (*typed.words[:at], *typed.words[at + taken :])
    return UsageError(
        f"There is no option {option!r}.",
        why="Every verb prints for people, or for programs with --json.",
        evidence=f"Typed: {typed.command()}",
        next_step=replace(typed, words=words, flags=typed.flags | {"as_json"}).command(),
    )


def _options(command: click.Command | None) -> list[str]:
    if command is None:
        return []
    shown = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    return [name for one in shown for name in (*one.opts, *one.secondary_opts)] + ["--help"]


def _choice(raised: click.UsageError, typed: Typed) -> tuple[str, str]:
    """Return the word that was typed in the place of a choice, and the choice that is near it."""
    kind = getattr(getattr(raised, "param", None), "type", None)
    if isinstance(kind, click.Choice):
        choices = [str(one) for one in kind.choices]
        for word in typed.words:
            value = word.partition("=")[2] or word
            if value not in choices and nearest(value, choices):
                return value, nearest(value, choices)
    return "", ""
