# SPDX-License-Identifier: Apache-2.0
"""Part what was typed: the flags that hold for every verb, the verb's words, what is behind `--`.

Loads nothing: `--version` and completion come through here too.
"""

from __future__ import annotations

COMPLETE = "_TTCTL_COMPLETE"
"""The variable by which a shell's script asks what can stand next."""

GLOBAL = (
    ("--json", "", "as_json", "Print the answer for programs; schemas: docs/schemas."),
    ("--quiet", "-q", "quiet", "Say only the answer and what went wrong."),
    ("--verbose", "-v", "verbose", "Show what builds and other programs print."),
    ("--debug", "", "debug", "Show how an error came about."),
    ("--offline", "", "offline", "Open no connection beyond this machine."),
    ("--no-color", "", "no_color", "No colours; NO_COLOR=1 says the same."),
    ("--yes", "-y", "yes", "Agree to every question beforehand."),
)
"""(long, short, field of `session.Flags`, help). A short one holds before the verb only: behind
it, it may be the verb's own, as in `down -v` and `ps -q`."""

VALUED = (
    ("--config", "FILE", "config", "Take FILE for the user's settings."),
    ("--catalog", "FILE|URL", "catalog", "Use this catalog; a release or built-in, too."),
)
"""The same with a value: (long, what the value is, field of `session.Flags`, help)."""

_ANYWHERE = {long: field for long, _, field, _ in GLOBAL}
_BEFORE = {short: field for _, short, field, _ in GLOBAL if short}
_AFTER_TOO = {"-y": "yes"}


def split_flags(arguments: list[str]) -> tuple[list[str], frozenset[str]]:
    """Return the words without the global flags, and the flags by their fields.

    What follows `--` is left alone.
    """
    words: list[str] = []
    found: set[str] = set()
    for position, word in enumerate(arguments):
        if word == "--":
            words.extend(arguments[position:])
            break
        known = _ANYWHERE | (_AFTER_TOO if words else _BEFORE)
        if word in known:
            found.add(known[word])
        else:
            words.append(word)
    return words, frozenset(found)


def split_values(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words without the global flags that have a value, and the values by their fields.

    `--config FILE` and `--config=FILE` are the same; the last one holds. A flag without its value
    has an empty one, for whoever uses it to refuse. What follows `--` is left alone.
    """
    fields = {long: field for long, _, field, _ in VALUED}
    words: list[str] = []
    values: dict[str, str] = {}
    rest = iter(arguments)
    for word in rest:
        flag, equals, value = word.partition("=")
        if word == "--":
            words += [word, *rest]
        elif flag in fields:
            values[fields[flag]] = value if equals else next(rest, "")
        else:
            words.append(word)
    return words, values


def split_behind(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the words before `--`, and those behind it."""
    if "--" not in words:
        return words, ()
    at = words.index("--")
    return words[:at], tuple(words[at + 1 :])
