# SPDX-License-Identifier: Apache-2.0
"""Which containers are ours, and how are they? Asked often, so docker's library stays out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ttctl.adapters.docker_errors import unreachable
from ttctl.adapters.docker_wire import Wire, wire
from ttctl.errors import EngineError
from ttctl.model.container import (
    BOARDS_LABEL,
    CONFIG_LABEL,
    OWNER_LABEL,
    SERVICE_LABEL,
    STACK_LABEL,
    ContainerState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = 200
GONE = 404
PROJECT_LABEL = "com.docker.compose.project"
_ID = re.compile(r"[0-9a-f]{64}")


def containers(environ: Mapping[str, str], stack: str | None) -> tuple[ContainerState, ...]:
    """Return the containers that carry our labels, of one stack or of all, by name.

    Raises:
        EngineError: No engine answers, or not within its time.
        PrivilegeError: This user may not ask it.
        ToolMissingError: docker's command line is not installed.
    """
    labels = [STACK_LABEL]
    if stack is not None:
        labels = [f"{STACK_LABEL}={stack}", f"{PROJECT_LABEL}=ttctl-{stack}"]
    filters = quote(json.dumps({"label": labels}))
    with wire(environ) as engine:
        try:
            found = engine.get(f"/containers/json?all=1&filters={filters}")
            listed = _understood(*found, environ)
            seen = [_inspected(engine, entry["Id"], environ) for entry in _list(listed)]
            states = [one for one in seen if one is not None]
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as exc:
            raise EngineError(
                "The container engine's answer is not understood.",
                why="It has not the shape of Docker's API.",
                evidence=f"{type(exc).__name__}: {exc}"[:200],
                next_step="docker version",
            ) from exc
    return tuple(sorted(states, key=lambda state: state.name))


def _inspected(
    engine: Wire, container_id: str, environ: Mapping[str, str]
) -> ContainerState | None:
    """Return what is known of a container, None where it went between two questions."""
    if not _ID.fullmatch(container_id):
        raise TypeError(container_id)
    status, body = engine.get(f"/containers/{container_id}/json")
    return None if status == GONE else _state(_understood(status, body, environ))


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _understood(status: int, body: bytes, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    if status != OK:
        said = f"It answered {status}: {body.decode(errors='replace').strip()}"
        raise unreachable(said, environ)
    return json.loads(body)


def _state(raw: dict[str, Any]) -> ContainerState:
    labels = raw["Config"].get("Labels") or {}
    state = raw["State"]
    bindings = (raw.get("NetworkSettings") or {}).get("Ports") or {}
    return ContainerState(
        container_id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        stack=labels.get(STACK_LABEL, ""),
        owner=labels.get(OWNER_LABEL, ""),
        boards=tuple(part for part in labels.get(BOARDS_LABEL, "").split(",") if part),
        service=labels.get(SERVICE_LABEL, ""),
        image=raw["Config"].get("Image", ""),
        config_hash=labels.get(CONFIG_LABEL, ""),
        state=state["Status"],
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=int(state.get("ExitCode") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        started_at=state.get("StartedAt", ""),
        ports=tuple(
            (bound["HostIp"], int(bound["HostPort"]), int(port.partition("/")[0]))
            for port, bounds in sorted(bindings.items())
            for bound in bounds or ()
        ),
    )
