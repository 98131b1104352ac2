# SPDX-License-Identifier: Apache-2.0
"""The one place that wires adapters to operations.

An adapter is loaded when its part of the world is first asked for: `models ls` never loads the
engine's library, and `ps` never the catalog's.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.cli.wiring_stacks import WiredStacks, no_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.adapters.catalog_export import ReadExport
    from ttctl.adapters.catalogs import KnownCatalogs
    from ttctl.adapters.settings import Settings
    from ttctl.cli.console import Console
    from ttctl.cli.shelf import WiredShelf
    from ttctl.model.catalog import Catalog
    from ttctl.model.clock import Clock
    from ttctl.model.engine_files import EngineFiles
    from ttctl.model.failure import Failures
    from ttctl.model.gateway import Gateway
    from ttctl.model.hardware import Hardware
    from ttctl.model.live import Live
    from ttctl.model.picture import Pictures
    from ttctl.model.protocols import Reporter, World
    from ttctl.model.site import Site


class Wired(WiredStacks):
    """The real world of one command, each part made when it is first asked for."""

    def __init__(
        self,
        console: Console,
        *,
        offline: bool,
        settings: Settings,
        catalog: str = "",
        may_fetch: bool = False,
        snapshot: Path | None = None,
        models_dir: str = "",
        token_file: str = "",
        project_stack: Callable[[], str | None] = no_project,
    ) -> None:
        """Nothing is read or asked yet.

        Args:
            console: What prints.
            offline: The flag of that name.
            settings: What a person set.
            catalog: Names the catalog to use, nothing for the one that was refreshed last.
            may_fetch: Whether a catalog that is named by its address may be asked for.
            snapshot: What tt-smi said of other cards, which stand in for this machine's.
            models_dir: What the flag of that name says, nothing where it was not given.
            token_file: The same.
            project_stack: Names the stack of the folder's project, None where it has none.
        """
        super().__init__(
            settings,
            snapshot=snapshot,
            models_dir=models_dir,
            token_file=token_file,
            project_stack=project_stack,
        )
        self._console = console
        self._chosen = catalog
        self._may_fetch = may_fetch
        self._offline = offline

    @cached_property
    def catalog(self) -> Catalog:
        """The one that is named, else the one that was refreshed last, else the shipped one."""
        catalog = self.catalogs.chosen(self._chosen, fetch=self._may_fetch)
        if note := catalog.origin().note:
            self._console.note(note)
        return catalog

    @cached_property
    def catalogs(self) -> KnownCatalogs:
        """The catalog that is shipped, and those that were fetched."""
        from ttctl.adapters.catalog import BuiltInCatalog
        from ttctl.adapters.catalogs import KnownCatalogs

        shipped = places.catalog()
        built_in = BuiltInCatalog(shipped, cache=self.cache / "catalog")

        def read(data: bytes, name: str) -> ReadExport:
            from ttctl.adapters.catalog_reader import read_catalog

            return read_catalog(data, name, shipped=shipped, built_in=built_in)

        return KnownCatalogs(
            places.state(self._environ) / "catalog",
            built_in=built_in,
            shipped=shipped,
            cache=self.cache / "catalog",
            site=lambda: self.site,
            read=read,
        )

    @cached_property
    def hardware(self) -> Hardware:
        """The results that are kept beside the shipped catalog, whichever catalog is used."""
        from ttctl.adapters.hardware import FOLDER, KeptResults

        return KeptResults(places.catalog() / FOLDER)

    @cached_property
    def engine_files(self) -> EngineFiles:
        """Caches below the user's own, keys in the stacks' folders."""
        from ttctl.adapters.engine_files import LocalEngineFiles

        return LocalEngineFiles(
            self.cache / "engines", home=self.store.home, secrets=self.store.secrets
        )

    @property
    def failures(self) -> Failures:
        """The rows of catalog/failures.toml."""
        from ttctl.adapters.failures import known_failures

        return known_failures()

    @cached_property
    def gateway(self) -> Gateway:
        """A client of the stacks' one door."""
        from ttctl.adapters.gateway import StackGateway

        return StackGateway()

    @cached_property
    def pictures(self) -> Pictures:
        """The user's own folders."""
        from ttctl.adapters.picture_files import PictureFiles

        return PictureFiles()

    @cached_property
    def clock(self) -> Clock:
        """The machine's."""
        from ttctl.adapters.clock import MonotonicClock

        return MonotonicClock()

    @cached_property
    def reporter(self) -> Reporter:
        """Whatever suits the terminal, or the program that reads."""
        from ttctl.cli.reporters import reporter_for
        from ttctl.cli.told_reporter import ToldReporter

        return ToldReporter(reporter_for(self._console, self._log_file), self._doing)

    @cached_property
    def live(self) -> Live:
        """What runs on this machine."""
        from ttctl.adapters.live_sources import LiveSources

        state = places.state(self._environ)
        return LiveSources(self._environ, state=state, store=self.store, starts=self.starts)

    @cached_property
    def site(self) -> Site:
        """What is peculiar to this place."""
        from ttctl.adapters.site import detect
        from ttctl.model.site import Sourced

        site = detect(
            self._environ,
            home=Path.home(),
            prefix=Path(sys.prefix),
            settings=self._settings.site(),
        )
        site = self._with_flags(site)
        return (
            replace(site, offline=Sourced(value="1", source="--offline")) if self._offline else site
        )

    @cached_property
    def shelf(self) -> WiredShelf:
        """What is kept of conversations."""
        from ttctl.cli.shelf import WiredShelf

        return WiredShelf(self._environ, note=self._console.note)


def wire(
    console: Console,
    *,
    settings: Settings,
    offline: bool = False,
    catalog: str = "",
    may_fetch: bool = False,
    snapshot: Path | None = None,
    models_dir: str = "",
    token_file: str = "",
    project_stack: Callable[[], str | None] = no_project,
) -> World:
    """Return everything outside, for one command."""
    return Wired(
        console,
        offline=offline,
        settings=settings,
        catalog=catalog,
        may_fetch=may_fetch,
        snapshot=snapshot,
        models_dir=models_dir,
        token_file=token_file,
        project_stack=project_stack,
    )
