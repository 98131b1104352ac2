# SPDX-License-Identifier: Apache-2.0
"""A disk with room for any entry of the catalog, whatever the machine of a test has left."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FREE = 1 << 40
"""Bytes; four times what any entry demands. Only what is written is taken, and of memory."""
LIMIT_S = 20


@contextmanager
def roomy(folder: Path) -> Iterator[Path]:
    """Mount a disk of its own on a folder, which is made; needs root, as device files do."""
    folder.mkdir()
    options = f"size={FREE},mode=0755"
    _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    try:
        yield folder
    finally:
        # Lazily: a container that is going may still hold it.
        _run("umount", "--lazy", str(folder))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=LIMIT_S)
