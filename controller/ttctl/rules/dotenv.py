# SPDX-License-Identifier: Apache-2.0
"""Write a .env file that compose and a shell read alike, and read it again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "# What belongs to this place; compose and build.sh read it.\n"


def dotenv_text(values: Mapping[str, str]) -> str:
    """Return the file's text, each value in single quotes: literal for compose and for sh.

    Raises:
        BadFileError: A value holds what both cannot read alike.

    Source: https://github.com/compose-spec/compose-go/blob/042173482969cd44087fbc45b1f2f48d01b2d9c8/dotenv/parser.go
    (a backslash before the closing quote keeps it from being the end)
    """
    for name, value in values.items():
        if value.endswith("\\") or any(map(_is_unsafe, value)):
            raise BadFileError(
                f"{name} cannot be written to a .env file.",
                why="Compose and sh differ on a quote, a line break, and a backslash at the end.",
                evidence=repr(value),
                next_step="export XDG_STATE_HOME=/a/plain/path XDG_CACHE_HOME=/a/plain/path",
            )
    return HEADER + "".join(f"{name}='{value}'\n" for name, value in sorted(values.items()))


def values_in(text: str) -> dict[str, str]:
    """Return the values of a file that `dotenv_text` wrote."""
    pairs = (line.partition("=") for line in text.split("\n") if not line.startswith("#"))
    return {name: value[1:-1] for name, equals, value in pairs if equals}


def _is_unsafe(char: str) -> bool:
    is_half = "\ud800" <= char <= "\udfff"
    return char == "'" or char < " " or is_half
