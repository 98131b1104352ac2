# SPDX-License-Identifier: Apache-2.0
"""An upstream export as a catalog. It is checked once; the next command reads it compiled."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ttctl.adapters import compiled
from ttctl.model.pins import Advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ttctl.model.catalog import Catalog
    from ttctl.model.pins import Origin, Quarantined
    from ttctl.model.spec import ModelSpec


_RULES = (
    "contract", "engine_flags", "first_validated", "suspects", "tt_options", "validated",
    "versions",
)  # fmt: skip
"""What decides beside the readers what becomes of an entry."""


class ReadExport(Protocol):
    """What is read of an export's bytes."""

    @property
    def release(self) -> str:
        """Upstream's release."""

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        """The entries that can be used."""

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """The others."""

    @property
    def raw(self) -> Mapping[str, Mapping[str, object]]:
        """Every entry as the export has it, by its id."""


class ExportCatalog:
    """One export, with what the built-in catalog knows beyond any export."""

    def __init__(
        self,
        data: bytes,
        origin: Origin,
        *,
        read: Callable[[bytes], ReadExport],
        built_in: Catalog,
        cache: Path | None,
    ) -> None:
        """Read nothing yet.

        Args:
            data: The export's bytes.
            origin: Where they come from.
            read: Checks them; loads pydantic, so it is called where nothing compiled is here.
            built_in: Gives the `cpu` entries and the advice.
            cache: Where compiled catalogs are kept, None for nowhere.
        """
        self._data = data
        self._origin = origin
        self._reader = read
        self._built_in = built_in
        self._cache = cache

    def specs(self) -> tuple[ModelSpec, ...]:
        """Return the export's entries and our own.

        Raises:
            BadFileError: It is no export.
        """
        return self._checked.specs

    def sha256(self) -> str:
        """Return the hash over the export and what is added to it."""
        return self._sha256

    def origin(self) -> Origin:
        """Return where it comes from; its release is read where the origin does not know it.

        Raises:
            BadFileError: It is no export.
        """
        if self._origin.release:
            return self._origin
        return replace(self._origin, release=self._checked.origin.release)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the entries that are not used, each with its reason."""
        return self._checked.quarantined

    def advice(self) -> Advice:
        """Return what the built-in catalog knows of entries, whatever catalog lists them."""
        return self._built_in.advice()

    def raw(self, spec_id: str) -> Mapping[str, object]:
        """Return an entry as the export has it.

        Raises:
            UsageError: There is no such entry.
        """
        if spec_id in self._read.raw:
            return self._read.raw[spec_id]
        return self._built_in.raw(spec_id)

    @cached_property
    def _sha256(self) -> str:
        return hashlib.sha256(self._data + self._built_in.sha256().encode()).hexdigest()

    @cached_property
    def _read(self) -> ReadExport:
        return self._reader(self._data)

    @cached_property
    def _checked(self) -> compiled.Checked:
        # A file's name may be what says the release.
        named = "" if self._origin.release else self._origin.source
        key = compiled.key_of(f"{self._sha256} {_readers()} {named}")
        if self._cache is not None:
            whole = compiled.read_whole(compiled.place(self._cache, key), key)
            if whole is not None:
                return whole
        own = tuple(spec for spec in self._built_in.specs() if spec.pins is None)
        specs, bad = (*self._read.specs, *own), self._read.quarantined
        origin = replace(compiled.UNKNOWN, release=self._read.release)
        if self._cache is not None:
            compiled.keep(self._cache, key, specs, origin=origin, quarantined=bad)
        return compiled.Checked(specs=specs, advice=Advice(), origin=origin, quarantined=bad)


def _readers() -> str:
    """Return a hash over what reads exports: a change of it makes compiled catalogs anew."""
    digest = hashlib.sha256()
    # An installation without sources has its version.
    with suppress(OSError):
        here = Path(__file__).parent
        rules = (here.parent / "rules" / f"{name}.py" for name in _RULES)
        for path in (*sorted(here.glob("upstream_*.py")), here / "strict_json.py", *rules):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Noted:
    """Another catalog, with a word about why it is this one."""

    def __init__(self, catalog: Catalog, note: str) -> None:
        """Take the place of `catalog`."""
        self._catalog = catalog
        self._note = note

    def specs(self) -> tuple[ModelSpec, ...]:
        """Return every entry."""
        return self._catalog.specs()

    def sha256(self) -> str:
        """Return the hash over the catalog's files."""
        return self._catalog.sha256()

    def origin(self) -> Origin:
        """Return which catalog this is, and why."""
        return replace(self._catalog.origin(), note=self._note)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the entries that are not used, each with its reason."""
        return self._catalog.quarantined()

    def advice(self) -> Advice:
        """Return what is known beyond the entries."""
        return self._catalog.advice()

    def raw(self, spec_id: str) -> Mapping[str, object]:
        """Return an entry as its source has it."""
        return self._catalog.raw(spec_id)
