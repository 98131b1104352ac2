# SPDX-License-Identifier: Apache-2.0
"""What a command does that fetches weights and holds no stack, for others that watch.

Each has a folder of its own, as a stack has, while it goes on; what a kill left is swept by the
next one.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.doing import LOCK, doing_in
from ttctl.adapters.kernel_lock import held, holders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ttctl.adapters.doing import DoingFile
    from ttctl.model.live import Doing
    from ttctl.model.protocols import Reporter

FOLDER = "pulls"
CALLED = "models pull"


@contextmanager
def told_in(root: Path, doing: DoingFile, reporter: Reporter) -> Iterator[None]:
    """Tell others what this command does, in the length of the block."""
    for old in root.glob("*"):
        if not holders(old / LOCK):
            shutil.rmtree(old, ignore_errors=True)
    own = root / str(os.getpid())
    with held(own / LOCK, timeout_s=0, reporter=reporter):
        try:
            with doing.kept_in(own):
                yield
        finally:
            shutil.rmtree(own, ignore_errors=True)


def pulls_in(root: Path) -> tuple[Doing, ...]:
    """Return what such commands do at this moment."""
    found = (doing_in(path) for path in sorted(root.glob("*")))
    return tuple(replace(one, stack=CALLED) for one in found if one is not None)
