# SPDX-License-Identifier: Apache-2.0
"""Which texts did a lock give its folder, on the machine and the boards of the last start?

The boards, their groups and the user's override stand in compose.yaml alone; how many nodes there
are and whether hugepages are mounted is told in other files, too. Neither is in the lock, so each
machine that may have been is tried, and the lock's hash over all files says which one it was.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from ttctl.model.contract import LaunchHost
from ttctl.operations.desire_again import on_host
from ttctl.operations.render_folder import Files, hash_of_recipe_files
from ttctl.rules.place_variables import NODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

COMPOSE = "compose.yaml"
AT_START = ("dev.ttctl.config-hash", "dev.ttctl.boards")
"""Labels in it that hold another value after each choice of boards."""
_NODE_USED = re.compile(rf"\$\{{({NODE}[0-9]+):")

Texts = dict[str, str]


def recipe_hash(texts: Mapping[str, str]) -> str:
    """Return the hash that a lock keeps of these files."""
    return hash_of_recipe_files({path: (text, False) for path, text in texts.items()})


def nodes_used(compose: str) -> frozenset[str]:
    """Return the variables of device nodes that a compose file reads."""
    return frozenset(_NODE_USED.findall(compose))


def as_written(world: World, desired: Desired, found: Texts, sha256: str) -> Texts:
    """Return the texts of a folder in which a file was changed, as they were.

    Where compose.yaml is not the changed one, it is returned as it was found.

    Args:
        world: Everything outside.
        desired: What the lock means.
        found: The folder's texts, a changed one among them.
        sha256: The lock's hash over all of them.
    """
    tried: list[Texts] = []
    for files in _renderings(world, desired, found):
        texts = {path: text for path, (text, _) in files.items()}
        kept = {**texts, COMPOSE: found.get(COMPOSE, "")}
        if recipe_hash(kept) == sha256:
            return kept
        tried.append(texts)
    return min(tried, key=lambda texts: _others(texts, found))


def line_of_compose(found: str, wanted: str) -> int:
    """Return the one line in which compose.yaml is another, 0 where that is not known."""
    one, other = found.split("\n"), wanted.split("\n")
    if len(one) != len(other):
        return 0
    pairs = enumerate(zip(one, other, strict=True), start=1)
    changed = [number for number, (a, b) in pairs if a != b and not _at_start(a, b)]
    return changed[0] if len(changed) == 1 else 0


def _renderings(world: World, desired: Desired, found: Texts) -> Iterator[Files]:
    """Yield the folder for each machine that may have been; on the processor all are alike."""
    yield desired.files
    if desired.spec.pins is None:
        return
    told = {len(nodes_used(found.get(COMPOSE, ""))), found.get(".env", "").count(f"\n{NODE}")}
    for nodes, hugepages in product((None, *sorted(told)), (True, False)):
        yield on_host(world, desired, LaunchHost(nodes=nodes, hugepages=hugepages)).files


def _others(texts: Texts, found: Texts) -> int:
    """Return how many files beside compose.yaml differ."""
    paths = {*texts, *found} - {COMPOSE, ".env"}
    return sum(texts.get(path) != found.get(path) for path in paths)


def _at_start(one: str, other: str) -> bool:
    return any(label in one and label in other for label in AT_START)
