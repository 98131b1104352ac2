# SPDX-License-Identifier: Apache-2.0
"""Which command was meant? The words as they were typed, with the nearest known one put in."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ttctl.cli.door import GLOBAL, VALUED
from ttctl.cli.examples import EXAMPLES
from ttctl.cli.registry import ELSEWHERE
from ttctl.errors import TtctlError, UsageError

DESTROYS = (
    ("down",), ("stop",), ("restart",), ("swap",), ("models", "rm"), ("config", "key", "revoke"),
)  # fmt: skip
"""Verbs whose next step never holds a name that was guessed: typed at once, it ends another."""
LIKENESS = 0.65
"""How alike two words must be, by `difflib`; the dashes of options count too."""


SAME = {"--stack": "--name", "--name": "--stack"}
"""Options that say a stack's name, each where a verb has the other."""


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
        option = ("--stack",) if verb in {("exec",), ("chat",), ("image",)} else ()
        return replace(self, words=(*verb, *option, *more, *rest)).command()

    def put_right(self, error: TtctlError) -> str:
        """Return what to type after `error`: this command put right, else what it says itself."""
        if self._destroys() and not error.mistyped.startswith("-"):
            return error.next_step
        known = self.corrected(error.mistyped, error.meant) if error.meant else ""
        if not known and error.added:
            known = self.with_words(error.added)
        return known or error.next_step

    def _destroys(self) -> bool:
        return any(self.words[: len(verb)] == verb for verb in DESTROYS)


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
    same = SAME.get(word, "")
    meant = same if same in names else nearest(word, (*names, *also))
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
