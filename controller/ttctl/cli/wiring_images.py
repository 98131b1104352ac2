# SPDX-License-Identifier: Apache-2.0
"""Wires what has to do with images: what is shipped to make them, what builds and starts them."""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.cli.wiring_weights import WiredWeights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.commit import CommitResolver
    from ttctl.model.contract import LaunchContract
    from ttctl.model.engines import Builder, Engine, Launcher
    from ttctl.model.prebuilt import Registry
    from ttctl.model.recipes import Recipes
    from ttctl.model.site import Site, SiteFiles


class WiredImages(WiredWeights):
    """The images of one command, and the engine that they run in."""

    @property
    @abstractmethod
    def site(self) -> Site:
        """What is peculiar to this place."""

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
        from ttctl.adapters.registry_layers import BuildxRegistry

        return BuildxRegistry()

    @cached_property
    def launcher(self) -> Launcher:
        """Compose."""
        from ttctl.adapters.compose import ComposeLauncher
        from ttctl.adapters.docker_engine import DockerEngine

        return ComposeLauncher(DockerEngine(self._environ), self._environ)

    def _files_for(self, indexes: Sequence[str]) -> SiteFiles:
        from ttctl.adapters.sources import read_sources
        from ttctl.model.site import Sourced
        from ttctl.rules.site_files import site_files

        hosts = read_sources(places.catalog()).git.values()
        further = tuple(Sourced(value=index, source="sources.toml") for index in indexes)
        known = self.site.pip_extra_index_urls
        here = replace(self.site, pip_extra_index_urls=(*known, *further))
        return site_files(here, git_hosts=hosts)
