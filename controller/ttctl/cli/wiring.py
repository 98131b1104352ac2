# SPDX-License-Identifier: Apache-2.0
"""The one place that wires adapters to operations.

An adapter is loaded when its part of the world is first asked for: `models ls` never loads the
engine's library, and `ps` never the catalog's.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.cli.wiring_machine import WiredMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.adapters.catalog_export import ReadExport
    from ttctl.adapters.catalogs import KnownCatalogs
    from ttctl.adapters.settings import Settings
    from ttctl.adapters.store import StateFolder
    from ttctl.adapters.weights import Hub
    from ttctl.cli.console import Console
    from ttctl.cli.shelf import WiredShelf
    from ttctl.model.catalog import Catalog
    from ttctl.model.clock import Clock
    from ttctl.model.commit import CommitResolver
    from ttctl.model.contract import LaunchContract
    from ttctl.model.engine_files import EngineFiles
    from ttctl.model.engines import Builder, Engine, Launcher
    from ttctl.model.gateway import Gateway
    from ttctl.model.hardware import Hardware
    from ttctl.model.prebuilt import Registry
    from ttctl.model.protocols import Recipes, Reporter, WeightsStore, World
    from ttctl.model.settings_file import EditText, SettingsFile
    from ttctl.model.site import Site, SiteFiles
    from ttctl.model.weights import WeightsCache
    from ttctl.rules.settings import Layer


class Wired(WiredMachine):
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
    ) -> None:
        """Nothing is read or asked yet.

        Args:
            console: What prints.
            offline: The flag of that name.
            settings: What a person set.
            catalog: Names the catalog to use, nothing for the one that was refreshed last.
            may_fetch: Whether a catalog that is named by its address may be asked for.
            snapshot: What tt-smi said of other cards, which stand in for this machine's.
        """
        super().__init__(settings, snapshot=snapshot)
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
    def recipes(self) -> Recipes:
        """What is shipped, and what this site replaces of it."""
        from ttctl.adapters.templates import ShippedRecipes

        own = self.site.vllm_requirements
        replaced = {("vllm-cpu", "requirements.txt"): Path(own.value)} if own else {}
        return ShippedRecipes(places.shipped(), replaced=replaced)

    @cached_property
    def contracts(self) -> dict[str, LaunchContract]:
        """What is shipped."""
        from ttctl.adapters.contracts import ShippedContracts

        return ShippedContracts(places.shipped()).contracts()

    @cached_property
    def engine_files(self) -> EngineFiles:
        """Caches below the user's own, keys in the stacks' folders."""
        from ttctl.adapters.engine_files import LocalEngineFiles

        return LocalEngineFiles(
            self.cache / "engines", home=self.store.home, secrets=self.store.secrets
        )

    @cached_property
    def engine(self) -> Engine:
        """The engine that docker's own command line would talk to."""
        from ttctl.adapters.docker_engine import DockerEngine

        return DockerEngine(self._environ)

    @cached_property
    def builder(self) -> Builder:
        """Buildx."""
        from ttctl.adapters.builder import BuildxBuilder
        from ttctl.adapters.sources import read_sources

        return BuildxBuilder(
            read_sources(places.catalog()), self._files_for, keep_logs=self._log_file
        )

    @cached_property
    def commits(self) -> CommitResolver:
        """The table of known commits, and git behind it."""
        from ttctl.adapters.commits import GitCommits
        from ttctl.adapters.pin_facts import read_pin_facts
        from ttctl.adapters.sources import read_sources

        catalog = places.catalog()
        sources = read_sources(catalog)
        return GitCommits(
            read_pin_facts(catalog),
            sources.git.values(),
            places.cache(self._environ) / "git",
            repositories=sources.source,
        )

    @cached_property
    def registry(self) -> Registry:
        """The registry of prebuilt images, asked by buildx."""
        from ttctl.adapters.registry import BuildxRegistry

        return BuildxRegistry()

    @cached_property
    def launcher(self) -> Launcher:
        """Compose."""
        from ttctl.adapters.compose import ComposeLauncher
        from ttctl.adapters.docker_engine import DockerEngine

        return ComposeLauncher(DockerEngine(self._environ), self._environ)

    @cached_property
    def weights(self) -> WeightsStore:
        """The cache of weights, and the hub behind it."""
        from ttctl.adapters.weights import LocalWeights

        return LocalWeights(
            cache=self.cache / "weights",
            bundled=lambda name: places.shipped() / "images" / name / "model",
            hub=_hub,
        )

    @cached_property
    def weights_cache(self) -> WeightsCache:
        """The weights that are in the cache."""
        from ttctl.adapters.weights_cache import CachedWeights

        return CachedWeights(self.cache / "weights")

    @cached_property
    def has_token(self) -> bool:
        """Whether a token of the model hub is at hand; the token itself is not kept."""
        from ttctl.adapters.hub_token import has_token

        return has_token(self._environ, home=Path.home())

    @cached_property
    def store(self) -> StateFolder:
        """The stacks' state folders."""
        from ttctl.adapters.store import StateFolder

        return StateFolder(places.state(self._environ) / "stacks")

    @property
    def folders(self) -> StateFolder:
        """The same: it also writes rendered folders."""
        return self.store

    @property
    def keys(self) -> StateFolder:
        """The same: it also keeps the keys."""
        return self.store

    @cached_property
    def gateway(self) -> Gateway:
        """A client of the stacks' one door."""
        from ttctl.adapters.gateway import StackGateway

        return StackGateway()

    @cached_property
    def clock(self) -> Clock:
        """The machine's."""
        from ttctl.adapters.clock import MonotonicClock

        return MonotonicClock()

    @cached_property
    def reporter(self) -> Reporter:
        """Whatever suits the terminal, or the program that reads."""
        from ttctl.cli.reporters import reporter_for

        return reporter_for(self._console, self._log_file)

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
        return (
            replace(site, offline=Sourced(value="1", source="--offline")) if self._offline else site
        )

    @cached_property
    def shelf(self) -> WiredShelf:
        """What is kept of conversations."""
        from ttctl.cli.shelf import WiredShelf

        return WiredShelf(self._environ)

    @property
    def _log_file(self) -> Path:
        return places.state(self._environ) / "logs" / f"{Path(sys.argv[0]).name}.log"

    def _files_for(self, indexes: Sequence[str]) -> SiteFiles:
        from ttctl.adapters.sources import read_sources
        from ttctl.model.site import Sourced
        from ttctl.rules.site_files import site_files

        hosts = read_sources(places.catalog()).git.values()
        further = tuple(Sourced(value=index, source="sources.toml") for index in indexes)
        known = self.site.pip_extra_index_urls
        here = replace(self.site, pip_extra_index_urls=(*known, *further))
        return site_files(here, git_hosts=hosts)


def wire(
    console: Console,
    *,
    settings: Settings,
    offline: bool = False,
    catalog: str = "",
    may_fetch: bool = False,
    snapshot: Path | None = None,
) -> World:
    """Return everything outside, for one command."""
    return Wired(
        console,
        offline=offline,
        settings=settings,
        catalog=catalog,
        may_fetch=may_fetch,
        snapshot=snapshot,
    )


def wire_settings(named: str | None) -> Settings:
    """Return the settings of one command; `named` is what `--config` says."""
    from ttctl.adapters.settings import Settings

    return Settings(dict(os.environ), read=_read_settings, named=named)


def wire_settings_file(path: Path, *, home: str, repair: str) -> SettingsFile:
    """Return a settings file that can be changed."""
    from ttctl.adapters.settings_file import TomlSettingsFile

    return TomlSettingsFile(path, home=home, repair=repair)


def wire_file_check(key: str) -> Callable[[Path], str]:
    """Return what says why a file cannot be the value of a setting, nothing where it can."""
    from ttctl.adapters import site

    checks = {"site.ca_bundle": site.why_no_bundle, "site.vllm_requirements": site.why_no_file}
    return checks[key]


def wire_editor(again: str) -> EditText:
    """Return what opens a text in the user's editor; `again` is the command that does so."""
    from ttctl.adapters.editor import edit_text

    environ = dict(os.environ)
    return lambda text: edit_text(text, environ, again=again)


def _read_settings(path: Path, home: str, next_step: str) -> Layer:
    from ttctl.adapters.settings_reader import read_settings

    return read_settings(path, home, next_step)


def _hub(site: Site) -> Hub:
    from ttctl.adapters.hub import HuggingFace

    return HuggingFace(site)
