# SPDX-License-Identifier: Apache-2.0
"""Tries every path that a server of a contract reads, writes, runs code from, or must leave."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

PROBE = ".ttctl-standin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A path, and what the real server does with it."""

    path: Path
    want: Literal["read", "write", "run", "keep"]
    """`run` is written and executed from; `keep` must not be writable."""
    why: str
    vital: bool = True
    """Whether the real server ends where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it."""

    place: Place
    error: str
    """Empty where all is as it should be."""

    def as_json(self) -> dict[str, object]:
        place = self.place
        return {
            "path": str(place.path),
            "want": place.want,
            "why": place.why,
            "ok": not self.error,
            "error": self.error,
        }


def tried(place: Place) -> Tried:
    """Do with a path what the server would do."""
    attempts = {"read": _read, "write": _write, "run": _run, "keep": _keep}
    try:
        error = attempts[place.want](place.path)
    except OSError as exc:
        error = f"{place.path}: {exc.strerror}"
    return Tried(place=place, error=error)


def _read(path: Path) -> str:
    """Read a byte of each file below; a link whose end is not mounted is an error."""
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if not file.is_dir():
            with file.open("rb") as opened:
                opened.read(1)
    return "" if path.exists() else f"{path} does not exist"


def _write(path: Path) -> str:
    path.mkdir(parents=True, exist_ok=True)
    probe = path / f"{PROBE}-{os.getpid()}"
    probe.write_text("x", encoding="utf-8")
    probe.unlink()
    return ""


def _run(path: Path) -> str:
    path.mkdir(parents=True, exist_ok=True)
    probe = path / f"{PROBE}-{os.getpid()}.sh"
    probe.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    probe.chmod(0o755)
    try:
        subprocess.run([str(probe)], check=True)
    finally:
        probe.unlink()
    return ""


def _keep(path: Path) -> str:
    """Return an error where the path or a file of it can be changed."""
    if os.access(path, os.W_OK):
        return f"{path} is writable and must not be"
    for file in path.rglob("*") if path.is_dir() else ():
        if os.access(file, os.W_OK):
            return f"{file} is writable and must not be"
    return ""
