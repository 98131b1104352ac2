# SPDX-License-Identifier: Apache-2.0
"""Change a settings file and keep its comments, its order and its layout."""

from __future__ import annotations

import re
import tomllib
from shlex import quote
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.items import AbstractTable, Table, Whitespace

from ttctl.adapters.files import write_atomically
from ttctl.adapters.kernel_lock import Refusal, held
from ttctl.adapters.settings_reader import check_settings
from ttctl.errors import BadFileError
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ttctl.model.protocols import Reporter
    from ttctl.model.settings import Setting, Value

PRIVATE = 0o600
READABLE = 0o644
LOCK_S = 10.0
"""A change takes milliseconds."""


class TomlSettingsFile:
    """A settings file on this machine."""

    def __init__(
        self, path: Path, *, home: str, repair: str, lock: Path, reporter: Reporter
    ) -> None:
        """Nothing is read yet.

        Args:
            path: The file, whether it is there or not.
            home: The user's home folder.
            repair: The command that opens the file in the editor.
            lock: The kernel's lock of this user's settings files; a file that is replaced by
                another can have none itself.
            reporter: Is told of a wait.
        """
        self._path = path
        self._home = home
        self._repair = repair
        self._lock, self._reporter = lock, reporter

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other commands of this user from their changes for the length of a block."""
        refusal = Refusal(
            message=f"{self.path!r} is being changed by another command.",
            why="Two commands that change settings at once would undo each other's work.",
            next_step=f"ls -l {quote(self.path)}",
        )
        return held(self._lock, timeout_s=LOCK_S, reporter=self._reporter, refusal=refusal)

    @property
    def path(self) -> str:
        """Where it lies."""
        return str(self._path)

    def text(self) -> str:
        """Return what it holds, with its own line ends; nothing where there is no file."""
        try:
            if not self._path.exists():
                return ""
            if not self._path.is_file():
                raise self._refusal("It is no file.", next_step=f"ls -l {quote(self.path)}")
            return self._path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as exc:
            why = getattr(exc, "strerror", None) or str(exc)
            raise self._refusal(why, next_step=f"ls -l {quote(self.path)}") from exc

    def check(self, text: str) -> None:
        """Refuse a text that is no settings file."""
        check_settings(text, self._path, self._home, self._repair)

    def with_value(self, text: str, setting: Setting, value: Value | tuple[str, ...] | None) -> str:
        """Return `text` with one setting changed, or without it; all else stays as it is."""
        if value is None:
            return self.without(text, setting.key)
        wanted = tomllib.loads(text)
        written = list(value) if isinstance(value, tuple) else value
        if not _change(wanted, setting, written):
            return text
        document = tomlkit.parse(text)
        _edit(document, setting, written)
        return self._checked(text, document, wanted)

    def without(self, text: str, key: str) -> str:
        """Return `text` without a key, be it a setting or not, and whatever it holds."""
        try:
            wanted = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            self.check(text)
            raise
        if not _remove(wanted, key):
            return text
        document = tomlkit.parse(text)
        _remove(document, key)
        return self._checked(text, document, wanted)

    def _checked(self, before: str, document: tomlkit.TOMLDocument, wanted: dict[str, Any]) -> str:
        after = _with_line_ends_of(before, document.as_string())
        if tomllib.loads(after) != wanted:
            raise self._refusal("Its layout is one that cannot be changed by a program.")
        return after

    def write(self, text: str) -> None:
        """Replace what it holds; with a password in it, it is for its owner alone."""
        path = self._path.resolve()
        mode = path.stat().st_mode & 0o777 if path.exists() else READABLE
        write_atomically(path, text, mode=PRIVATE if redacted(text) != text else mode)

    def _refusal(self, why: str, *, next_step: str = "") -> BadFileError:
        return BadFileError(
            f"{self.path!r} cannot be changed.",
            why=why,
            evidence=f"{self.path} is left as it is.",
            next_step=next_step or self._repair,
        )


def _change(data: dict[str, Any], setting: Setting, value: object) -> bool:
    """Change plain data; return whether anything is different now."""
    table = data.get(setting.table, {})
    same = table.get(setting.name)
    if same == value and type(same) is type(value):
        return False
    data.setdefault(setting.table, {})[setting.name] = value
    return True


def _edit(document: tomlkit.TOMLDocument, setting: Setting, value: object) -> None:
    table: Any = document.get(setting.table)
    if table is None:
        new = tomlkit.table()
        new.append(setting.name, value)
        document.append(setting.table, new)
    elif setting.name in table or not isinstance(table, Table):
        table[setting.name] = value
    else:
        _append(table, setting.name, value)


def _remove(data: Any, key: str) -> bool:  # noqa: ANN401 - a document, or plain data
    """Remove a key, of the whole file or of a table; return whether it was there."""
    table, dot, name = key.partition(".")
    inner = data.get(table) if dot else data
    name = name if dot else table
    if not isinstance(inner, dict) or name not in inner:
        return False
    del inner[name]
    return True


def _append(table: AbstractTable, name: str, value: object) -> None:
    """Add a key behind the last one: what stands behind a blank line is the next table's."""
    body = table.value.body
    last = max((at for at, (key, _) in enumerate(body) if key is not None), default=-1)
    blank = (
        at
        for at, (_, item) in enumerate(body)
        if at > last and isinstance(item, Whitespace) and "\n" in item.s
    )
    cut = next(blank, len(body))
    rest = body[cut:]
    del body[cut:]
    table.append(name, value)
    body.extend(rest)


def _with_line_ends_of(before: str, after: str) -> str:
    """Give new lines the ends that the others have."""
    if "\r\n" in before and not re.search(r"(?<!\r)\n", before):
        return re.sub(r"(?<!\r)\n", "\r\n", after)
    return after
