# SPDX-License-Identifier: Apache-2.0
"""How is a running container held in, and what can it reach? As the engine says, by `inspect`.

Source: https://docs.docker.com/reference/api/engine/version/v1.43/#operation/ContainerInspect
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ttctl.adapters.docker_wire import wire
from ttctl.errors import EngineError
from ttctl.model.acceptance_kit import Seen
from ttctl.model.container import FINGERPRINT_LABEL, SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = 200
STOP_S = 10
"""The engine's own time to stop, where a container names none."""
NO_LIMIT = -1


def seen(environ: Mapping[str, str], container_id: str) -> Seen:
    """Look at a container.

    Raises:
        EngineError: No engine answers, or not in its shape, or the container is gone.
    """
    with wire(environ) as engine:
        try:
            container = _understood(*engine.get(f"/containers/{container_id}/json"))
            image = _understood(*engine.get(f"/images/{container['Image']}/json"))
            return seen_in(container, image)
        except (KeyError, TypeError, AttributeError, IndexError, json.JSONDecodeError) as exc:
            raise EngineError(
                "What the container engine says of a container is not understood.",
                why="It has not the shape of Docker's API, or the container is gone.",
                evidence=f"{type(exc).__name__}: {exc}"[:200],
                next_step="ttctl ps",
            ) from exc


def seen_in(container: dict[str, Any], image: dict[str, Any]) -> Seen:
    """Return what `inspect` says of a container and of its image."""
    host, config = container["HostConfig"], container["Config"]
    labels = config.get("Labels") or {}
    stop = config.get("StopTimeout")
    return Seen(
        service=labels.get(SERVICE_LABEL, ""),
        image=config["Image"],
        digests=_digests(container, image),
        fingerprint=labels.get(FINGERPRINT_LABEL, ""),
        user=config.get("User", ""),
        read_only=bool(host.get("ReadonlyRootfs")),
        privileged=bool(host.get("Privileged")),
        cap_drop=_capabilities(host.get("CapDrop")),
        cap_add=_capabilities(host.get("CapAdd")),
        security=_security(host.get("SecurityOpt")),
        ipc=host.get("IpcMode") or "private",
        shm_bytes=int(host.get("ShmSize") or 0),
        memory_bytes=int(host.get("Memory") or 0),
        swap_bytes=int(host.get("MemorySwap") or 0),
        pids=int(host.get("PidsLimit") or 0),
        memlock=any(
            one["Name"] == "memlock" and one["Hard"] == NO_LIMIT for one in host["Ulimits"] or ()
        ),
        groups=tuple(host.get("GroupAdd") or ()),
        nodes=_nodes(host),
        mounts=_mounts(container),
        scratch=tuple(sorted(host.get("Tmpfs") or {})),
        networks=tuple(sorted(container["NetworkSettings"].get("Networks") or {})),
        published=_published(host),
        restart=(host.get("RestartPolicy") or {}).get("Name") or "no",
        stop_s=STOP_S if stop is None else int(stop),
        labels=tuple(sorted(labels.items())),
    )


def _understood(status: int, body: bytes) -> dict[str, Any]:
    if status != OK:
        raise KeyError(status)
    match json.loads(body):
        case dict(found):
            return found
        case _:
            raise TypeError(body[:40])


def _digests(container: dict[str, Any], image: dict[str, Any]) -> tuple[str, ...]:
    pulled = (one.partition("@")[2] for one in image.get("RepoDigests") or ())
    return tuple(dict.fromkeys((*(one for one in pulled if one), container["Image"])))


def _capabilities(found: list[str] | None) -> tuple[str, ...]:
    return tuple(sorted(one.upper().removeprefix("CAP_") for one in found or ()))


def _security(found: list[str] | None) -> tuple[str, ...]:
    # Engines differ in whether they keep `:true`.
    same = {"no-new-privileges": "no-new-privileges:true"}
    return tuple(same.get(one, one.replace("=", ":", 1)) for one in found or ())


def _nodes(host: dict[str, Any]) -> tuple[str, ...]:
    devices = host.get("Devices") or ()
    return tuple(sorted(f"{one['PathOnHost']}:{one['PathInContainer']}" for one in devices))


def _mounts(container: dict[str, Any]) -> tuple[tuple[str, str, bool], ...]:
    found = (
        (one.get("Source", ""), one["Destination"], not one["RW"])
        for one in container.get("Mounts") or ()
        if one["Type"] != "tmpfs"
    )
    return tuple(sorted(found, key=lambda one: one[1]))


def _published(host: dict[str, Any]) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        sorted(
            (bound["HostIp"], int(bound["HostPort"]), int(port.partition("/")[0]))
            for port, bounds in (host.get("PortBindings") or {}).items()
            for bound in bounds or ()
        )
    )
