# SPDX-License-Identifier: Apache-2.0
"""The container engine, looked at. Nothing here changes anything.

Containers are asked for often, and cost no library; for the rest docker's own is loaded.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import docker_look

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.adapters.docker_api import DockerApi
    from ttctl.model.container import ContainerState, Project
    from ttctl.model.engines import EngineInfo
    from ttctl.model.prebuilt import ImageConfig


class DockerEngine:
    """The engine that the docker command line would talk to."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` may name the engine by DOCKER_HOST or DOCKER_CONTEXT."""
        self._environ = environ

    def info(self) -> EngineInfo:
        """Say which engine answers, with its plugins.

        Raises:
            EngineError: None does.
            ToolMissingError: compose or buildx is not installed.
        """
        return self._api.info()

    def containers(self, stack: str | None) -> tuple[ContainerState, ...]:
        """Return the containers that carry our labels, of one stack or of all, by name."""
        return docker_look.containers(self._environ, stack)

    def project(self, stack: str) -> Project:
        """Return what of one stack is here, and what compose has beside it under its name."""
        return docker_look.project(self._environ, stack)

    def has_image(self, reference: str) -> bool:
        """Return whether an image is here."""
        return self._api.has_image(reference)

    def config_of(self, reference: str) -> ImageConfig | None:
        """Return what an image says of itself; None where it is not here."""
        return self._api.config_of(reference)

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Return the layers of each image that is here, from the bottom up, `sha256:...`."""
        return self._api.layers()

    def log_lines(
        self, container_id: str, *, tail: int, since: int | None = None
    ) -> tuple[str, ...]:
        """Return the last lines that a container printed from `since` on; none where it is gone."""
        return self._api.log_lines(container_id, tail=tail, since=since)

    def stream(
        self,
        names: Mapping[str, str],
        *,
        tail: int | None,
        since: int | None,
        timestamps: bool,
        follow: bool,
    ) -> Iterator[tuple[str, str]]:
        """Yield (name, line) of several containers; with `follow` until all have ended.

        Args:
            names: Container id to the name that its lines carry.
            tail: Lines from the end, None for all.
            since: Unix time in seconds, None for the start.
            timestamps: Whether each line begins with its time.
        """
        return self._api.stream(names, tail=tail, since=since, timestamps=timestamps, follow=follow)

    def follow(
        self, container_id: str, *, since: int | None, tail: int | None = None
    ) -> Iterator[str]:
        """Yield the lines that a container prints from `since` (Unix time) until it ends.

        Of those that it has printed already only the last `tail`.
        """
        return self._api.follow(container_id, since=since, tail=tail)

    @cached_property
    def _api(self) -> DockerApi:
        from ttctl.adapters.docker_api import DockerApi  # noqa: PLC0415 - docker's own library

        return DockerApi(self._environ)
