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
from ttctl.cli.examples import EXAMPLES
from ttctl.cli.registry import ELSEWHERE
from ttctl.errors import TtctlError, UsageError

FORMATS = frozenset({"--format", "--output", "-o"})
"""By which docker, compose and kubectl are asked for JSON."""
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

    @property
    def verb(self) -> str:
        """The verb, with its sub-verb; nothing where there is none."""
        two = " ".join(self.words[:2])
        return two if two in EXAMPLES else next((w for w in self.words[:1] if w in EXAMPLES), "")

    def corrected(self, mistyped: str, meant: str) -> str:
        """Return the whole command with one word put right; `--word=value` keeps its value.

        Nothing where that word was not typed: it came from a setting.
        """
        words = _replaced(self.words, mistyped, meant)
        if words != self.words:
            return replace(self, words=words).command()
        behind = _replaced(self.behind, mistyped, meant)
        return replace(self, behind=behind).command() if behind != self.behind else ""

    def with_words(self, added: str) -> str:
        """Return the whole command with the words `added`; a stack where this verb has it."""
        more = tuple(shlex.split(added))
        verb, rest = self.words[:1], self.words[1:]
        if added.startswith("-") or verb == ("connect",):
            return replace(self, words=(*self.words, *more)).command()
        option = ("--stack",) if verb in {("exec",), ("chat",)} else ()
        return replace(self, words=(*verb, *option, *more, *rest)).command()

    def put_right(self, error: TtctlError) -> str:
        """Return what to type after `error`: this command put right, else what it says itself."""
        known = self.corrected(error.mistyped, error.meant) if error.meant else ""
        if not known and error.added:
            known = self.with_words(error.added)
        return known or error.next_step


def _replaced(words: tuple[str, ...], mistyped: str, meant: str) -> tuple[str, ...]:
    """Return the words with the first `mistyped` replaced; `meant` may be several."""
    for at, word in enumerate(words):
        head, equals, value = word.partition("=")
        if word == mistyped:
            return (*words[:at], *shlex.split(meant), *words[at + 1 :])
        if equals and mistyped in {head, value}:
            whole = f"{meant}={value}" if head == mistyped else f"{head}={meant}"
            return (*words[:at], whole, *words[at + 1 :])
    return words


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


def other_word(word: str) -> UsageError:
    """Return the refusal of a word that is a verb of docker, compose or ollama."""
    return UsageError(
        f"There is no verb {word!r}.",
        why="Docker, compose or ollama have it; ttctl has another word for what is meant.",
        evidence=f"Here it is: ttctl {ELSEWHERE[word]}.",
        mistyped=word,
        meant=ELSEWHERE[word],
    )


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
