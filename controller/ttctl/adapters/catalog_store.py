# SPDX-License-Identifier: Apache-2.0
"""Where fetched catalogs lie, and which of them is used.

An export is named by its own SHA-256 and written before the record that points to it, so a kill
at any moment leaves the old pair or the new one. What is not what its name says is set aside: it
gets another name, and is never read again.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.adapters.catalog_record import Record, read_record, record_text
from ttctl.adapters.files import STRAY_PREFIX, make_private, write_atomically
from ttctl.errors import BadFileError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_BYTES = 16 << 20
"""Largest export that is read: 16 times that of release 0.20.0, which has 1,020,331 bytes."""
UNUSED_S = 3600
"""An export that no record names, and a temporary file, of this age belongs to no command."""
KEPT_ASIDE = 4
"""Damaged files that stay to be looked at."""


class CatalogStore:
    """One folder: `exports/`, `records/`, `aside/` and the name of the one in use."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made yet."""
        self._folder = folder
        self._exports = folder / "exports"
        self._records = folder / "records"
        self._aside = folder / "aside"
        self._current = folder / "current"

    def records(self) -> tuple[Record, ...]:
        """Return every record that can be read, the last confirmed one first."""
        found = [self._read(path) for path in sorted(self._records.glob("*.json"))]
        return tuple(sorted(filter(None, found), key=lambda one: -one.confirmed_s))

    def record(self, source: str) -> Record | None:
        """Return what is known of a source, None for nothing."""
        return self._read(self._place(source))

    def is_chosen(self) -> bool:
        """Return whether a fetched catalog is the one in use, whole or not."""
        return self._current.exists()

    def current(self) -> Record | None:
        """Return the record of the one in use, None where it cannot be read."""
        with suppress(OSError, ValueError):
            return self.record(self._current.read_text(encoding="utf-8").strip())
        return None

    def use(self, record: Record | None) -> bool:
        """Make one the catalog in use, the built-in one for None; return whether that is new."""
        before = self._current.read_bytes() if self._current.is_file() else b""
        if record is None:
            self._forget()
            return bool(before)
        text = f"{record.source}\n"
        if before != text.encode():
            self._write(self._current, text)
        return before != text.encode()

    def _forget(self) -> None:
        try:
            self._current.unlink(missing_ok=True)
        except OSError as exc:
            raise TtctlError(
                "The catalog in use could not be changed.",
                why=exc.strerror or "The file system refused.",
                evidence=str(self._current),
                next_step=f"ls -ld {self._folder}",
            ) from exc

    def keep(self, record: Record, data: bytes | None = None) -> None:
        """Write a record; before it the export that it names, where that is new.

        Raises:
            BadFileError: The export is no text.
        """
        if data is not None:
            self._write(self._export(record), _text(data, record.source))
        self._write(self._place(record.source), record_text(record))
        self._sweep()

    def data(self, record: Record) -> bytes:
        """Return an export, which is what its record says.

        Raises:
            BadFileError: It is gone or damaged; what there was of it has been set aside.
        """
        path = self._export(record)
        try:
            with path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except OSError as exc:
            raise self.damaged(record, exc.strerror or "it cannot be read") from exc
        found = hashlib.sha256(data).hexdigest()
        if found != record.sha256:
            raise self.damaged(record, f"its SHA-256 is {found}, and was {record.sha256}")
        return data

    def damaged(self, record: Record, why: str) -> BadFileError:
        """Set an export and its record aside; return the refusal that says so."""
        kept = [self._set_aside(self._export(record)), self._set_aside(self._place(record.source))]
        return BadFileError(
            f"The stored copy of the catalog {record.source} is damaged.",
            why=why,
            evidence=f"Set aside: {', '.join(filter(None, kept)) or 'nothing was left of it'}.",
            next_step=f"ttctl models refresh {record.source}",
        )

    def reject(self, data: bytes) -> str:
        """Keep bytes that are no catalog, to be looked at; return where."""
        path = self._aside / f"{hashlib.sha256(data).hexdigest()[:16]}.rejected"
        self._write(path, data[:LIMIT_BYTES].decode("utf-8", "replace"))
        self._forget_old()
        return str(path)

    def _read(self, path: Path) -> Record | None:
        try:
            record = read_record(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            self._set_aside(path)
            return None
        if self._place(record.source) != path:
            self._set_aside(path)
            return None
        return record

    def _place(self, source: str) -> Path:
        name = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._records / f"{name}.json"

    def _export(self, record: Record) -> Path:
        return self._exports / f"{record.sha256}.json"

    def _write(self, path: Path, text: str) -> None:
        make_private(self._folder)
        write_atomically(path, text, mode=0o600)

    def _set_aside(self, path: Path) -> str:
        """Give a damaged file another name; return it, or nothing where there is no such file."""
        target = self._aside / f"{path.stem}.{int(time.time())}.damaged"
        try:
            self._aside.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError:
            return ""
        self._forget_old()
        return str(target)

    def _sweep(self) -> None:
        named = {self._export(record) for record in self.records()}
        with suppress(OSError):
            for path in self._stray():
                if path not in named and path.stat().st_mtime < time.time() - UNUSED_S:
                    path.unlink(missing_ok=True)

    def _stray(self) -> Iterator[Path]:
        yield from self._exports.glob("*.json")
        yield from self._folder.rglob(f"{STRAY_PREFIX}*")

    def _forget_old(self) -> None:
        with suppress(OSError):
            aside = sorted(self._aside.iterdir(), key=lambda path: path.stat().st_mtime)
            for path in aside[:-KEPT_ASIDE]:
                path.unlink(missing_ok=True)


def file_bytes(path: Path) -> bytes:
    """Return a file that somebody named as a catalog.

    Raises:
        BadFileError: It cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise BadFileError(
            f"The catalog {str(path)!r} cannot be read.",
            why=getattr(exc, "strerror", None) or "It is no path.",
            evidence="A catalog is a file, an address, a release such as 0.20.0, or built-in.",
            next_step=f"ls -l {path}",
        ) from exc
    if len(data) > LIMIT_BYTES:
        raise BadFileError(
            f"The file {str(path)!r} is too large for a catalog.",
            why="It is not used.",
            evidence=f"It has more than {LIMIT_BYTES} bytes; release 0.20.0 has 1,020,331.",
            next_step=f"ls -l {path}",
        )
    return data


def _text(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadFileError(
            f"The catalog {source} is no text in UTF-8.",
            why=str(exc),
            evidence="An export is JSON.",
            next_step="ttctl models ls",
        ) from exc
