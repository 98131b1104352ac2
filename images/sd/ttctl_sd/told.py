# SPDX-License-Identifier: Apache-2.0
"""How is drawn where a request does not say it? What lies beside the weights, else the pipeline.

A folder may hold `drawing.json`: an object with `default_steps`, `default_guidance` and
`default_size`, each of which may be missing. What else is in it is for its own training.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ttctl_sd.drawing import CannotLoadError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "drawing.json"
SIDES = 2


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a folder says; None where it says nothing."""

    steps: int | None = None
    guidance: float | None = None
    size: tuple[int, int] | None = None
    """Width and height, pixels."""


def told_by(folder: Path) -> Told:
    """Read the folder's `drawing.json`, if it has one.

    Raises:
        CannotLoadError: It cannot be read, or a value is none that can be drawn with.
    """
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Told()
    except (OSError, ValueError) as exc:
        raise CannotLoadError(f"the folder's {FILE} cannot be read: {exc}") from exc
    if not isinstance(found, dict):
        raise CannotLoadError(f"the folder's {FILE} is no object")
    steps, guidance, size = (found.get(f"default_{one}") for one in ("steps", "guidance", "size"))
    for name, value, allowed in (
        ("steps", steps, _whole(steps)),
        ("guidance", guidance, _number(guidance)),
        ("size", size, _sides(size)),
    ):
        if value is not None and not allowed:
            raise CannotLoadError(f"the folder's {FILE} has a default_{name} that cannot be")
    return Told(
        steps=steps,
        guidance=None if guidance is None else float(guidance),
        size=None if size is None else (size[0], size[1]),
    )


def _whole(value: Any) -> bool:  # noqa: ANN401 - of JSON
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _number(value: Any) -> bool:  # noqa: ANN401 - of JSON
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Neither NaN nor Infinity, which Python's reader takes.
    return number and 0 <= value < float("inf")


def _sides(value: Any) -> bool:  # noqa: ANN401 - of JSON
    return isinstance(value, list) and len(value) == SIDES and all(map(_whole, value))
