# SPDX-License-Identifier: Apache-2.0
"""What did a person set? The environment, then the project's file, then the user's own.

Nothing is read before a setting is asked for, and no file's reader is loaded where there is no
file: this stands in the way of every verb.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.errors import BadFileError, PrivilegeError, UsageError
from ttctl.model.settings import SETTINGS, SettingsPlace
from ttctl.rules.settings import known_setting, layer_of_variables, strongest, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ttctl.model.settings import FoundSetting
    from ttctl.model.site import Sourced
    from ttctl.rules.settings import Layer

    Read = Callable[[Path, str, str], Layer]
    """Read a file: its path, the user's home, what repairs it."""


class Settings:
    """The settings of one command."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        read: Read,
        named: str | None = None,
        folder: Path | None = None,
        home: Path | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            environ: The variables of the command.
            read: Reads one file.
            named: What `--config` says, None where it was not given.
            folder: Where the project's file is looked for; the current one, if None.
            home: The user's home folder; the one of the environment, if None.
        """
        self._environ = environ
        self._read = read
        self._named = named
        self._folder = folder
        self._home = home

    @cached_property
    def user_file(self) -> Path:
        """The user's file, whether it exists or not.

        Raises:
            UsageError: `--config` stands without a file.
        """
        if self._named == "":
            raise UsageError(
                "The flag --config names no file.",
                why="It replaces the user's settings file for one command.",
                evidence="It is written --config FILE or --config=FILE.",
                next_step="ttctl config path",
            )
        return places.config(self._environ, self._named)

    @cached_property
    def project_file(self) -> Path | None:
        """The nearest `ttctl.toml`, None where there is none."""
        found = places.project(self.folder, self.home)
        return None if found == self.user_file else found

    @cached_property
    def folder(self) -> Path:
        """Where a project's file is made."""
        return self._folder or places.current_folder()

    @cached_property
    def home(self) -> Path:
        """The user's home folder."""
        return self._home or Path.home()

    def place(self, *, project: bool) -> SettingsPlace:
        """Return the file that a change goes into."""
        path = self.user_file
        if project:
            path = self.project_file or self.folder / places.PROJECT_FILE
        return SettingsPlace(
            layer="project" if project else "user", path=str(path), exists=path.exists()
        )

    def repair(self, *, project: bool) -> str:
        """Return the command that opens a file in the editor."""
        if project:
            return "ttctl config edit --project"
        named = f"--config {quote(self._named)} " if self._named else ""
        return f"ttctl {named}config edit"

    def find(self, key: str) -> FoundSetting:
        """Return a setting's value and its source.

        Raises:
            UsageError: There is no such setting.
            BadFileError: A file or a variable is wrong.
        """
        return strongest(known_setting(key).key, self._layers)

    def site(self) -> dict[str, Sourced]:
        """Return the site settings that a person made, by field of `Site`."""
        from ttctl.model.site import Sourced  # noqa: PLC0415 - few verbs ask for the site

        found = {one.name: self.find(one.key) for one in SETTINGS.values() if one.table == "site"}
        return {
            name: Sourced(value=text_of(one.value), source=one.source)
            for name, one in found.items()
            if one.value is not None
        }

    def check_file_is_there(self) -> None:
        """Refuse a file that is named and not there; nothing is read.

        Raises:
            BadFileError: There is no such file.
        """
        self._files()

    def check(self) -> None:
        """Read every variable and every file.

        Raises:
            BadFileError: One of them is wrong.
        """
        _ = self._layers

    def find_quickly(self, key: str) -> FoundSetting:
        """Return a setting; a file in which its name does not occur is not even parsed."""
        name = SETTINGS[key].name.encode()
        if SETTINGS[key].variable in self._environ or any(
            name in _content(file) for file, _ in self._files()
        ):
            return self.find(key)
        return strongest(key, ())

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        layers = [layer_of_variables(self._environ)]
        for file, repair in self._files():
            layers.append(self._read(file, str(self.home), repair))
        return tuple(layers)

    def _files(self) -> list[tuple[Path, str]]:
        files = []
        if self.project_file:
            files.append((self.project_file, self.repair(project=True)))
        if _is_there(self.user_file):
            files.append((self.user_file, self.repair(project=False)))
        elif self._named or self._environ.get("TTCTL_CONFIG"):
            raise BadFileError(
                f"There is no settings file {str(self.user_file)!r}.",
                why=f"{'--config' if self._named else 'TTCTL_CONFIG'} names it.",
                evidence="`ttctl config set` would make it.",
                next_step=f"ls -l {quote(str(self.user_file))}",
            )
        return files


def _is_there(file: Path) -> bool:
    """Return whether there is such a file.

    Raises:
        PrivilegeError: Nobody lets this user look: then its settings are not taken for none.
    """
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as exc:
        raise PrivilegeError(
            f"The settings file {str(file)!r} cannot be looked for.",
            why=exc.strerror or "the file system refused",
            evidence="HOME, XDG_CONFIG_HOME, --config or TTCTL_CONFIG leads there.",
            next_step=f"ls -ld {quote(str(file.parent.parent))}",
        ) from exc
    return True


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
