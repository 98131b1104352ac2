# SPDX-License-Identifier: Apache-2.0
"""May the user of a container open the device nodes, and by which group? Pure.

Not yet run on a card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.rules.host_steps import CONTAINER_UID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.health import NodeVitals

BOTH = 0o6
"""Read and write."""

DROPS_GROUPS = frozenset({"vllm-legacy", "multihost"})
"""Contracts whose images start as root and become another user, whose number their build decides.

That user gets the groups that it has in the image, and none that the container was given.
Source: tenstorrent/tt-inference-server:docker-entrypoint.sh@v0.9.0, gosu
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Who opens the nodes inside of a container."""

    uid: int | None
    """None where only the image knows; its group has the same number."""
    keeps_groups: bool


def opener_of(contract: str, *, uid: int = CONTAINER_UID) -> Opener:
    """Return who opens the nodes.

    Args:
        contract: Its name.
        uid: The server's user, where the image says it.
    """
    if contract in DROPS_GROUPS:
        return Opener(uid=None, keeps_groups=False)
    return Opener(uid=uid, keeps_groups=True)


def groups_to_add(nodes: Iterable[NodeVitals], who: Opener) -> tuple[str, ...]:
    """Return the groups that a container needs for its nodes; none that would not help."""
    by_group = (node for node in nodes if not _opens(node, who) and _opens_by_group(node, who))
    return tuple(sorted({str(node.gid) for node in by_group}))


def refused_nodes(nodes: Iterable[NodeVitals], who: Opener) -> tuple[NodeVitals, ...]:
    """Return the nodes that stay closed, whatever groups the container is given."""
    return tuple(
        node for node in nodes if not (_opens(node, who) or _opens_by_group(node, who))
    )  # fmt: skip


def group_is_lost(node: NodeVitals, who: Opener) -> bool:
    """Return whether a node's group would open it, and the image drops that group."""
    return not who.keeps_groups and node.mode >> 3 & BOTH == BOTH


def _opens(node: NodeVitals, who: Opener) -> bool:
    """Return whether a node is open without further groups: the kernel asks owner, group, rest."""
    bits = node.mode
    if node.uid == who.uid:
        bits >>= 6
    elif node.gid == who.uid:
        bits >>= 3
    return bits & BOTH == BOTH


def _opens_by_group(node: NodeVitals, who: Opener) -> bool:
    return who.keeps_groups and node.uid != who.uid and node.mode >> 3 & BOTH == BOTH
