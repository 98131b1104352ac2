# SPDX-License-Identifier: Apache-2.0
"""Wires what a diagnostic archive needs of this place."""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl import __version__
from ttctl.adapters import places
from ttctl.cli import config_answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.cli.session import Session
    from ttctl.model.report import Piece, Private


class WiredReport:
    """This place, for one archive."""

    def __init__(self, session: Session) -> None:
        """Nothing is read yet."""
        self._session = session

    def versions(self) -> dict[str, str]:
        """Return the versions that nobody has to be asked for."""
        return {
            "ttctl": __version__,
            "python": platform.python_version(),
            "kernel": f"{platform.system()} {platform.release()}",
            "machine": platform.machine(),
        }

    def settings(self) -> object:
        """Return every setting that somebody made, without passwords."""
        found = config_answers.found_settings(self._session, None)
        made = (one for one in found if config_answers.is_made(one))
        return tuple(map(config_answers.without_password, made))

    def private(self) -> Private:
        """Return what must not leave this machine."""
        from ttctl.adapters.private_words import PrivateWords

        environ = dict(os.environ)
        addresses = tuple(self._addresses())
        named = self._session.flags.token_file or ""
        with_file = [text for name, text in addresses if name == "site.token_file"]
        words = PrivateWords(
            environ,
            home=Path.home(),
            stacks=places.state(environ) / "stacks",
            token_file=named or next(iter(with_file), ""),
        )
        return words.read(text for _, text in addresses)

    def _addresses(self) -> Iterator[tuple[str, str]]:
        """Yield each setting's value; those of a file that is wrong are in no part either."""
        session = self._session
        try:
            for one in config_answers.found_settings(session, None):
                yield one.key, str(one.value or "")
        # A defect there is what the archive, or what is hidden by this, is about.
        except Exception:  # noqa: BLE001
            return

    def check(self, file: Path, *, force: bool) -> None:
        """Refuse a name that an archive cannot be written under."""
        from ttctl.adapters.archive import check_name

        check_name(file, force=force)

    def write(self, file: Path, pieces: Sequence[Piece], *, force: bool) -> int:
        """Write the archive whole or not at all; return its size."""
        from ttctl.adapters.archive import write_archive

        return write_archive(file, pieces, force=force)
