# SPDX-License-Identifier: Apache-2.0
"""Read TOML into a checked shape; a fault is told with file, line, key and what was expected."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

Shape = TypeVar("Shape", bound=BaseModel)


def parse_toml(path: Path, shape: type[Shape], *, next_step: str = "", wrap: str = "") -> Shape:
    """Read `path` and check it against `shape`; `wrap` puts the whole file under one name.

    Raises:
        BadFileError: It cannot be read, is no TOML, or a value is not what it must be.
    """
    step = next_step or f"edit {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise BadFileError(
            f"{str(path)!r} cannot be read.", why=str(exc), evidence=str(path), next_step=step
        ) from exc
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise BadFileError(
            f"{str(path)!r} is not valid TOML.",
            why="It was cut short, or edited by hand.",
            evidence=f"{path}: {exc}",
            next_step=step,
        ) from exc
    try:
        return shape.model_validate({wrap: data} if wrap else data)
    except ValidationError as exc:
        raise BadFileError(
            f"{str(path)!r} does not hold what it must.",
            why="A key has a value that is not allowed, or is missing or unknown.",
            evidence=_evidence(path, text, exc),
            next_step=step,
        ) from exc


def _evidence(path: Path, text: str, exc: ValidationError) -> str:
    lines: list[str] = []
    for error in exc.errors(include_url=False)[:3]:
        key = ".".join(str(part) for part in error["loc"])
        line = line_of(text, tuple(error["loc"]))
        lines.append(
            f"{path}, line {line}, key {key}: {error['msg']} (found {error['input']!r:.60})"
        )
    return "\n".join(lines)


def line_of(text: str, location: tuple[int | str, ...]) -> int:
    """Return the line where the key at `location` stands, or its table, counting from 1."""
    best = 1
    names = [part for part in location if isinstance(part, str)]
    index = next((part for part in location if isinstance(part, int)), 0)
    seen = -1
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if header and names and header[1].split(".")[0].strip() == names[0]:
            if line.lstrip().startswith("[[") and "." not in header[1]:
                seen += 1
            if seen in {-1, index}:
                best = number
        key = re.match(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*=", line)
        if key and names and key[1] == names[-1] and seen in {-1, index}:
            return number
    return best
