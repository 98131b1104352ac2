# SPDX-License-Identifier: Apache-2.0
"""Folders for half-made things; what a killed command left is swept by the next one."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = re.compile(r"ttctl-([a-z]+)-(\d+)-")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch(kind: str, remove: Callable[[Path], None] = _remove) -> Iterator[Path]:
    """Yield a new private folder for the length of the block.

    Args:
        kind: What it is for, lower-case letters; it stands in the folder's name with our pid.
        remove: How such a folder is removed, where it may hold what is not this user's.
    """
    for stray in Path(tempfile.gettempdir()).glob(f"ttctl-{kind}-*"):
        if _is_ours(stray) and _is_abandoned(stray):
            remove(stray)
    folder = Path(tempfile.mkdtemp(prefix=f"ttctl-{kind}-{os.getpid()}-"))
    try:
        yield folder
    finally:
        remove(folder)


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _is_abandoned(folder: Path) -> bool:
    named = NAME.match(folder.name)
    return named is not None and not Path("/proc", named[2]).exists()
