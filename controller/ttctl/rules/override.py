# SPDX-License-Identifier: Apache-2.0
"""What does a user's compose.override.yaml change, and what does it open that was shut? Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.override import OVERRIDE_NAME, Override
from ttctl.rules import fingerprint
from ttctl.rules.override_boards import on_boards
from ttctl.rules.override_cards import every_card, listed, nodes
from ttctl.rules.override_images import image_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ttctl.model.service import Stack

    Rule = Callable[[Mapping[str, object]], Iterator[str]]

_WHOLE = {
    "/var/run/docker.sock": "the container engine, and so this machine",
    "/run/docker.sock": "the container engine, and so this machine",
    "/": "every file of this machine",
}
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
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
        warnings=_said(services, every_card, nodes, _opened),
        nodes=_said(services, nodes),
        every_card=_said(services, every_card),
        images=tuple(
            (name, image) for name, body in services.items() if (image := image_of(_mapping(body)))
        ),
        keys=(
            *((_word(name), tuple(map(_word, _mapping(body)))) for name, body in services.items()),
            *((("", tuple(map(_word, rest))),) if rest else ()),
        ),
        on_boards=tuple(
            (name, f"{OVERRIDE_NAME} {found} ({name})")
            for name, body in services.items()
            for found in on_boards(_mapping(body))
        ),
    )


def _said(services: Mapping[str, object], *rules: Rule) -> tuple[str, ...]:
    return tuple(
        f"{OVERRIDE_NAME} {found} ({name})"
        for name, body in services.items()
        for rule in rules
        for found in rule(_mapping(body))
    )


def judged(stack: Stack, override: Override | None) -> Override | None:
    """Return the override with what it does to the boards that the stack's services have."""
    if override is None:
        return None
    have = {service.name for service in stack.services if service.nodes}
    more = tuple(said for name, said in override.on_boards if name in have)
    return replace(override, warnings=(*override.warnings, *more), on_boards=())


def not_carried(override: Override) -> str:
    """Return what of an override no script and no unit has; empty where it says nothing."""
    said = (f"{name or 'beside the services'}: {', '.join(keys)}" for name, keys in override.keys)
    return "; ".join(said)


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
    if "ALL" in {str(one).upper() for one in listed(body.get("cap_add"))}:
        yield "gives a container every capability"
    yield from (
        f"shares the host's own {key.partition('_')[0]} with a container"
        for key in _HOST
        if body.get(key) == "host"
    )
    sources = (_source(one) for key in ("devices", "volumes") for one in listed(body.get(key)))
    yield from (f"passes {source}: {_WHOLE[source]}" for source in sources if source in _WHOLE)
    yield from (
        f"publishes a port on every address: {_shown(one)}"
        for one in listed(body.get("ports"))
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


def _word(key: str) -> str:
    """Return a key as it may be shown in a page and on a terminal."""
    return key if _KEY.fullmatch(key) else "(a key that compose does not know)"


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {str(key): one for key, one in value.items()}
