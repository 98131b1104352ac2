# SPDX-License-Identifier: Apache-2.0
"""What is kept of boards whose containers are gone: one file in the state folder."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from shlex import quote
from typing import TYPE_CHECKING, Any

from ttctl.adapters.files import write_atomically
from ttctl.adapters.kernel_lock import held
from ttctl.errors import BadFileError
from ttctl.model.lease import Remembered, Spoiled
from ttctl.rules.spoiled import with_cleared, with_new

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ttctl.model.protocols import Reporter

NAME = "boards.json"
SCHEMA = "ttctl.boards/1"
LOCK_S = 20.0
"""How long another command may write the file."""


class BoardsFile:
    """The file, replaced as a whole under a lock of its own."""

    def __init__(self, folder: Path, reporter: Callable[[], Reporter]) -> None:
        """Nothing is read yet; `folder` is the state folder."""
        self._path = folder / NAME
        self._reporter = reporter

    def read(self) -> Remembered:
        """Return what it holds, nothing where it is not there.

        Raises:
            BadFileError: It is damaged.
        """
        try:
            return _parsed(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Remembered()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise BadFileError(
                f"The file {str(self._path)!r} cannot be read.",
                why="It holds which boards were left in disorder.",
                evidence=f"{type(exc).__name__}: {exc}"[:200],
                next_step=f"rm {quote(str(self._path))}   # then boards count as clean",
            ) from exc

    def add(self, found: Sequence[Spoiled]) -> None:
        """Keep which boards were left in disorder."""
        now = _now()
        dated = [one if one.at else replace(one, at=now) for one in found]
        self._change(lambda kept: with_new(kept, dated))

    def clear(self, names: Sequence[str]) -> None:
        """Keep that boards are in order from now on."""
        now = _now()
        self._change(lambda kept: with_cleared(kept, names, at=now))

    def _change(self, change: Callable[[Remembered], Remembered]) -> None:
        lock = self._path.parent / "boards" / "boards.flock"
        with held(lock, timeout_s=LOCK_S, reporter=self._reporter()):
            kept = self.read()
            new = change(kept)
            if new is not kept:
                write_atomically(self._path, _text(new), mode=0o600)


def _now() -> str:
    seconds = time.time()
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{moment}.{int(seconds % 1 * 1_000_000):06d}Z"


def _text(kept: Remembered) -> str:
    body = {
        "schema": SCHEMA,
        "spoiled": [asdict(one) for one in kept.spoiled],
        "cleared": dict(kept.cleared),
    }
    return json.dumps(body, indent=2, sort_keys=True) + "\n"


def _parsed(raw: dict[str, Any]) -> Remembered:
    if raw["schema"] != SCHEMA:
        raise ValueError(raw["schema"])
    return Remembered(
        spoiled=tuple(Spoiled(**{k: str(v) for k, v in one.items()}) for one in raw["spoiled"]),
        cleared=tuple((str(name), str(at)) for name, at in raw["cleared"].items()),
    )
