# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the outside. Adapters fulfil these; only the session knows both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ttctl.model.catalog import Catalog, Catalogs
    from ttctl.model.clock import Clock
    from ttctl.model.container import ContainerState
    from ttctl.model.device import System
    from ttctl.model.gateway import Gateway
    from ttctl.model.hardware import Hardware
    from ttctl.model.image import BaseImage, BuildResult, ImageRecipe, ImageSpec, PlaceFiles
    from ttctl.model.leasing import Leases
    from ttctl.model.lock import Lock, LockedWeights
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.plan import How
    from ttctl.model.reset import Resets
    from ttctl.model.service import ServiceDefaults
    from ttctl.model.shelf import Shelf
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights
    from ttctl.model.telemetry import TelemetrySource
    from ttctl.model.vitals import Vitals
    from ttctl.model.weights import WeightsCache


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The container engine as it answers."""

    version: str
    compose_version: str
    buildx_version: str
    root_dir: str
    """Where images lie, a host path where the engine is local."""


class Reporter(Protocol):
    """Says what is going on, to whoever watches."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Announce one step; its end shows a mark and the seconds."""

    def progress(self, done: float, total: float, unit: str) -> None:
        """Say how far the step is; `unit` is `steps` or `bytes`. Only real counts."""

    def note(self, text: str) -> None:
        """Say one line."""

    def detail(self, line: str) -> None:
        """Keep a line of a child's output for the log, and show it when asked for more."""


class Recipes(Protocol):
    """The folders images/ and compose/."""

    def recipe(self, name: str) -> ImageRecipe:
        """Read one recipe."""

    def render(self, recipe: ImageRecipe, values: dict[str, str]) -> str:
        """Render a recipe's Dockerfile."""

    def template(self, path: str, values: dict[str, object]) -> str:
        """Render another template, by its path under compose/."""

    def yaml(self, value: dict[str, object]) -> str:
        """Write a compose file's text, parsed back and found equal."""

    def defaults(self, kind: str) -> ServiceDefaults:
        """Return how containers of this kind are launched."""


class Engine(Protocol):
    """Looks at the container engine; changes nothing."""

    def info(self) -> EngineInfo:
        """Say which engine answers.

        Raises:
            EngineError: None does.
            ToolMissingError: It lacks compose or buildx.
        """

    def containers(self, stack: str | None) -> tuple[ContainerState, ...]:
        """Return the containers that carry our labels, of one stack or of all."""

    def has_image(self, reference: str) -> bool:
        """Return whether an image is here."""

    def log_lines(self, container_id: str, *, tail: int) -> tuple[str, ...]:
        """Return the last lines that a container printed."""

    def stream(
        self,
        names: Mapping[str, str],
        *,
        tail: int | None,
        since: int | None,
        timestamps: bool,
        follow: bool,
    ) -> Iterator[tuple[str, str]]:
        """Yield (name, line) of several containers; `names` is by container id."""


class Builder(Protocol):
    """Makes images."""

    def base(self, site: Site, *, offline: bool) -> BaseImage:
        """Decide what all images stand on, and resolve its digest where a registry answers."""

    def obtain_base(self, base: BaseImage, site: Site, reporter: Reporter) -> None:
        """Pull or bootstrap the base image."""

    def pull(self, reference: str, reporter: Reporter) -> None:
        """Pull an image that the site names."""

    def build(self, image: ImageSpec, reporter: Reporter) -> BuildResult:
        """Build one image; the tag appears only when all of it is done."""

    def place_files(self, images: tuple[ImageSpec, ...]) -> PlaceFiles:
        """Return what a build by hand needs of this place: the secrets' texts, the wheels."""


class Launcher(Protocol):
    """Starts and ends the containers of a rendered folder, through compose."""

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        """Bring the stack to what the folder says and wait until it is healthy.

        Without `how.wait` only until its containers are started.

        Raises:
            EngineError: A container ended, or printed a line that means that it will.
            WaitError: It was not healthy within `wait_s` seconds.
        """

    def remove(
        self, stack: str, folder: Path, services: Sequence[str], *, reporter: Reporter
    ) -> None:
        """Stop and remove some services' containers."""

    def down(self, stack: str, *, volumes: bool, timeout_s: int | None, reporter: Reporter) -> None:
        """Stop and remove the stack's containers and networks.

        `timeout_s` is each container's time to end, None for its own.
        """

    def attach(self, stack: str, arguments: Sequence[str]) -> None:
        """Become a compose command on the stack, with the user's own terminal."""

    def pipe(self, stack: str, arguments: Sequence[str]) -> tuple[int, str]:
        """Run a compose command on the stack with the user's own streams, and no terminal.

        Returns:
            Its exit code, and what the engine printed where the command could not be run at all.
        """

    def ask(
        self, stack: str, arguments: Sequence[str], *, timeout_s: float
    ) -> tuple[int, tuple[str, ...]]:
        """Run a compose command on the stack; return its exit code and what it printed.

        Raises:
            WaitError: It took longer than `timeout_s`.
        """


class WeightsStore(Protocol):
    """Fetches weights and knows which are here."""

    def resolve(self, weights: Weights, site: Site) -> LockedWeights:
        """Make a source exact: revision, files, sizes, hashes.

        Raises:
            OfflineError: The hub does not answer and nothing is cached.
        """

    def is_complete(self, locked: LockedWeights) -> bool:
        """Return whether every file is here with its size and hash."""

    def fetch(self, locked: LockedWeights, site: Site, reporter: Reporter) -> None:
        """Bring what is missing and verify it; what is not whole never carries the final name."""

    def path(self, locked: LockedWeights) -> Path:
        """Return the folder that a container mounts."""


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


class StackStore(Protocol):
    """The stacks' state folders: what was locked and rendered."""

    def stacks(self) -> tuple[str, ...]:
        """Return the names of the stacks that have a lock."""

    def lock(self, stack: str) -> Lock | None:
        """Read a stack's lock, None where there is none.

        Raises:
            BadFileError: It is damaged.
        """

    def summary(self, stack: str) -> LockSummary | None:
        """Read what is shown of a stack's lock, None where there is none.

        Raises:
            BadFileError: It is damaged.
        """

    def exclusive(
        self, stack: str, *, timeout_s: float, reporter: Reporter
    ) -> AbstractContextManager[None]:
        """Hold the stack for the length of the block.

        Raises:
            LockedError: Another command holds it.
        """

    def folder(self, stack: str) -> Path:
        """Return where the stack's rendered folder lies."""

    def owner(self) -> str:
        """Return a short name of this state folder, for the containers' labels."""


class Folders(Protocol):
    """Reads and writes rendered folders."""

    def lock_text(self, lock: Lock) -> str:
        """Return the lock file's text."""

    def forget(self, stack: str) -> None:
        """Remove a stack's lock and rendered folder; call it while the stack is held."""

    def read_folder(self, folder: Path) -> dict[str, str]:
        """Return the files as they are, by relative path."""

    def write_folder(
        self, folder: Path, files: dict[str, tuple[str, bool]], *, prune: bool
    ) -> None:
        """Make `folder` hold these files: path to (text, executable)."""


class Keys(Protocol):
    """The secrets of a stack."""

    def has_key(self, stack: str) -> bool:
        """Return whether the key and its hash are there and belong together."""

    def ensure_key(self, stack: str) -> Path:
        """Make the key and its hash where they are missing; return the key's file."""

    def key(self, stack: str) -> str:
        """Return the key."""

    def key_file(self, stack: str) -> Path:
        """Return where the key lies."""

    def secrets(self, stack: str) -> Path:
        """Return the folder that the gateway mounts."""


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
    def engine(self) -> Engine:
        """The container engine, looked at."""

    @property
    def builder(self) -> Builder:
        """What makes images."""

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
    def folders(self) -> Folders:
        """What reads and writes rendered folders."""

    @property
    def keys(self) -> Keys:
        """The secrets of the stacks."""

    @property
    def gateway(self) -> Gateway:
        """The door of a running stack."""

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
