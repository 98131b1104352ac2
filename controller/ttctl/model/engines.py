# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the container engine: to look, to build, to start. Protocols only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ttctl.model.container import ContainerState, Project
    from ttctl.model.image import BaseImage, BuildResult, ImageSpec
    from ttctl.model.plan import How
    from ttctl.model.prebuilt import ImageConfig
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The container engine as it answers."""

    version: str
    root_dir: str
    """Where images lie, a host path where the engine is local."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFiles:
    """What a build by hand needs of this place."""

    secrets: tuple[tuple[str, str], ...]
    """(file name, text) of the BuildKit secrets."""
    wheels: tuple[str, ...]
    """Host paths of wheels that go into a build."""


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

    def project(self, stack: str) -> Project:
        """Return what of one stack is here, and what compose has beside it under its name."""

    def has_image(self, reference: str) -> bool:
        """Return whether an image is here."""

    def config_of(self, reference: str) -> ImageConfig | None:
        """Return what an image says of itself; None where it is not here."""

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Return the layers of each image that is here, from the bottom up, `sha256:...`."""

    def log_lines(
        self, container_id: str, *, tail: int, since: int | None = None
    ) -> tuple[str, ...]:
        """Return the last lines that a container printed, from `since` (Unix time) on."""

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

    def pull(self, reference: str, reporter: Reporter, *, name: str = "") -> None:
        """Pull an image that is not built here, and give it a `name` that it is found by again."""

    def build(
        self, image: ImageSpec, reporter: Reporter, *, cancel: threading.Event | None = None
    ) -> BuildResult:
        """Build one image; the tag appears only when all is done. `cancel` ends it early."""

    def check(
        self, image: ImageSpec, reporter: Reporter, *, cancel: threading.Event | None = None
    ) -> None:
        """Run an image's `verify` in it; one that fails is not kept.

        Raises:
            BuildError: It is not what its recipe promises.
        """

    def place_files(self, images: tuple[ImageSpec, ...]) -> PlaceFiles:
        """Return what a build by hand needs of this place: the secrets' texts, the wheels."""


class Launcher(Protocol):
    """Starts the containers of a rendered folder through compose; ends them, whoever made them."""

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        """Bring the stack to what the folder says and wait until it is healthy.

        Without `how.wait` only until its containers are started.

        Raises:
            EngineError: A container ended, or printed a line that means that it will.
            WaitError: It was not healthy within `wait_s` seconds.
        """

    def create(self, stack: str, folder: Path, *, recreate: bool, reporter: Reporter) -> None:
        """Make the stack's containers as the folder says, and start none.

        Raises:
            EngineError: One cannot be made.
        """

    def remove(
        self, stack: str, folder: Path, services: Sequence[str], *, reporter: Reporter
    ) -> None:
        """Stop and remove some services' containers."""

    def down(
        self, stack: str, *, volumes: Path | None, timeout_s: int | None, reporter: Reporter
    ) -> None:
        """Stop and remove the stack's containers and networks.

        Args:
            stack: Its name.
            volumes: The rendered folder whose volumes are removed too, None to keep them all.
            timeout_s: Each container's time to end, None for its own.
            reporter: Where the lines of compose go.
        """

    def stop(
        self, stack: str, *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        """Stop the stack's containers; return the exit code and what was printed.

        `timeout_s` is each container's time to end, None for its own.

        Raises:
            WaitError: It took longer than `limit_s`.
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
