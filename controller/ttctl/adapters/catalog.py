# SPDX-License-Identifier: Apache-2.0
"""Which models are there? Files that were checked once are read compiled, whole or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import compiled
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.adapters.compiled import Checked
    from ttctl.model.pins import Advice, Origin, Quarantined
    from ttctl.model.spec import ModelSpec

OTHERS = frozenset({"sources.toml", "pins.toml", "golden.toml", "failures.toml"})
"""Files beside the catalog's own: public hosts, pins, a host's versions."""
SHIPPED = "compiled.json"
"""The same entries compiled, beside the files of the built-in catalog."""


class BuiltInCatalog:
    """The catalog that is shipped: every TOML file of one folder, and of the folders in it."""

    def __init__(self, folder: Path, *, cache: Path | None = None) -> None:
        """Remember where the files lie; they are read at the first question.

        Args:
            folder: Holds the TOML files, and perhaps the same compiled.
            cache: Where compiled catalogs are kept, None for nowhere.
        """
        self._folder = folder
        self._cache = cache

    def specs(self) -> tuple[ModelSpec, ...]:
        """Return every entry of every file.

        Raises:
            BadFileError: A file is damaged, or a value is not what it must be.
        """
        return self._checked.specs

    def sha256(self) -> str:
        """Return the hash over the files' names and bytes."""
        return self._sha256

    def origin(self) -> Origin:
        """Return which catalog this is."""
        origin = self._checked.origin
        return origin if origin.sha256 else replace(origin, sha256=self._sha256)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return nothing: what is shipped was read back when it was made."""
        return ()

    def advice(self) -> Advice:
        """Return what is known beyond the entries."""
        return self._checked.advice

    def raw(self, spec_id: str) -> Mapping[str, object]:
        """Return an entry as its file has it.

        Raises:
            UsageError: There is no such entry.
        """
        # Reads every file again, which only `models show --raw` waits for.
        from ttctl.adapters.catalog_raw import raw_entry  # noqa: PLC0415

        return raw_entry(self._files, self.specs(), spec_id)

    @cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for path in self._files:
            name = path.relative_to(self._folder).as_posix()
            digest.update(name.encode() + b"\0" + _bytes(path) + b"\0")
        return digest.hexdigest()

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        found = (*sorted(self._folder.glob("*.toml")), *sorted(self._folder.glob("*/*.toml")))
        files = tuple(path for path in found if path.name not in OTHERS)
        if not files:
            raise BadFileError(
                "The catalog is empty.",
                why="Its folder holds no TOML file.",
                evidence=str(self._folder),
                next_step="pip install --force-reinstall ttctl",
            )
        return files

    @cached_property
    def _checked(self) -> Checked:
        key = compiled.key_of(self._sha256)
        places = [self._folder / SHIPPED]
        if self._cache is not None:
            places.append(compiled.place(self._cache, key))
        for path in places:
            if (whole := compiled.read_whole(path, key)) is not None:
                return whole
        # Loads pydantic, which `models ls` must not wait for every time.
        from ttctl.adapters.catalog_checks import checked_catalog  # noqa: PLC0415

        whole = checked_catalog(self._files)
        if self._cache is not None:
            compiled.keep(self._cache, key, whole.specs, advice=whole.advice, origin=whole.origin)
        return whole


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadFileError(
            f"{str(path)!r} cannot be read.",
            why=str(exc),
            evidence=str(path),
            next_step=f"ls -ld {path}",
        ) from exc
