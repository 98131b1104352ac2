# SPDX-License-Identifier: Apache-2.0
"""What is wanted of a stack of containers. Values only; `container` is what is seen of one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A host path inside a container, always read-only here."""

    source: str
    """Host path, or a `${VARIABLE}` of the folder's .env file."""
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How the engine asks a container whether it works."""

    test: tuple[str, ...]
    interval_s: int
    timeout_s: int
    retries: int
    start_period_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefaults:
    """How containers of one kind are launched; data of compose/services.toml."""

    port: int
    """Port that the service listens on inside its container."""
    restart: str
    memory_mib: int
    """0 where the catalog entry says it."""
    pids: int
    tmpfs_mib: int
    shm_mib: int
    stop_grace_s: int
    health: HealthCheck
    environment: tuple[tuple[str, str], ...] = ()
    models: str = ""
    """Folder inside the container under which weights are mounted."""
    paths: tuple[str, ...] = ()
    """Paths that the gateway lets through."""
    max_body_bytes: int = 0
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One container that is wanted."""

    name: str
    image: str
    entrypoint: tuple[str, ...] = ()
    """What the image is started with, empty for its own."""
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[str, ...]
    publish: int | None = None
    """Container port that the host's port leads to, None for a service without one."""
    health: HealthCheck
    memory_mib: int
    shm_mib: int = 64
    pids: int
    tmpfs_mib: int
    stop_grace_s: int = 120
    restart: str
    inputs: tuple[tuple[str, str], ...] = ()
    """(name, SHA-256) of mounted content that a change of must recreate the container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network of the stack's own."""

    name: str
    internal: bool
    """Whether nothing outside of the stack can be reached from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that one `up` wants to run."""

    name: str
    model: str
    """Name under which the model is served."""
    port: int
    services: tuple[ServiceSpec, ...]
    networks: tuple[Network, ...]
    experimental: str = ""
    """Why the model runs though nobody validated it on its device; empty where it was."""

    @property
    def project(self) -> str:
        """Compose's project name."""
        return f"ttctl-{self.name}"
