# SPDX-License-Identifier: Apache-2.0
"""Who has a card's node open? From procfs, so that it also works while a job runs.

Source: https://github.com/tenstorrent/tt-kmd/blob/4af71921ac021e24859ae15d8438997a44dbbf58/enumerate.c,
pids_proc_show: one line for each open file, 0 for a process outside the reader's PID namespace.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ttctl.adapters.tree import NODES, bytes_of, device_of, names_in, number_in, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OUTSIDE = "0"
"""What the driver writes for a process that is not to be seen from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who has one node open, as far as that can be seen."""

    holders: tuple[str, ...]
    """`pid 12 (python3)`."""
    complete: bool
    """Whether nobody else can have it open."""


@dataclass(slots=True)
class _Opened:
    """What the processes' own folders show."""

    pids: dict[str, set[str]] = field(default_factory=dict)
    blind: bool = False
    """Whether a process, or all of them, could not be looked into."""


def holders(root: Path, numbers: Sequence[str]) -> dict[str, Held]:
    """Return who has each node open, by the node's number.

    The driver's own list has every process of every user; where it cannot be read, what other
    users have open may stay unseen.
    """
    if not numbers:
        return {}
    opened = _opened(root)
    return {number: _held(root, number, opened) for number in numbers}


def _held(root: Path, number: str, opened: _Opened) -> Held:
    listed = _listed(root / "proc/driver/tenstorrent" / number / "pids")
    pids = {*(listed or ()), *opened.pids.get(number, ())}
    known = sorted((pid for pid in pids if number_in(pid)), key=int)
    named = [f"pid {pid} ({word_of(root / 'proc' / pid / 'comm') or 'unknown'})" for pid in known]
    if OUTSIDE in pids:
        named.append("a process outside this container")
    return Held(holders=tuple(named), complete=listed is not None or not opened.blind)


def _listed(path: Path) -> set[str] | None:
    """Return what the driver lists, None where it cannot be read."""
    try:
        return set(bytes_of(path).decode("utf-8", errors="replace").split())
    except OSError:
        return None


def _opened(root: Path) -> _Opened:
    """Look at every process's open files."""
    found = _Opened()
    devices = _devices(root)
    processes = [name for name in names_in(root / "proc") if number_in(name)]
    found.blind = not processes
    for pid in processes:
        folder = root / "proc" / pid / "fd"
        try:
            files = os.listdir(folder)  # noqa: PTH208 - a thousand processes, names only
        except FileNotFoundError:
            # It ended in the meantime.
            continue
        except OSError:
            found.blind = True
            continue
        for name in files:
            if number := _node(root, folder / name, devices):
                found.pids.setdefault(number, set()).add(pid)
    return found


def _devices(root: Path) -> dict[tuple[int, int], str]:
    """Return the numbers of the nodes by those of their devices."""
    numbers = (name for name in names_in(root / NODES) if name.isdecimal())
    told = ((device_of(root / NODES / name), name) for name in numbers)
    return {device: name for device, name in told if device is not None}


def _node(root: Path, link: Path, devices: dict[tuple[int, int], str]) -> str:
    """Return the number of the node that an open file is, empty where it is none.

    In a container a node can have another's name, so its device's own number decides.
    """
    try:
        target = os.readlink(link)  # noqa: PTH115 - as above
    except OSError:
        return ""
    if not target.startswith(("/dev/", f"{root / 'dev'}/")):
        return ""
    device = device_of(link)
    if device in devices:
        return devices[device]
    for prefix in (f"/{NODES}/", f"{root / NODES}/"):
        number = target.removeprefix(prefix)
        if number != target and number.isdecimal():
            return number
    return ""
