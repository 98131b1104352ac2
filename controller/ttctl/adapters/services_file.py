# SPDX-License-Identifier: Apache-2.0
"""How is a container of each kind launched? What compose/services.toml says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ttctl.adapters.toml import laid_over, parse_toml
from ttctl.model.service import HealthCheck, ServiceDefaults

if TYPE_CHECKING:
    from pathlib import Path


class ServiceEntry(BaseModel):
    """One table of compose/services.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(ge=1024, le=65535)
    restart: str = Field(pattern=r"^(no|unless-stopped)$")
    memory_mib: int = 0
    pids: int
    tmpfs_mib: int
    shm_mib: int
    stop_grace_s: int = Field(ge=60)
    health: tuple[str, ...]
    health_interval_s: int
    health_timeout_s: int
    health_retries: int
    health_start_period_s: int
    environment: dict[str, str] = Field(default_factory=dict)
    models: str = ""
    paths: tuple[str, ...] = ()
    max_body_bytes: int = 0
    retry_after_s: int = 0

    def value(self) -> ServiceDefaults:
        """Return what the table says."""
        return ServiceDefaults(
            port=self.port,
            restart=self.restart,
            memory_mib=self.memory_mib,
            pids=self.pids,
            tmpfs_mib=self.tmpfs_mib,
            shm_mib=self.shm_mib,
            stop_grace_s=self.stop_grace_s,
            health=HealthCheck(
                test=self.health,
                interval_s=self.health_interval_s,
                timeout_s=self.health_timeout_s,
                retries=self.health_retries,
                start_period_s=self.health_start_period_s,
            ),
            environment=tuple(sorted(self.environment.items())),
            models=self.models,
            paths=self.paths,
            max_body_bytes=self.max_body_bytes,
            retry_after_s=self.retry_after_s,
        )


class ServicesFile(BaseModel):
    """compose/services.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    services: dict[str, ServiceEntry]

    @model_validator(mode="before")
    @classmethod
    def _laid_over(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Fill a service that is `like` another with what it does not say itself."""
        return {**given, "services": laid_over(given["services"])}


def read_services(path: Path) -> dict[str, ServiceDefaults]:
    """Return each kind of container with how it is launched.

    Raises:
        BadFileError: The file is missing or wrong.
    """
    found = parse_toml(path, ServicesFile, wrap="services").services
    return {kind: entry.value() for kind, entry in found.items()}
