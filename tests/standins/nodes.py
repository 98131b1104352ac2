# SPDX-License-Identifier: Apache-2.0
"""Makes the device nodes of a made-up machine: real character devices that no driver answers for.

A container that may open one hears `ENXIO`; one that may not hears `EPERM`. So it is seen whether
the engine let a container at its own nodes and at no other, without a card.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.machines import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

MAJORS = (*range(240, 255), *range(120, 128), *range(60, 64))
"""For local and experimental use: no driver has one that is not in /proc/devices, and no engine
lets a container at one by itself.

Source: linux:Documentation/admin-guide/devices.txt.
"""
as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="waits for root: only root makes device files and mounts disks"
)
"""For a test that makes device files, or a disk of its own."""
_MINORS: Iterator[int] = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeNodes:
    """The nodes of one machine."""

    root: Path
    """What stands for `/`: `sys`, `proc` and `dev` as machines.py writes them."""
    major: int
    paths: tuple[Path, ...]
    """`ROOT/dev/tenstorrent/N`, by number."""

    @property
    def folder(self) -> Path:
        return self.root / "dev/tenstorrent"

    def minors(self) -> tuple[int, ...]:
        return tuple(os.minor(path.stat().st_rdev) for path in self.paths)

    def device(self, number: int) -> str:
        """Return a node as `docker run --device` wants it, under its name inside."""
        path = self.folder / str(number)
        return f"{path}:/dev/tenstorrent/{number}"


def made_nodes(root: Path, device: str, *, mode: int = 0o666, first: int = 0) -> MadeNodes:
    """Write a machine's files with real nodes in the place of the empty ones.

    Args:
        root: The folder that stands for `/`.
        device: A kind of `machines.KINDS`.
        mode: Permissions of the nodes; the driver's own rule gives everybody both.
        first: Number of the first node.
    """
    tree(root, device, first=first)
    folder = root / "dev/tenstorrent"
    major = free_major()
    paths = sorted(folder.iterdir(), key=lambda path: int(path.name))
    for path in paths:
        # Minors are of this process alone, so that nodes of two machines are never the same one.
        device_file(path, major, next(_MINORS), mode=mode)
    return MadeNodes(root=root, major=major, paths=tuple(paths))


def device_file(path: Path, major: int, minor: int, *, mode: int = 0o666) -> None:
    """Put a character device in the place of whatever lies at `path`."""
    path.unlink(missing_ok=True)
    os.mknod(path, stat.S_IFCHR | mode, os.makedev(major, minor))
    path.chmod(mode)


def free_major() -> int:
    """Return a number that no driver of this machine has."""
    text = Path("/proc/devices").read_text(encoding="utf-8").partition("Block")[0]
    taken = {int(number) for number in re.findall(r"^\s*(\d+) ", text, re.MULTILINE)}
    return next(major for major in MAJORS if major not in taken)
