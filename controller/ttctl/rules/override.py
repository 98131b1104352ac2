# SPDX-License-Identifier: Apache-2.0
"""What does a user's compose.override.yaml change, and what does it open that was shut? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.override import OVERRIDE_NAME, Override
from ttctl.rules import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.model.service import Stack

_WHOLE = {
    "/dev": "every device of this machine",
    "/dev/tenstorrent": "every card, those of other stacks too: two that open one card hang both",
    "/var/run/docker.sock": "the container engine, and so this machine",
    "/run/docker.sock": "the container engine, and so this machine",
    "/": "every file of this machine",
}
_HOST = ("pid", "network_mode", "userns_mode", "uts")
_LOOPBACK = ("127.", "::1", "[::1]", "localhost", "${TTCTL_BIND")


def override_of(path: str, values: Mapping[str, object]) -> Override:
    """Return what a file says, given its values."""
    services = _mapping(values.get("services"))
    rest = {key: value for key, value in values.items() if key not in {"services", "version"}}
    return Override(
        path=path,
        services=tuple(
            (name, fingerprint.sha256_text(repr((body, rest)))) for name, body in services.items()
        ),
        warnings=tuple(
            f"{OVERRIDE_NAME} {found} ({name})"
            for name, body in services.items()
            for found in _opened(_mapping(body))
        ),
    )


def laid_over(stack: Stack, override: Override | None) -> Stack:
    """Return the stack whose containers are recreated when what is laid over them changes."""
    if override is None:
        return stack
    known = dict(override.services)
    services = tuple(
        replace(one, inputs=(*one.inputs, (OVERRIDE_NAME, known[one.name])))
        if one.name in known
        else one
        for one in stack.services
    )
    return replace(stack, services=services)


def _opened(body: Mapping[str, object]) -> Iterator[str]:
    if body.get("privileged") not in (None, False):
        yield "makes a container privileged: it can open every device and change this machine"
    if "ALL" in {str(one).upper() for one in _list(body.get("cap_add"))}:
        yield "gives a container every capability"
    yield from (
        f"shares the host's own {key.partition('_')[0]} with a container"
        for key in _HOST
        if body.get(key) == "host"
    )
    sources = (_source(one) for key in ("devices", "volumes") for one in _list(body.get(key)))
    yield from (f"passes {source}: {_WHOLE[source]}" for source in sources if source in _WHOLE)
    yield from (
        f"publishes a port on every address: {_shown(one)}"
        for one in _list(body.get("ports"))
        if not _is_loopback(one)
    )


def _source(one: object) -> str:
    named = _mapping(one).get("source") if isinstance(one, dict) else str(one).partition(":")[0]
    text = str(named)
    return text.rstrip("/") or text[:1]


def _is_loopback(port: object) -> bool:
    if isinstance(port, dict):
        return str(port.get("host_ip", "")).startswith(_LOOPBACK)
    text = str(port)
    # One number is a port of the container, which compose publishes on every address, too.
    return text.startswith(_LOOPBACK)


def _shown(port: object) -> str:
    return str(port.get("published", port.get("target"))) if isinstance(port, dict) else str(port)


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {str(key): one for key, one in value.items()}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
