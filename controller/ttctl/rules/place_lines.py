# SPDX-License-Identifier: Apache-2.0
"""Is what a start wrote into a .env file of the form that a start writes? Pure.

The number of a node changes with a reset, so it alone is free: its two sides are one number, each
node is there once, and all of them and the hugepages lie under one folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.rules.dotenv import HEADER
from ttctl.rules.place_variables import NODE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

HUGEPAGES = "TTCTL_HUGEPAGES"
_NODE = re.compile(
    r"(?P<name>TTCTL_NODE_[0-9]+)='(?P<root>(?:/[^':]+)?)/dev/tenstorrent/(?P<at>0|[1-9][0-9]*)"
    r":/dev/tenstorrent/(?P=at)'"
)
_PAGES = re.compile(r"(?P<name>TTCTL_HUGEPAGES)='(?P<root>(?:/[^']+)?)/dev/hugepages-1G'")


def as_started(found: str, wanted: str, names: Collection[str]) -> str:
    """Return the .env file that was written, with what a start may have put in it.

    Args:
        found: The file's text.
        wanted: What is rendered while no board is chosen.
        names: Variables of the nodes that the stack opens.
    """
    if not names:
        return wanted
    lines = {name: line for name, line in _named(wanted) if not name.startswith(NODE)}
    lines |= dict.fromkeys(names, "") | dict(_sound(found.split("\n"), {*names, HUGEPAGES}))
    return HEADER + "".join(f"{lines[name]}\n" for name in sorted(lines))


def _named(text: str) -> Iterator[tuple[str, str]]:
    for line in text.removeprefix(HEADER).rstrip("\n").split("\n"):
        yield line.partition("=")[0], line


def _sound(lines: Iterable[str], names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines that a start writes; a second one of a node, or elsewhere, is none."""
    matches = [one for line in lines if (one := _NODE.fullmatch(line) or _PAGES.fullmatch(line))]
    nodes: set[str] = set()
    for match in matches:
        is_pages = match["name"] == HUGEPAGES
        if match["name"] not in names or match["root"] != matches[-1]["root"]:
            continue
        if is_pages or match["at"] not in nodes:
            yield match["name"], match[0]
        nodes |= set() if is_pages else {match["at"]}
