# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the outside. Adapters fulfil these; only the session knows both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ttctl.model.catalog import Catalog, Catalogs
    from ttctl.model.clock import Clock
    from ttctl.model.commit import CommitResolver
    from ttctl.model.contract import LaunchContract
    from ttctl.model.device import System
    from ttctl.model.ejected import Ejections
    from ttctl.model.engine_files import EngineFiles
    from ttctl.model.engines import Builder, Engine, Launcher
    from ttctl.model.failure import Failures
    from ttctl.model.gateway import Gateway
    from ttctl.model.hardware import Hardware
    from ttctl.model.keys import KeyRing
    from ttctl.model.leasing import Leases
    from ttctl.model.live import Live
    from ttctl.model.picture import Pictures
    from ttctl.model.prebuilt import Registry
    from ttctl.model.recipes import Recipes
    from ttctl.model.reset import Resets
    from ttctl.model.shelf import Shelf
    from ttctl.model.site import Site
    from ttctl.model.starts import Starts
    from ttctl.model.stores import Folders, Generations, Keys, StackStore, WantedStacks
    from ttctl.model.telemetry import TelemetrySource
    from ttctl.model.tls import Certificates
    from ttctl.model.vitals import Vitals
    from ttctl.model.weights import WeightsCache, WeightsStore


class Reporter(Protocol):
    """Says what is going on, to whoever watches."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Announce one step; its end shows a mark and the seconds."""

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Say how far the step is; `unit` is `steps` or `bytes`. Only real counts.

        `part` names one of several things that go on at the same time, such as a file: its counts
        are its own.
        """

    def status(self, text: str, **facts: float | str) -> None:
        """Say what goes on right now, on the live line where there is one; `facts` say it too."""

    def note(self, text: str) -> None:
        """Say one line."""

    def detail(self, line: str) -> None:
        """Keep a line of a child's output for the log, and show it when asked for more."""


class Host(Protocol):
    """The machine that ttctl runs on."""

    def system(self) -> System:
        """Look for cards, cores and memory."""

    def free_bytes(self, path: Path) -> int:
        """Return the free space of the file system that holds `path` or its nearest parent."""

    def port_holder(self, address: str, port: int) -> str | None:
        """Return who listens there (`pid 12 (nginx)`), None where the port is free."""

    def reaches(self, url: str, site: Site) -> bool:
        """Return whether anything answers at `url` within five seconds."""

    def why_not(self, url: str, site: Site) -> str:
        """Return why nothing answers at `url`, empty where something does."""

    def package_index(self, site: Site) -> str:
        """Return the address of the Python package index that builds use, empty if unknown."""


class World(Protocol):
    """Everything outside that operations use; the session makes one for each command.

    A part is made when it is first asked for: what a command does not use costs it nothing.
    """

    @property
    def catalog(self) -> Catalog:
        """Which models were validated where."""

    @property
    def catalogs(self) -> Catalogs:
        """The catalogs that are here, and those that can be fetched."""

    @property
    def hardware(self) -> Hardware:
        """Which entries ran on cards."""

    @property
    def recipes(self) -> Recipes:
        """The folders images/ and compose/."""

    @property
    def failures(self) -> Failures:
        """What is known of how engines end."""

    @property
    def engine(self) -> Engine:
        """The container engine, looked at."""

    @property
    def contracts(self) -> Mapping[str, LaunchContract]:
        """How the images of each contract are launched."""

    @property
    def engine_files(self) -> EngineFiles:
        """The folders that engines write, and their keys."""

    @property
    def builder(self) -> Builder:
        """What makes images."""

    @property
    def commits(self) -> CommitResolver:
        """What makes short commits full."""

    @property
    def registry(self) -> Registry:
        """Where prebuilt images are."""

    @property
    def launcher(self) -> Launcher:
        """What starts and ends containers."""

    @property
    def weights(self) -> WeightsStore:
        """What fetches weights."""

    @property
    def weights_cache(self) -> WeightsCache:
        """The weights that are here."""

    @property
    def has_token(self) -> bool:
        """Whether a token of the model hub is at hand."""

    @property
    def host(self) -> Host:
        """The machine."""

    @property
    def leases(self) -> Leases:
        """Who has which board."""

    @property
    def starts(self) -> Starts:
        """How long earlier starts took."""

    @property
    def resets(self) -> Resets:
        """What resets boards."""

    @property
    def telemetry(self) -> TelemetrySource:
        """What the cards say."""

    @property
    def vitals(self) -> Vitals:
        """What `doctor` looks at."""

    @property
    def store(self) -> StackStore:
        """The stacks' state folders."""

    @property
    def wanted(self) -> WantedStacks:
        """Which stacks were brought up and not ended since."""

    @property
    def folders(self) -> Folders:
        """What reads and writes rendered folders."""

    @property
    def ejections(self) -> Ejections:
        """Services that a user took out to edit."""

    @property
    def generations(self) -> Generations:
        """The states in which stacks were ready."""

    @property
    def keys(self) -> Keys:
        """The secrets of the stacks."""

    @property
    def certificates(self) -> Certificates:
        """The certificates of the stacks' gateways."""

    @property
    def key_ring(self) -> KeyRing:
        """The keys of the stacks' gateways, by name."""

    @property
    def gateway(self) -> Gateway:
        """The door of a running stack."""

    @property
    def live(self) -> Live:
        """What looks at all that runs, again and again."""

    @property
    def clock(self) -> Clock:
        """Time."""

    @property
    def reporter(self) -> Reporter:
        """Whoever watches."""

    @property
    def site(self) -> Site:
        """What is peculiar to this place."""

    @property
    def cache(self) -> Path:
        """Where downloads lie, for the check of free space."""

    @property
    def shelf(self) -> Shelf:
        """What is kept of conversations."""

    @property
    def pictures(self) -> Pictures:
        """The folders that images are written into."""
