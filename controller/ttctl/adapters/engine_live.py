# SPDX-License-Identifier: Apache-2.0
"""What our containers take and what happened to them, over one connection to the engine.

Source: https://docs.docker.com/reference/api/engine/, ContainerStats and SystemEvents.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ttctl.adapters.docker_look import GONE, OK, inspected, looking, state_of
from ttctl.model.container import OWNER_LABEL, SERVICE_LABEL, STACK_LABEL
from ttctl.model.live import EngineSeen, LiveEvent, MemoryUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.adapters.docker_wire import Wire
    from ttctl.model.container import ContainerState

HAPPENED = {
    "create": "created",
    "start": "started",
    "restart": "started again",
    "kill": "got a signal",
    "stop": "stopped",
    "die": "ended",
    "oom": "ran out of memory",
    "pause": "paused",
    "unpause": "goes on",
    "destroy": "removed",
    "health_status": "is",
}
"""What is told of containers, in our words. Each health check is an event of the engine, too."""
MOST_EVENTS = 256
"""As many as the engine keeps, those of every container and health check among them."""
UNMOVING = ("inactive_file", "total_inactive_file")
"""Cached files that are given back first; not counted, as `docker stats` has it.

Source: calculateMemUsageUnixNoCache of
https://github.com/docker/cli/blob/v28.2.2/cli/command/container/stats_helpers.go
"""


def engine_seen(environ: Mapping[str, str], *, owner: str, since: float, now: float) -> EngineSeen:
    """Return this state folder's containers, their memory, and what happened to them.

    Raises:
        EngineError: No engine answers, or not within its time.
        PrivilegeError: This user may not ask it.
        ToolMissingError: docker's command line is not installed.
    """
    with looking(environ) as engine:
        found = [state_of(raw) for raw in inspected(engine, environ, labels=[STACK_LABEL])]
        own = tuple(sorted((one for one in found if one.owner == owner), key=lambda one: one.name))
        memory = tuple(_memory(engine, own))
        happened = tuple(_events(engine, owner=owner, since=since, until=now))
    return EngineSeen(containers=own, memory=memory, events=happened)


def _memory(engine: Wire, containers: tuple[ContainerState, ...]) -> Iterator[MemoryUse]:
    for one in containers:
        if one.state != "running":
            continue
        # Without `one-shot` the engine waits a second, for the processor's rate.
        path = f"/containers/{one.container_id}/stats?stream=false&one-shot=true"
        status, body = engine.get(path)
        if status in {OK, GONE} and (use := _use(one.container_id, json.loads(body))):
            yield use


def _use(container_id: str, raw: Mapping[str, Any]) -> MemoryUse | None:
    """Return what a container takes; nothing where it has ended, or nobody counts."""
    stats = raw.get("memory_stats") or {}
    usage, limit = stats.get("usage"), stats.get("limit")
    if not isinstance(usage, int) or not isinstance(limit, int):
        return None
    counted = stats.get("stats") or {}
    unmoving = next((int(counted[name]) for name in UNMOVING if name in counted), 0)
    used = usage - unmoving if unmoving < usage else usage
    return MemoryUse(container_id=container_id, used_bytes=used, limit_bytes=limit)


def _events(engine: Wire, *, owner: str, since: float, until: float) -> Iterator[LiveEvent]:
    """Yield what happened, the oldest first.

    With an end that has passed, the engine answers at once and ends.
    """
    labels = [STACK_LABEL, f"{OWNER_LABEL}={owner}"]
    filters = {"type": ["container"], "label": labels, "event": sorted(HAPPENED)}
    asked = f"since={since:.6f}&until={until:.6f}&filters={quote(json.dumps(filters))}"
    status, body = engine.get(f"/events?{asked}")
    if status != OK:
        return
    for line in body.splitlines()[-MOST_EVENTS:]:
        raw = json.loads(line)
        words = raw["Actor"].get("Attributes") or {}
        action, _, detail = str(raw["Action"]).partition(":")
        yield LiveEvent(
            at=float(raw.get("timeNano") or 0) / 1e9 or float(raw["time"]),
            stack=str(words.get(STACK_LABEL, "")),
            service=str(words.get(SERVICE_LABEL, "")),
            text=_text(action, detail.strip(), words),
        )


def _text(action: str, detail: str, words: Mapping[str, Any]) -> str:
    said = HAPPENED.get(action, action)
    if action == "health_status":
        return f"{said} {detail}"
    if action == "die":
        return f"{said} with {words.get('exitCode', 'an unknown code')}"
    if action == "kill" and words.get("signal"):
        return f"{said}: {words['signal']}"
    return said
