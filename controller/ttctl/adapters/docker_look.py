# SPDX-License-Identifier: Apache-2.0
"""Which containers are ours, and how are they? Asked often, so docker's library stays out."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ttctl.adapters.docker_errors import unreachable
from ttctl.adapters.docker_wire import wire
from ttctl.errors import EngineError
from ttctl.model.container import (
    BOARDS_LABEL,
    CONFIG_LABEL,
    OWNER_LABEL,
    SERVICE_LABEL,
    STACK_LABEL,
    ContainerState,
    Project,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ttctl.adapters.docker_wire import Wire

OK = 200
GONE = 404
SAID = 200
"""Characters that are told of a health check."""
START_ERROR = 1000
"""Characters of why a start failed; what is the matter stands last."""
NEVER = "0001-01-01T00:00:00Z"
"""How an engine says that a container has not ended yet."""
PROJECT_LABEL = "com.docker.compose.project"
FOLDER_LABEL = "com.docker.compose.project.working_dir"
_ID = re.compile(r"[0-9a-f]{64}")


def containers(environ: Mapping[str, str], stack: str | None) -> tuple[ContainerState, ...]:
    """Return the containers that carry our labels, of one stack or of all, by name.

    Raises:
        EngineError: No engine answers, or not within its time.
        PrivilegeError: This user may not ask it.
        ToolMissingError: docker's command line is not installed.
    """
    with looking(environ) as engine:
        return _ours(engine, environ, stack)


def project(environ: Mapping[str, str], stack: str) -> Project:
    """Return what of one stack is here, and what compose has beside it under its name.

    A container that compose did not make is not beside it: compose takes none for its own by the
    project's name alone.

    Raises:
        EngineError: No engine answers, or not within its time.
        PrivilegeError: This user may not ask it.
        ToolMissingError: docker's command line is not installed.
    """
    filters = json.dumps({"label": [f"{PROJECT_LABEL}=ttctl-{stack}"]})
    with looking(environ) as engine:
        answer = engine.get(f"/containers/json?all=1&filters={quote(filters)}")
        beside = [
            (str(one["Names"][0]).lstrip("/"), one["Labels"][FOLDER_LABEL])
            for one in listed_in(understood(*answer, environ))
            if STACK_LABEL not in one["Labels"] and FOLDER_LABEL in one["Labels"]
        ]
        return Project(containers=_ours(engine, environ, stack), beside=tuple(sorted(beside)))


def _ours(
    engine: Wire, environ: Mapping[str, str], stack: str | None
) -> tuple[ContainerState, ...]:
    labels = [STACK_LABEL if stack is None else f"{STACK_LABEL}={stack}"]
    found = [
        state_of(raw)
        for raw in inspected(engine, environ, labels=labels)
        if stack is None or _is_of(stack, raw)
    ]
    return tuple(sorted(found, key=lambda state: state.name))


def _is_of(stack: str, raw: dict[str, Any]) -> bool:
    """Return whether compose made a container for this stack, or a `docker run` line of ttctl's.

    A container of an image that was committed from one of ours has our labels, too.
    """
    labels = raw["Config"].get("Labels") or {}
    project = labels.get(PROJECT_LABEL, "")
    if project:
        return bool(project == f"ttctl-{stack}")
    return bool(raw["Name"].lstrip("/") == f"ttctl-{stack}-{labels.get(SERVICE_LABEL, '')}-1")


@contextmanager
def looking(environ: Mapping[str, str]) -> Iterator[Wire]:
    """Ask the engine for the length of the block; what is not understood in it is its error.

    Raises:
        EngineError: No engine answers, or not within its time, or not in Docker's words.
        PrivilegeError: This user may not ask it.
        ToolMissingError: docker's command line is not installed.
    """
    with wire(environ) as engine:
        try:
            yield engine
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as exc:
            raise EngineError(
                "The container engine's answer is not understood.",
                why="It has not the shape of Docker's API.",
                evidence=f"{type(exc).__name__}: {exc}"[:200],
                next_step="docker version",
            ) from exc


def inspected(
    engine: Wire, environ: Mapping[str, str], *, labels: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield everything that is known of each container, ended ones too.

    One that goes between two questions is left out.
    """
    filters = f"&filters={quote(json.dumps({'label': labels}))}" if labels else ""
    listed = understood(*engine.get(f"/containers/json?all=1{filters}"), environ)
    for entry in listed_in(listed):
        if not _ID.fullmatch(entry["Id"]):
            raise TypeError(entry)
        status, body = engine.get(f"/containers/{entry['Id']}/json")
        if status != GONE:
            yield understood(status, body, environ)


def listed_in(value: object) -> list[Any]:
    """Return a list, or raise what `looking` makes an error of."""
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def understood(status: int, body: bytes, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return what an answer says.

    Raises:
        EngineError: The engine refused.
    """
    if status != OK:
        said = f"It answered {status}: {body.decode(errors='replace').strip()}"
        raise unreachable(said, environ)
    return json.loads(body)


def state_of(raw: dict[str, Any]) -> ContainerState:
    """Return a container as the engine tells of it."""
    labels = raw["Config"].get("Labels") or {}
    state = raw["State"]
    ended = state.get("FinishedAt") or ""
    health = state.get("Health") or {}
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
        health=health.get("Status", ""),
        check_said=_check_said(health),
        exit_code=int(state.get("ExitCode") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        started_at=state.get("StartedAt", ""),
        finished_at="" if ended == NEVER else ended,
        ports=tuple(
            (bound["HostIp"], int(bound["HostPort"]), int(port.partition("/")[0]))
            for port, bounds in sorted(bindings.items())
            for bound in bounds or ()
        ),
        start_error=_start_error(state),
        restarts=int(raw.get("RestartCount") or 0),
        composed=bool(labels.get(PROJECT_LABEL)),
        networks=tuple(sorted((raw.get("NetworkSettings") or {}).get("Networks") or {})),
        memory_bytes=int((raw.get("HostConfig") or {}).get("Memory") or 0),
    )


def _start_error(state: dict[str, Any]) -> str:
    """Return why the engine could not start it; of a dead one it tells why it was not removed."""
    told = "" if state["Status"] in {"dead", "removing"} else str(state.get("Error") or "")
    return told.strip()[-START_ERROR:]


def _check_said(health: dict[str, Any]) -> str:
    """Return the last line of a failed check; how it ended, where it said nothing."""
    checks = health.get("Log") or ()
    if health.get("Status") != "unhealthy" or not checks:
        return ""
    lines = str(checks[-1].get("Output") or "").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return said[:SAID] or f"exit code {checks[-1].get('ExitCode', '?')}, without a word"
