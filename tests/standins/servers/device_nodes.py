# SPDX-License-Identifier: Apache-2.0
"""Opens every device node that the container sees, and says what the kernel answered.

A made-up node has no driver: `ENXIO` means that the container may open it, `EPERM` that the engine
gave it to another.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

NODES = Path("/dev/tenstorrent")


def opened(folder: Path = NODES) -> list[dict[str, object]]:
    """Return each node with what came of opening it, in the order of their numbers."""
    found = [path for path in folder.glob("*") if path.name.isdigit()]
    return [_tried(path) for path in sorted(found, key=lambda path: int(path.name))]


def _tried(path: Path) -> dict[str, object]:
    device = path.stat().st_rdev
    seen: dict[str, object] = {"path": str(path), "minor": os.minor(device)}
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as exc:
        word = errno.errorcode.get(exc.errno or 0, str(exc.errno))
        return {**seen, "opened": False, "error": word, "own": word == "ENXIO"}
    return {**seen, "opened": True, "error": "", "own": True}
