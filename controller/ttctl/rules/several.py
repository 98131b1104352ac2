# SPDX-License-Identifier: Apache-2.0
"""How do several engines share a stack: one door, and variables of their own? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.service import Card, Mount, Network, ServiceSpec, Stack

WEIGHTS = "TTCTL_WEIGHTS"
"""The variable of the .env file that says where the weights of a stack's own engine lie."""
CACHE = "TTCTL_CACHE"
"""The variable that says where the cache of a stack's own engine on boards lies."""
LAUNCH = "launch"
"""The folder that such an engine reads its files from."""


def weights_variable(service: str) -> str:
    """Return the variable for the weights of an engine beside the stack's own."""
    return f"TTCTL_{service.upper().replace('-', '_')}_WEIGHTS"


def cache_variable(service: str) -> str:
    """Return the variable for the cache of an engine beside the stack's own."""
    return f"TTCTL_{service.upper().replace('-', '_')}_CACHE"


def kind_of(name: str) -> str:
    """Return the variable of a stack with one engine that has this one's meaning."""
    ends = {"_WEIGHTS": WEIGHTS, "_CACHE": CACHE}
    found = (plain for end, plain in ends.items() if name.endswith(end))
    return next(found, name) if name.startswith("TTCTL_") else name


def renamed(text: str, service: str) -> str:
    """Return a text with the variables of an engine beside the stack's own; empty for its own."""
    if not service:
        return text
    plain = text.replace(WEIGHTS, weights_variable(service))
    return plain.replace(CACHE, cache_variable(service))


def launch_path(path: str, service: str) -> str:
    """Return where a file of an engine beside the stack's own lies in the rendered folder."""
    folder, slash, rest = path.partition("/")
    return f"{LAUNCH}-{service}{slash}{rest}" if folder == LAUNCH else path


def beside_service(
    engine: ServiceSpec, *, name: str, first_node: int = 0, card: Card | None = None
) -> ServiceSpec:
    """Return an engine's container as one beside the stack's own, under another name.

    Args:
        engine: As it would be in a stack of its own.
        name: Of its container.
        first_node: How many nodes the engines before it open.
        card: What it says of itself, on boards.
    """
    mounts = tuple(_renamed(one, name) for one in engine.mounts)
    inputs = tuple((launch_path(path, name), text) for path, text in engine.inputs)
    return replace(
        engine, name=name, mounts=mounts, inputs=inputs, first_node=first_node, card=card
    )


def together(
    own: Stack,
    beside: Sequence[ServiceSpec],
    *,
    door: ServiceSpec,
    networks: Iterable[Network] = (),
) -> Stack:
    """Return a stack with further services behind one door.

    Args:
        own: The stack as it would be without them.
        beside: Containers of the further services.
        door: The gateway that knows them all, in place of the stack's.
        networks: Those of the further services.
    """
    engines = tuple(one for one in own.services if one.name != door.name)
    every = {one.name: one for one in (*own.networks, *networks)}
    return replace(own, services=(*engines, *beside, door), networks=tuple(every.values()))


def _renamed(mount: Mount, service: str) -> Mount:
    if not mount.source.startswith("./"):
        return replace(mount, source=renamed(mount.source, service))
    return replace(mount, source=f"./{launch_path(mount.source[2:], service)}")
