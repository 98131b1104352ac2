# SPDX-License-Identifier: Apache-2.0
"""Keep which stacks were brought up and not ended since: a small file in each one's folder."""

from __future__ import annotations

import time
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import make_private, write_atomically
from ttctl.errors import TtctlError
from ttctl.rules.stack import checked_name

if TYPE_CHECKING:
    from pathlib import Path

NAME = "wanted"


class WantedFiles:
    """One file a stack: that it is there says it, and its text says since when, for a person."""

    def __init__(self, root: Path) -> None:
        """`root` is `.../ttctl/stacks`."""
        self._root = root

    def names(self) -> tuple[str, ...]:
        """Return the stacks that are wanted, by name."""
        return tuple(sorted(path.parent.name for path in self._root.glob(f"*/{NAME}")))

    def is_wanted(self, stack: str) -> bool:
        """Return whether a stack is."""
        return self._file(stack).is_file()

    def want(self, stack: str) -> None:
        """Keep that a stack was brought up; what is there already stays.

        Raises:
            TtctlError: The file system refuses.
        """
        file = self._file(stack)
        if file.is_file():
            return
        make_private(file.parent)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        write_atomically(file, f"up since {now}; `down` and `stop` remove this\n", mode=0o600)

    def end(self, stack: str) -> None:
        """Keep that a stack was ended; nothing where it was not wanted.

        Raises:
            TtctlError: The file system refuses.
        """
        file = self._file(stack)
        try:
            file.unlink(missing_ok=True)
        except OSError as exc:
            raise TtctlError(
                f"The stack {stack!r} would come back at the next boot.",
                why=exc.strerror or "the file system refused",
                evidence=f"{file} says that it is wanted, and could not be removed.",
                next_step=f"ls -ld {quote(str(file.parent))}",
            ) from exc

    def _file(self, stack: str) -> Path:
        return self._root / checked_name(stack) / NAME
