# SPDX-License-Identifier: Apache-2.0
"""Which catalog is used?

The one that was refreshed last, else the built-in one. Refreshing is a person's decision: the
catalog in use never changes by itself, since pins would. Only one that is named by its address
is asked for again by what plans or starts something, where its copy is an hour old.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.catalog_export import ExportCatalog, Noted
from ttctl.adapters.catalog_store import CatalogStore, file_bytes
from ttctl.errors import BadFileError, TtctlError, UsageError
from ttctl.model.pins import Origin
from ttctl.rules.catalog_names import BUILT_IN, catalog_name, is_young, without_login

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.adapters.catalog_export import ReadExport
    from ttctl.adapters.catalog_refresh import Refresher
    from ttctl.adapters.catalog_store import Record
    from ttctl.adapters.catalog_target import Target
    from ttctl.model.catalog import Catalog, Outcome, Refreshed
    from ttctl.model.site import Site
    from ttctl.rules.catalog_names import CatalogName


class KnownCatalogs:
    """The built-in catalog, and those that were fetched."""

    def __init__(
        self,
        folder: Path,
        *,
        built_in: Catalog,
        shipped: Path,
        cache: Path,
        site: Callable[[], Site],
        read: Callable[[bytes, str], ReadExport],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Ask and read nothing yet.

        Args:
            folder: Where fetched catalogs are kept.
            built_in: The catalog that is shipped.
            shipped: Its folder, which holds sources.toml.
            cache: Where compiled catalogs are kept.
            site: What is peculiar to this place; looked at where a network is asked.
            read: Checks an export's bytes; its second argument names it in a refusal.
            now: Seconds since 1970.
        """
        self._store = CatalogStore(folder)
        self._built_in = built_in
        self._shipped = shipped
        self._cache = cache
        self._site = site
        self._read = lru_cache(maxsize=2)(read)
        self._now = now

    @cached_property
    def _refresher(self) -> Refresher:
        # What only lists obtains nothing.
        from ttctl.adapters.catalog_refresh import Refresher  # noqa: PLC0415

        # Else a damaged file of our own would be taken for the fault of what is fetched.
        self._built_in.specs()
        return Refresher(self._store, site=self._site, read=self._read, now=self._now)

    def chosen(self, name: str = "", *, fetch: bool = False) -> Catalog:
        """Return the catalog to use.

        Args:
            name: What a flag or a setting says, nothing for the one that was refreshed last.
            fetch: Whether it may be asked for, where it is named by an address or a release.

        Raises:
            TtctlError: It is not here, or damaged, and cannot be had.
        """
        if not name:
            return self._current()
        wanted = catalog_name(name)
        if not fetch or wanted.by in {"built-in", "file"} or self._is_settled(wanted):
            return self.named(name)
        got = self._refresher.obtain(self._target(wanted), force=False)
        return self._catalog(got.record, note=_kept_note(got.failure))

    def named(self, name: str) -> Catalog:
        """Return a catalog that is here; asks no network.

        Raises:
            UsageError: None of that name is here.
            BadFileError: It is damaged.
        """
        wanted = catalog_name(name)
        if wanted.by == "file":
            return self._of_file(Path(wanted.value))
        record = self._here(wanted)
        if record is not None:
            return self._sound(record)
        if wanted.by == "built-in" or self._is_built_in(wanted):
            return self._built_in
        shown = without_login(wanted.value)
        raise UsageError(
            f"The catalog {shown!r} is not here.",
            why="It was never fetched, and what only looks opens no connection.",
            evidence=f"Here: {', '.join(self._names())}.",
            next_step=f"ttctl models refresh {shown}",
        )

    def refresh(self, name: str | None, *, force: bool, dry_run: bool) -> Refreshed:
        """Make a catalog the one that is used; None means upstream's newest release.

        Raises:
            TtctlError: It cannot be had, and no copy of it is here.
        """
        from ttctl.adapters.catalog_told import told  # noqa: PLC0415 - as above

        wanted = None if name is None else catalog_name(name)
        if wanted is not None and wanted.by == "built-in":
            if not dry_run:
                self._store.use(None)
            return told(self._current(), "built-in", "")
        target = self._target(wanted)
        if dry_run:
            here = self._refresher.whole(target) if target.url else None
            return told(
                self._current(), self._would(target, here, force=force), target.source, record=here
            )
        got = self._refresher.obtain(target, force=force)
        catalog = self._catalog(got.record, note=_kept_note(got.failure))
        answer = told(catalog, got.outcome, target.source, record=got.record, failure=got.failure)
        self._store.use(got.record)
        return answer

    def _would(self, target: Target, here: Record | None, *, force: bool) -> Outcome:
        """Return what a refresh would do."""
        if here is not None and not force and is_young(here.confirmed_s, self._now()):
            return "young"
        return "would-ask" if target.url else "would-use"

    def _current(self) -> Catalog:
        if not self._store.is_chosen():
            return self._built_in
        record = self._store.current()
        damage = "The record of the catalog in use is gone or damaged, and was set aside."
        try:
            if record is not None:
                return self._sound(record)
        except BadFileError as error:
            damage = f"{error.message} {error.evidence}".strip()
        # Where the folder cannot be written, the next command says it again.
        with suppress(TtctlError):
            self._store.use(None)
        return Noted(self._built_in, f"{damage} The built-in catalog is used.")

    def _target(self, wanted: CatalogName | None) -> Target:
        # Loads pydantic, which listing must not wait for.
        from ttctl.adapters.catalog_target import target_of  # noqa: PLC0415
        from ttctl.adapters.sources import read_sources  # noqa: PLC0415

        mirror = self._site().catalog_mirror
        return target_of(
            wanted,
            where=read_sources(self._shipped).catalog,
            mirror=mirror.value if mirror else "",
        )

    def _here(self, wanted: CatalogName) -> Record | None:
        if wanted.by == "url" and not wanted.value.endswith("/"):
            return self._store.record(without_login(wanted.value))
        begin = without_login(wanted.value)
        for one in self._store.records():
            is_it = one.release == wanted.value if wanted.by == "release" else False
            if is_it or (wanted.by == "url" and one.source.startswith(begin)):
                return one
        return None

    def _is_settled(self, wanted: CatalogName) -> bool:
        """Whether a release is here: it does not change, so nobody needs to be asked."""
        here = self._here(wanted) is not None or self._is_built_in(wanted)
        return wanted.by == "release" and here

    def _is_built_in(self, wanted: CatalogName) -> bool:
        return wanted.by == "release" and self._built_in.origin().release == wanted.value

    def _names(self) -> tuple[str, ...]:
        records = self._store.records()
        return (BUILT_IN, *dict.fromkeys(one.release or one.source for one in records))

    def _sound(self, record: Record) -> Catalog:
        """Return a stored catalog that can be read to its end; one that cannot is set aside."""
        catalog = self._catalog(record)
        try:
            catalog.specs()
        except BadFileError as exc:
            raise self._store.damaged(record, exc.message) from exc
        return catalog

    def _catalog(self, record: Record, *, note: str = "") -> Catalog:
        origin = Origin(
            release=record.release,
            source=record.source,
            date=_day(record.fetched_s),
            sha256=record.sha256,
            age_s=max(0, int(self._now()) - record.confirmed_s),
            note=note,
        )
        return self._made(self._store.data(record), origin)

    def _of_file(self, path: Path) -> Catalog:
        data = file_bytes(path)
        origin = Origin(
            # What it says may be wrong: the file of 0.13.0 says 0.12.0.
            release="",
            source=str(path),
            date=_day(path.stat().st_mtime),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return self._made(data, origin)

    def _made(self, data: bytes, origin: Origin) -> Catalog:
        return ExportCatalog(
            data,
            origin,
            read=lambda text: self._read(text, origin.source),
            built_in=self._built_in,
            cache=self._cache,
        )


def _kept_note(failure: TtctlError | None) -> str:
    if failure is None:
        return ""
    return f"{failure.message} {failure.evidence} The last good copy is used.".replace("\n", " ")


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
