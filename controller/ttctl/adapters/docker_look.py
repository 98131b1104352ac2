# SPDX-License-Identifier: Apache-2.0
"""Which containers are ours, and how are they? Asked through docker's own command line.

Its contexts, TLS and ssh come with it, and two calls of it take less time than Python takes to
load docker's library (lessons/decisions/0015).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ttctl.adapters.docker_errors import no_such_context, unreachable
from ttctl.adapters.process import run
from ttctl.errors import EngineError, WaitError
from ttctl.model.service import (
    CONFIG_LABEL,
    OWNER_LABEL,
    SERVICE_LABEL,
    STACK_LABEL,
    ContainerState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ttctl.errors import TtctlError

ANSWER_S = 20
PROJECT_LABEL = "com.docker.compose.project"
_ID = re.compile(r"[0-9a-f]{64}")
_GONE = "no such container"
"""What docker says of a container that ended between the two calls."""


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
    filters = [f"--filter=label={label}" for label in labels]
    listed, failed = _said(environ, ["ps", "--all", "--no-trunc", "--format={{.ID}}", *filters])
    if failed:
        raise _refusal(environ, listed)
    ids = [line for line in listed if _ID.fullmatch(line)]
    found = _inspected(environ, ids) if ids else []
    return tuple(sorted(found, key=lambda state: state.name))


def _inspected(environ: Mapping[str, str], ids: Sequence[str]) -> list[ContainerState]:
    command = ["inspect", "--type=container", "--format={{json .}}", *ids]
    lines, failed = _said(environ, command)
    others = [line for line in lines if line and not line.startswith("{")]
    others = [line for line in others if _GONE not in line.casefold()]
    if failed and others:
        raise _refusal(environ, others)
    try:
        return [_state(json.loads(line)) for line in lines if line.startswith("{")]
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise EngineError(
            "The container engine's answer is not understood.",
            why="What `docker inspect` prints has another shape.",
            evidence=f"{type(exc).__name__}: {exc}"[:200],
            next_step="docker version",
        ) from exc


def _said(environ: Mapping[str, str], arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Return what docker printed, and whether it failed."""
    lines: list[str] = []
    try:
        done = run(
            ["docker", *arguments], timeout_s=ANSWER_S, on_line=lines.append, environ=environ
        )
    except WaitError as exc:
        said = " ".join(lines) or "the engine took the question and did not answer"
        raise unreachable(f"{said}; waited {ANSWER_S} s") from exc
    return lines, done.returncode != 0


def _refusal(environ: Mapping[str, str], lines: Sequence[str]) -> TtctlError:
    said = "\n".join(line for line in lines if line)
    named = environ.get("DOCKER_CONTEXT")
    if named and not environ.get("DOCKER_HOST") and f'context "{named}"' in said:
        return no_such_context(named)
    return unreachable(said)


def _state(raw: dict[str, Any]) -> ContainerState:
    labels = raw["Config"].get("Labels") or {}
    state = raw["State"]
    bindings = (raw.get("NetworkSettings") or {}).get("Ports") or {}
    return ContainerState(
        container_id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        stack=labels.get(STACK_LABEL, ""),
        owner=labels.get(OWNER_LABEL, ""),
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
