# SPDX-License-Identifier: Apache-2.0
"""How long earlier starts took: one file in the state folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ttctl.adapters.files import write_atomically
from ttctl.adapters.kernel_lock import held
from ttctl.model.starts import Started
from ttctl.rules.usual_start import with_one_more

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.model.protocols import Reporter

NAME = "starts.json"
SCHEMA = "ttctl.starts/1"
LOCK_S = 5.0
"""How long another command may write the file."""
MOST_BYTES = 1 << 20
"""Of the file: what is kept is far below."""


class StartsFile:
    """The file, replaced as a whole under a lock of its own."""

    def __init__(self, folder: Path, reporter: Callable[[], Reporter]) -> None:
        """Nothing is read yet; `folder` is the state folder."""
        self._path = folder / NAME
        self._reporter = reporter

    def earlier(self) -> tuple[Started, ...]:
        """Return what it holds; one that is damaged holds nothing, and is replaced by the next."""
        try:
            with self._path.open("rb") as file:
                return _parsed(json.loads(file.read(MOST_BYTES)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return ()

    def keep(self, started: Started) -> None:
        """Keep one more.

        Raises:
            TtctlError: It cannot be written.
        """
        lock = self._path.parent / "starts" / "starts.flock"
        with held(lock, timeout_s=LOCK_S, reporter=self._reporter()):
            kept = with_one_more(self.earlier(), started)
            body = {"schema": SCHEMA, "starts": [asdict(one) for one in kept]}
            write_atomically(self._path, json.dumps(body, indent=2) + "\n", mode=0o600)


def _parsed(raw: dict[str, Any]) -> tuple[Started, ...]:
    if raw["schema"] != SCHEMA:
        raise ValueError(raw["schema"])
    found = (
        Started(key=str(one["key"]), first=bool(one["first"]), seconds=float(one["seconds"]))
        for one in raw["starts"]
    )
    return tuple(one for one in found if 0 < one.seconds < float("inf"))
