# SPDX-License-Identifier: Apache-2.0
"""Which parts of a value are text, and which are variables of the folder's .env file? Pure.

A value is written as compose reads it: `$$` is a dollar, `${NAME}`, `${NAME:?why}` and
`${NAME:-default}` are variables. A shell and systemd are told the same in their own words.

Source: https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(
    r"(?P<plain>[^$]+)|(?P<dollar>\$\$)"
    r"|\$\{(?P<name>TTCTL_[A-Z0-9_]+|PWD)(?P<rest>:[?-][A-Za-z0-9 ./_-]*)?\}"
)
HERE = "PWD"
"""The rendered folder, in a script that has gone there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the .env file."""

    name: str
    rest: str = ""
    """`:?why it is needed`, `:-default`, or empty."""

    @property
    def default(self) -> str | None:
        """What stands for it where it is not set, None where it has to be."""
        return self.rest[2:] if self.rest.startswith(":-") else None


def literal(text: str) -> str:
    """Return the value that is this text and no variable."""
    return text.replace("$", "$$")


def pieces(value: str) -> tuple[str | Variable, ...]:
    """Return a value's texts and variables, in order.

    Raises:
        BadFileError: A dollar begins neither a dollar nor a variable of ttctl's.
    """
    found: list[str | Variable] = []
    place = 0
    while match := _TOKEN.match(value, place):
        place = match.end()
        if match["name"]:
            found.append(Variable(name=match["name"], rest=match["rest"] or ""))
        else:
            found.append("$" if match["dollar"] else match["plain"])
    if place != len(value):
        raise BadFileError(
            f"A value names no variable of ttctl's: {value[place : place + 80]!r}.",
            why="A dollar begins a variable of the .env file, or stands twice.",
            evidence="Allowed: $$, ${TTCTL_NAME}, ${TTCTL_NAME:?why}, ${TTCTL_NAME:-default}.",
            next_step="ttctl render --help",
        )
    return tuple(found)


def variables(value: str) -> tuple[Variable, ...]:
    """Return a value's variables."""
    return tuple(one for one in pieces(value) if isinstance(one, Variable))


def filled(value: str, values: Mapping[str, str]) -> str:
    """Return what a value is with these variables, as compose fills it in.

    Raises:
        BadFileError: A variable that has no default is not among them, or is empty.
    """
    return "".join(
        _value(one, values) if isinstance(one, Variable) else one for one in pieces(value)
    )


def shell_word(value: str) -> str:
    """Return the word by which a shell says a value; what is text stays text."""
    found = pieces(value)
    if all(isinstance(one, str) for one in found):
        return shlex.quote("".join(str(one) for one in found))
    return "".join(
        f'"${{{one.name}{one.rest}}}"' if isinstance(one, Variable) else shlex.quote(one)
        for one in found
    )


def _value(variable: Variable, values: Mapping[str, str]) -> str:
    found = values.get(variable.name) or variable.default
    if found is None:
        raise BadFileError(
            f"{variable.name} is not set.",
            why=variable.rest[2:] or "The stack needs it.",
            evidence="It stands in the .env file of the rendered folder.",
            next_step="ttctl render --help",
        )
    return found
