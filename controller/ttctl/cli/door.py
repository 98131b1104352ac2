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
"""(long, short, field of `session.Flags`, help)."""

VALUED = (
    ("--config", "FILE", "config", "Take FILE for the user's settings."),
    ("--catalog", "FILE|URL", "catalog", "Use this catalog; a release or built-in, too."),
    ("--token-file", "FILE", "token_file", "Take the model hub's token from FILE."),
    ("--models-dir", "DIR", "models_dir", "Take models that lie in DIR, where they are whole."),
)
"""The same with a value: (long, what the value is, field of `session.Flags`, help)."""

OWN = {"down": ("-v",), "rm": ("-v",), "ps": ("-q",), "exec": ("-q", "-v", "-y")}
"""Short flags that mean something else behind these verbs, or are the command's that they run."""

_LONG = {long: field for long, _, field, _ in GLOBAL}
_SHORT = {short: field for _, short, field, _ in GLOBAL if short}


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
        field = _LONG.get(word) or _short(word, words[0] if words else "")
        if field:
            found.add(field)
        else:
            words.append(word)
    return words, frozenset(found)


def _short(word: str, verb: str) -> str:
    """Return the field of a short flag, nothing where it is the verb's own or nobody knows."""
    field = _SHORT.get(word, "")
    if not field or not verb:
        return field
    # Loaded only where a short flag stands behind a word, which may be a mistyped verb.
    from ttctl.cli.registry import ALIASES, COMMANDS  # noqa: PLC0415

    known = verb in COMMANDS or verb in ALIASES
    return field if known and word not in OWN.get(verb, ()) else ""


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
