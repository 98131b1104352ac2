# SPDX-License-Identifier: Apache-2.0
"""Read the file of a named stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.model.named_stack import NamedStack

if TYPE_CHECKING:
    from pathlib import Path

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=/-]{0,127}$")]


class StackFile(BaseModel):
    """`compose/stacks/NAME.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=1024)

    description: str
    model: Word
    services: list[Word]


def read_stack(path: Path) -> NamedStack:
    """Return what a file names.

    Raises:
        BadFileError: It is damaged.
    """
    parsed = parse_toml(path, StackFile)
    return NamedStack(
        name=path.stem,
        description=parsed.description,
        model=parsed.model,
        services=tuple(parsed.services),
    )
