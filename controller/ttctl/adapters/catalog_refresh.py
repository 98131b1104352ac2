# SPDX-License-Identifier: Apache-2.0
"""Get a copy of a catalog: a young one, a confirmed one, a new one, or the last good one."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.catalog_record import Record
from ttctl.adapters.catalog_store import file_bytes
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.export import NOT_TOLD
from ttctl.rules.catalog_names import is_young

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.adapters.catalog_export import ReadExport
    from ttctl.adapters.catalog_fetch import Answer
    from ttctl.adapters.catalog_store import CatalogStore
    from ttctl.adapters.catalog_target import Target
    from ttctl.model.catalog import Outcome
    from ttctl.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A whole copy, and how it was had."""

    record: Record
    outcome: Outcome
    failure: TtctlError | None = None
    """Why it is not a newer one."""


class Refresher:
    """Obtains copies and keeps them."""

    def __init__(
        self,
        store: CatalogStore,
        *,
        site: Callable[[], Site],
        read: Callable[[bytes, str], ReadExport],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Ask nothing yet; `read` checks an export's bytes, and is told what to call it."""
        self._store = store
        self._site = site
        self._read = read
        self._now = now

    def obtain(self, target: Target, *, force: bool) -> Obtained:
        """Return a copy, asked for where that of an hour ago does not do.

        Args:
            target: What is wanted.
            force: Ask, however young the copy is.

        Raises:
            TtctlError: It does not come, and no whole copy is here.
        """
        if not target.url:
            record = self._keep(target, file_bytes(Path(target.source)), etag="")
            return Obtained(record=record, outcome="fetched")
        here = self.whole(target)
        if here is not None and not force and is_young(here.confirmed_s, self._now()):
            return Obtained(record=here, outcome="young")
        try:
            return self._asked(target, here)
        except TtctlError as failure:
            if here is None:
                raise
            return Obtained(record=here, outcome="kept", failure=failure)

    def whole(self, target: Target) -> Record | None:
        """Return the record of a copy that is what it was; a damaged one is set aside."""
        record = self._store.record(target.source)
        with suppress(BadFileError):
            if record is not None:
                self._store.data(record)
                return record
        return None

    def _asked(self, target: Target, here: Record | None) -> Obtained:
        answer = self._fetch(target, here)
        if answer.data is not None:
            record = self._keep(target, answer.data, etag=answer.etag)
            return Obtained(record=record, outcome="fetched")
        if here is None:
            raise BadFileError(
                f"{target.source} says that nothing has changed, and nothing is here.",
                why="It answered 304 to a question that named no copy.",
                next_step="ttctl config site",
            )
        record = replace(here, confirmed_s=int(self._now()))
        self._store.keep(record)
        return Obtained(record=record, outcome="unchanged")

    def _fetch(self, target: Target, here: Record | None) -> Answer:
        # Loads the HTTP client, which no other verb may wait for.
        from ttctl.adapters.catalog_fetch import fetch  # noqa: PLC0415

        etag = here.etag if here else ""
        return fetch(target.url, self._site(), etag=etag, plain=target.plain)

    def _keep(self, target: Target, data: bytes, *, etag: str) -> Record:
        """Check an export and keep it.

        Raises:
            BadFileError: It is none, or another release than was asked for.
        """
        read = self._checked(target, data)
        moment = int(self._now())
        record = Record(
            source=target.source,
            release=target.release or read.release,
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            etag=etag,
            fetched_s=moment,
            confirmed_s=moment,
        )
        self._store.keep(record, data)
        return record

    def _checked(self, target: Target, data: bytes) -> ReadExport:
        try:
            read = self._read(data, target.source)
        except BadFileError as refused:
            if not target.url:
                raise
            aside = self._store.reject(data)
            raise BadFileError(
                refused.message,
                why=refused.why,
                evidence=f"{refused.evidence}\nIt is not used; it was set aside: {aside}".strip(),
                next_step="ttctl models ls",
            ) from refused
        told = read.release and not read.release.startswith(NOT_TOLD)
        if target.release and told and read.release != target.release:
            raise BadFileError(
                f"{target.source} is not the catalog of release {target.release}.",
                why="A mirror serves another release under this name.",
                evidence=f"It says that it is of release {read.release}.",
                next_step="ttctl config site",
            )
        return read
