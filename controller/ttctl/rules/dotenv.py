# SPDX-License-Identifier: Apache-2.0
"""Write a .env file that compose and a shell read alike. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "# What belongs to this place; compose and build.sh read it.\n"


def dotenv_text(values: Mapping[str, str]) -> str:
    """Return the file's text, each value in single quotes: literal for compose and for sh.

    Raises:
        BadFileError: A value holds a single quote or a line break, which both cannot read alike.
    """
    for name, value in values.items():
        if "'" in value or any(ord(char) < ord(" ") for char in value):
            raise BadFileError(
                f"{name} cannot be written to a .env file.",
                why="Compose and sh read a quote or a line break in it differently.",
                evidence=repr(value),
                next_step="export XDG_STATE_HOME=/a/plain/path XDG_CACHE_HOME=/a/plain/path",
            )
    return HEADER + "".join(f"{name}='{value}'\n" for name, value in sorted(values.items()))
