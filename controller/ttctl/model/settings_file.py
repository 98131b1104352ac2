# SPDX-License-Identifier: Apache-2.0
"""What a change of settings asks of a settings file. An adapter fulfils this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ttctl.model.settings import Setting, Value

    EditText = Callable[[str], str]
    """Show a text to a person and return what it has become."""


class SettingsFile(Protocol):
    """A settings file, or the place where one will be."""

    @property
    def path(self) -> str:
        """Where it lies."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other commands from their changes for the length of a block.

        Raises:
            LockedError: Another one does not come to its end.
        """

    def text(self) -> str:
        """Return what it holds; nothing where there is no file.

        Raises:
            BadFileError: It cannot be read.
        """

    def check(self, text: str) -> None:
        """Refuse a text that is no settings file.

        Raises:
            BadFileError: It is no TOML, or says what no setting holds.
        """

    def with_value(self, text: str, setting: Setting, value: Value | tuple[str, ...] | None) -> str:
        """Return `text` with one setting changed, or without it; all else stays as it is."""

    def without(self, text: str, key: str) -> str:
        """Return `text` without a key, be it a setting or not, and whatever it holds.

        Raises:
            BadFileError: It is no TOML.
        """

    def write(self, text: str) -> None:
        """Replace what it holds, in one step."""
