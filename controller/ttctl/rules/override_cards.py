# SPDX-License-Identifier: Apache-2.0
"""What of a user's override opens cards past the leases of their boards? Pure."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FOLDER = re.compile(r"(?:.*/)?dev/tenstorrent")
_NODE = re.compile(r"(?:.*/)?dev/tenstorrent/.+")
"""Also below the root of a tree that stands for a machine's own."""
_DEVICES, _VOLUMES = "devices", "volumes"


def nodes(body: Mapping[str, object]) -> Iterator[str]:
    """Yield which device nodes of boards a service's part of the file opens."""
    for key in (_DEVICES, _VOLUMES):
        for one in listed(body.get(key)):
            path = next(filter(_NODE.fullmatch, _paths(key, one)), "")
            if path:
                yield f"opens {path}, a node that no lease knows of"


def numbers(told: Iterable[str]) -> tuple[str, ...]:
    """Return the numbers of the nodes that `nodes` told of, as `--board` takes them."""
    found = (re.search(r"/dev/tenstorrent/(\d+),", one) for one in told)
    return tuple(dict.fromkeys(one[1] for one in found if one))


def every_card(body: Mapping[str, object]) -> Iterator[str]:
    """Yield what of a service's part opens every card there is, or one that is not told."""
    if body.get("privileged") not in (None, False):
        yield "makes a container privileged: it can open every device and change this machine"
    for key in (_DEVICES, _VOLUMES):
        for one in listed(body.get(key)):
            paths = _paths(key, one)
            if "/dev" in paths:
                yield "passes /dev: every device of this machine"
            elif path := next(filter(_FOLDER.fullmatch, paths), ""):
                yield f"passes {path}: every card, those of other stacks too: {_HANG}"
            elif key == _DEVICES and any("$" in path for path in paths):
                yield "passes a device that a variable names: it may be a card"


_HANG = "two that open one card hang both"


def _paths(key: str, one: object) -> tuple[str, ...]:
    """Return an entry's source, and of a device its name inside, too: a link may lead there."""
    if isinstance(one, dict):
        told = [str(one.get("source", "")), str(one.get("target", ""))]
    else:
        told = str(one).split(":")[:2]
    kept = told if key == _DEVICES else told[:1]
    return tuple(posixpath.normpath(path) for path in kept if path)


def listed(value: object) -> list[object]:
    """Return a value of the file as a list: what is none holds nothing."""
    return list(value) if isinstance(value, list) else []
