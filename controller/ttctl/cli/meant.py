# SPDX-License-Identifier: Apache-2.0
"""Which command was meant? The words as they were typed, with the nearest known one put in."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

import click
from click.exceptions import NoSuchCommand

from ttctl.cli.door import GLOBAL, VALUED
from ttctl.errors import UsageError

LIKENESS = 0.65
"""How alike two words must be, by `difflib`; the dashes of options count too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command as it came in."""

    words: tuple[str, ...]
    """The verb and its words, without the global flags."""
    flags: frozenset[str] = frozenset()
    """Fields of `session.Flags`."""
    values: tuple[tuple[str, str], ...] = ()
    """The same that have a value, with it."""
    behind: tuple[str, ...] = ()
    """What stood behind `--`."""

    def command(self) -> str:
        """Return it as a line for the shell."""
        flags = [long for long, _, field, _ in GLOBAL if field in self.flags]
        for long, _, field, _ in VALUED:
            flags += [
                word for name, value in self.values if name == field for word in (long, value)
            ]
        behind = ["--", *self.behind] if self.behind else []
        return shlex.join(["ttctl", *flags, *self.words, *behind])

    def with_option(self, *option: str) -> str:
        """Return the whole command with one option more, or with another value of it."""
        words = list(self.words)
        if option[0] in words:
            at = words.index(option[0])
            del words[at : at + len(option)]
        return replace(self, words=(*words, *option)).command()

    def corrected(self, mistyped: str, meant: str) -> str:
        """Return the whole command with one word put right; `--word=value` keeps its value."""
        words = list(self.words)
        for at, word in enumerate(words):
            head, equals, value = word.partition("=")
            if word == mistyped:
                words[at] = meant
            elif equals and head == mistyped:
                words[at] = f"{meant}={value}"
            elif equals and value == mistyped:
                words[at] = f"{head}={meant}"
            else:
                continue
            break
        return replace(self, words=tuple(words)).command()


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that looks most like `word`, or nothing."""
    return next(iter(get_close_matches(word, tuple(known), n=1, cutoff=LIKENESS)), "")


def unknown_word(
    what: str, word: str, known: Iterable[str], *, next_step: str, also: Iterable[str] = ()
) -> UsageError:
    """Return the refusal of a word that is not known.

    Args:
        what: What kind of word it is, such as `verb`; may end in the words before it.
        word: The word.
        known: The words that there are.
        next_step: What to type where nothing is near.
        also: Further words that are understood, and need not be listed.
    """
    names = tuple(known)
    meant = nearest(word, (*names, *also))
    kind, _, before = what.partition(" ")
    return UsageError(
        f"There is no {kind} {f'{before} {word}'.strip()!r}.",
        why=f"Known: {', '.join(names) or 'none'}.",
        evidence=f"Nearest: {meant}." if meant else "No name is near to it.",
        next_step=next_step,
        mistyped=word,
        meant=meant,
    )


def refusal_of(raised: click.UsageError, typed: Typed) -> UsageError:
    """Return click's refusal in our four parts, with the nearest word where one is off."""
    path = raised.ctx.command_path if raised.ctx else "ttctl"
    help_of = f"{path} --help"
    command = raised.ctx.command if raised.ctx else None
    if isinstance(raised, click.NoSuchOption):
        if refusal := _bare_flag(raised.option_name, typed):
            return refusal
        options = [*_options(command), *(long for long, *_ in (*GLOBAL, *VALUED))]
        return unknown_word("option", raised.option_name, options, next_step=help_of)
    if isinstance(raised, NoSuchCommand) and isinstance(command, click.Group):
        names = [name for name, one in command.commands.items() if not one.hidden]
        inner = path.partition(" ")[2]
        return unknown_word(f"verb {inner}", raised.command_name, names, next_step=help_of)
    mistyped, meant = _choice(raised, typed)
    return UsageError(
        raised.format_message(),
        why="The words of the command could not be read.",
        evidence=f"Typed: {typed.command()}",
        next_step=help_of,
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
