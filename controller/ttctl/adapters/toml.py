# SPDX-License-Identifier: Apache-2.0
"""Read TOML into a checked shape; a fault is told with file, line, key and what was expected."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from ttctl.adapters.toml_lines import line_of
from ttctl.errors import BadFileError
from ttctl.rules.redaction import redacted

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
            evidence=f"{path}, line {_syntax_line(text, exc)}: {exc}",
            next_step=step,
        ) from exc
    try:
        return shape.model_validate({wrap: data} if wrap else data)
    except ValidationError as exc:
        raise BadFileError(
            f"{str(path)!r} does not hold what it must.",
            why="A key has a value that is not allowed, or is missing or unknown.",
            evidence=_evidence(path, text, exc, depth=1 if wrap else 0),
            next_step=step,
        ) from exc


def laid_over(tables: dict[str, Any]) -> dict[str, Any]:
    """Fill each table that is `like` another with what it does not say itself.

    Environments are laid one over the other.

    Raises:
        ValueError: There is no such other, or it is like a third.
    """
    return {name: _whole(tables, one) for name, one in tables.items()}


def _whole(tables: dict[str, Any], one: object) -> object:
    if not isinstance(one, dict) or "like" not in one:
        return one
    under, over = tables.get(one["like"]), {key: one[key] for key in one if key != "like"}
    if not isinstance(under, dict) or "like" in under:
        message = f"{one['like']!r} is no table that another may be like"
        raise ValueError(message)
    environment = {**under.get("environment", {}), **over.get("environment", {})}
    return {**under, **over, "environment": environment}


def _evidence(path: Path, text: str, exc: ValidationError, *, depth: int) -> str:
    """Name line and key of the first faults; the outermost `depth` keys are not in the file."""
    lines: list[str] = []
    for error in exc.errors(include_url=False)[:3]:
        location = error["loc"][depth:]
        key = ".".join(str(part) for part in location)
        # What is shown may be a proxy's address with its password.
        found = redacted(repr(error["input"]))[:60]
        lines.append(
            f"{path}, line {line_of(text, location)}, key {key}: {error['msg']} (found {found})"
        )
    return "\n".join(lines)


def _syntax_line(text: str, exc: tomllib.TOMLDecodeError) -> int:
    found = re.search(r"at line (\d+)", str(exc))
    return int(found[1]) if found else max(1, len(text.splitlines()))
