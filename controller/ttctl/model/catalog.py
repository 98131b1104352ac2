# SPDX-License-Identifier: Apache-2.0
"""What is done with catalogs: one is fetched, chosen, compared. Values and Protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.pins import Advice, Origin, Quarantined
    from ttctl.model.spec import ModelSpec

Outcome = Literal["fetched", "unchanged", "young", "kept", "built-in", "would-ask", "would-use"]
"""`young`: not asked for, since it was an hour ago; `kept`: it could not be fetched, and the last
good one is used; the last two are of a dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did, or under `--dry-run` would do."""

    outcome: Outcome
    address: str
    """What was asked or read, without a login; empty for the built-in one."""
    catalog: Origin
    """The catalog that is used from now on; of a dry run the one that is used now."""
    sha256: str
    """Hash of the bytes that are here; empty where nothing is."""
    etag: str = ""
    size_bytes: int = 0
    entries: int = 0
    quarantined: int = 0
    """Entries that are not used; `models ls` names them."""
    failure: str = ""
    """Why it could not be fetched, where an older one is used in its place."""
    exit_code: int = 0
    """Exit code of the command: that of the failure."""


Moved = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMoved:
    """A fact of an entry that is another in the other catalog."""

    name: str
    """`tt-metal`, `vllm`, `image`, `status`, `max-model-len`, ..."""
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryMoved:
    """An entry that the two catalogs do not have alike."""

    move: Moved
    model: str
    device: str
    engine: str
    implementation: str
    fields: tuple[FieldMoved, ...] = ()
    """Of a changed entry: what is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDiff:
    """What moved from one catalog to another."""

    before: Origin
    after: Origin
    moved: tuple[EntryMoved, ...]
    same: int
    """Entries that are alike in both."""


class Catalog(Protocol):
    """Which models were validated where."""

    def specs(self) -> tuple[ModelSpec, ...]:
        """Return every entry."""

    def sha256(self) -> str:
        """Return the hash over the catalog's files."""

    def origin(self) -> Origin:
        """Return which catalog this is."""

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the entries that are not used, each with its reason."""

    def advice(self) -> Advice:
        """Return what is known beyond the entries: known-bad pins, fallbacks, other images."""

    def raw(self, spec_id: str) -> Mapping[str, object]:
        """Return an entry as its source has it, with keys that ttctl does not know.

        Raises:
            UsageError: There is no such entry.
        """


class Catalogs(Protocol):
    """The catalogs that are here, and those that can be fetched."""

    def refresh(self, name: str | None, *, force: bool, dry_run: bool) -> Refreshed:
        """Make a catalog the one that is used; None means upstream's newest release.

        Raises:
            TtctlError: It cannot be had, and none of that name is here.
        """

    def named(self, name: str) -> Catalog:
        """Return a catalog that is here; asks no network.

        Raises:
            UsageError: None of that name is here.
            BadFileError: It is damaged.
        """
