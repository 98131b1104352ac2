# SPDX-License-Identifier: Apache-2.0
"""What a command does that fetches weights and holds no stack, for others that watch.

Each has a folder of its own, as a stack has, while it goes on; what a kill left is swept by the
next one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.doing import LOCK, doing_in
from ttctl.adapters.kernel_lock import held, holders
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ttctl.adapters.doing import DoingFile
    from ttctl.model.live import Doing
    from ttctl.model.protocols import Reporter

FOLDER = "pulls"
OLD_S = 60.0
"""Seconds after which a folder that nobody holds is one that a kill left."""
CALLED = "models pull"


@contextmanager
def told_in(root: Path, doing: DoingFile, reporter: Reporter) -> Iterator[None]:
    """Tell others what this command does, in the length of the block."""
    with suppress(OSError):
        for old in root.glob("*"):
            # One that has just been made is not held yet.
            if time.time() - old.stat().st_mtime > OLD_S and not holders(old / LOCK):
                shutil.rmtree(old, ignore_errors=True)
    own = root / f"{os.getpid()}-{secrets.token_hex(4)}"
    with ExitStack() as told:
        # That nobody can be told is no reason to fetch nothing.
        with suppress(TtctlError, OSError):
            told.enter_context(held(own / LOCK, timeout_s=0, reporter=reporter))
            told.callback(shutil.rmtree, own, ignore_errors=True)
            told.enter_context(doing.kept_in(own))
        yield


def pulls_in(root: Path) -> tuple[Doing, ...]:
    """Return what such commands do at this moment."""
    found = (doing_in(path) for path in sorted(root.glob("*")))
    return tuple(replace(one, stack=CALLED) for one in found if one is not None)
