# SPDX-License-Identifier: Apache-2.0
"""Write the text of a systemd unit: what is text stays text, a variable stays a variable. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.interpolation import Variable, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

Line = tuple[str, str]
Section = tuple[str, list[Line]]


def plain(value: str) -> str:
    """Return a value of a key that is read as it stands, with systemd's own signs doubled."""
    return "".join(
        f"${{{one.name}}}" if isinstance(one, Variable) else _doubled(one) for one in pieces(value)
    )


def word(value: str) -> str:
    """Return a value as one word of a key that holds several, in quotes where it needs them."""
    text = "".join(
        f"${{{one.name}}}" if isinstance(one, Variable) else _escaped(_doubled(one))
        for one in pieces(value)
    )
    is_plain = text and not any(char in " '\"\\;#" for char in text)
    return text if is_plain else f'"{text}"'


def assignment(name: str, value: str) -> str:
    """Return a variable and its value, both text, for `Environment=`, where a dollar is one.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Environment
    """
    return f'"{_escaped(f"{name}={value}".replace("%", "%%"))}"'


def _doubled(text: str) -> str:
    return text.replace("%", "%%").replace("$", "$$")


def _escaped(text: str) -> str:
    """Escape as in C, which systemd reads, what is no plain character.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html#Quoting
    """
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return "".join(
        named.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}") for char in text
    )


def switch(*, on: bool) -> str:
    """Return how a unit says yes or no."""
    return "true" if on else "false"


def unit_text(sections: Iterable[Section]) -> str:
    """Return a unit file with these sections."""
    parts = []
    for name, lines in sections:
        rows = "".join(f"{key}={value}\n" for key, value in lines)
        parts.append(f"[{name}]\n{rows}")
    return "\n".join(parts)
