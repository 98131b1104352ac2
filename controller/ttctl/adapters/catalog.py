# SPDX-License-Identifier: Apache-2.0
"""Which models are there? Files that were checked once are read compiled, whole or not at all."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import compiled
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.spec import ModelSpec

OTHERS = frozenset({"sources.toml", "golden.toml"})
"""Files of the same folder that list no models: public hosts, a host's versions."""
SHIPPED = "compiled.json"
"""The same entries compiled, beside the files of the built-in catalog."""


class BuiltInCatalog:
    """The catalog that is shipped: every TOML file of one folder."""

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
        return self._specs

    def sha256(self) -> str:
        """Return the hash over the files' names and bytes."""
        return self._sha256

    @cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for path in self._files:
            digest.update(path.name.encode() + b"\0" + _bytes(path) + b"\0")
        return digest.hexdigest()

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        found = sorted(self._folder.glob("*.toml"))
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
    def _specs(self) -> tuple[ModelSpec, ...]:
        key = compiled.key_of(self._sha256)
        places = [self._folder / SHIPPED]
        if self._cache is not None:
            places.append(compiled.place(self._cache, key))
        for path in places:
            if (specs := compiled.read(path, key)) is not None:
                return specs
        # Loads pydantic, which `models ls` must not wait for every time.
        from ttctl.adapters.catalog_entries import checked_specs  # noqa: PLC0415

        specs = checked_specs(self._files)
        if self._cache is not None:
            compiled.keep(self._cache, key, specs)
        return specs


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
