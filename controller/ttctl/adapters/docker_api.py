# SPDX-License-Identifier: Apache-2.0
"""Ask the container engine through its API, by its own library. Nothing here changes anything."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import docker
from docker.context import ContextAPI
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.utils import kwargs_from_env

from ttctl.adapters import places
from ttctl.adapters.docker_errors import no_such_context, unreachable
from ttctl.adapters.process import run
from ttctl.errors import ToolMissingError
from ttctl.model.engines import EngineInfo
from ttctl.model.prebuilt import ImageConfig
from ttctl.rules.image_user import config_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.errors import TtctlError

API_TIMEOUT_S = 20
FOREIGN = (DockerException, OSError)
"""What the library raises; errors of the connection that it uses are `OSError`s too."""


class DockerApi:
    """The engine that the docker command line would talk to."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` may name the engine by DOCKER_HOST or DOCKER_CONTEXT."""
        self._environ = environ

    def info(self) -> EngineInfo:
        """Say which engine answers; its plugins are there.

        Raises:
            EngineError: None does.
            ToolMissingError: compose or buildx is not installed.
        """
        try:
            info = self._client.info()
        except FOREIGN as exc:
            raise self._unreachable(exc) from exc
        _check_plugin("compose", "docker-compose")
        _check_plugin("buildx", "docker-buildx")
        return EngineInfo(
            version=str(info.get("ServerVersion", "")),
            root_dir=str(info.get("DockerRootDir", "")),
        )

    def has_image(self, reference: str) -> bool:
        """Return whether an image is here."""
        try:
            self._client.images.get(reference)
        except ImageNotFound:
            return False
        except FOREIGN as exc:
            raise self._unreachable(exc) from exc
        return True

    def config_of(self, reference: str) -> ImageConfig | None:
        """Return what an image says of itself; None where it is not here."""
        try:
            found = self._client.images.get(reference).attrs
        except ImageNotFound:
            return None
        except FOREIGN as exc:
            raise self._unreachable(exc) from exc
        digests = tuple(map(str, found.get("RepoDigests") or ()))
        return ImageConfig(user=config_user(found.get("Config") or {}), digests=digests)

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Return the layers of each image that is here, from the bottom up, `sha256:...`."""
        found: list[tuple[str, ...]] = []
        try:
            for listed in self._client.api.images():
                # One that goes between two questions is left out.
                with suppress(ImageNotFound):
                    image = self._client.images.get(listed["Id"]).attrs
                    found.append(tuple((image.get("RootFS") or {}).get("Layers") or ()))
        except FOREIGN as exc:
            raise self._unreachable(exc) from exc
        return tuple(found)

    def log_lines(
        self, container_id: str, *, tail: int, since: int | None = None
    ) -> tuple[str, ...]:
        """Return the last lines that a container printed from `since` on; none where it is gone."""
        try:
            raw = self._client.api.logs(
                container_id, stdout=True, stderr=True, tail=tail, since=since
            )
        except NotFound:
            return ()
        except FOREIGN as exc:
            raise self._unreachable(exc) from exc
        return tuple(raw.decode(errors="replace").replace("\r", "\n").splitlines())

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
        lines: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()

        def read(container_id: str, name: str) -> None:
            for line in self._lines(
                container_id, follow=follow, tail=tail, since=since, timestamps=timestamps
            ):
                lines.put((name, line))
            lines.put(None)

        for container_id, name in names.items():
            threading.Thread(target=read, args=(container_id, name), daemon=True).start()
        left = len(names)
        while left:
            item = lines.get()
            if item is None:
                left -= 1
            else:
                yield item

    def follow(
        self, container_id: str, *, since: int | None, tail: int | None = None
    ) -> Iterator[str]:
        """Yield the lines that a container prints from `since` (Unix time) until it ends.

        Of those that it has printed already only the last `tail`.
        """
        return self._lines(container_id, follow=True, tail=tail, since=since, timestamps=False)

    def _lines(
        self,
        container_id: str,
        *,
        follow: bool,
        tail: int | None,
        since: int | None,
        timestamps: bool,
    ) -> Iterator[str]:
        rest = b""
        try:
            chunks = self._client.api.logs(
                container_id,
                stdout=True,
                stderr=True,
                stream=True,
                follow=follow,
                tail="all" if tail is None else tail,
                since=since,
                timestamps=timestamps,
            )
            for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line.decode(errors="replace").rstrip("\r") for line in lines)
        except FOREIGN:
            return
        if rest:
            yield rest.decode(errors="replace")

    @cached_property
    def _client(self) -> docker.DockerClient:
        try:
            return docker.DockerClient(
                base_url=self._host, version="auto", timeout=API_TIMEOUT_S, **self._tls
            )
        except FOREIGN as exc:
            raise self._unreachable(exc) from exc

    @property
    def _host(self) -> str:
        named = self._environ.get("DOCKER_HOST")
        if named:
            return named
        name = self._environ.get("DOCKER_CONTEXT") or None
        context = ContextAPI.get_context(name)
        if context is None and name is not None:
            raise no_such_context(name)
        host = context.Host if context is not None else None
        return str(host) if host else "unix:///var/run/docker.sock"

    @property
    def _tls(self) -> dict[str, Any]:
        if not self._environ.get("DOCKER_TLS_VERIFY"):
            return {}
        arguments = kwargs_from_env(environment=dict(self._environ))
        return {"tls": arguments["tls"]} if "tls" in arguments else {}

    def _unreachable(self, exc: Exception) -> TtctlError:
        return unreachable(f"{self._host}: {exc}", self._environ)


def _check_plugin(plugin: str, package: str) -> None:
    done = run(["docker", plugin, "version"], timeout_s=20)
    if done.returncode != 0:
        raise ToolMissingError(
            f"docker's plugin {plugin!r} is not installed.",
            why="ttctl starts stacks with compose v2 and builds images with buildx.",
            evidence=done.tail(3),
            next_step=places.engine_install(package),
        )
