# SPDX-License-Identifier: Apache-2.0
"""Read catalog/failures.toml: what is known of how engines end."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ttctl.adapters import places
from ttctl.adapters.toml import parse_toml
from ttctl.model.failure import BadState, Failure, Failures

if TYPE_CHECKING:
    from pathlib import Path

FILE = "failures.toml"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        message = f"no regular expression: {exc}"
        raise ValueError(message) from exc
    return pattern


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
ExitCode = Literal[1, 3, 4, 5, 6, 7, 8, 9, 75, 124]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    cause: str = Field(min_length=1)
    source: str = Field(min_length=1)
    next_step: str = Field(default="", alias="next")
    exit_code: ExitCode = Field(alias="exit")


class FailureRow(_Row):
    """`[[failure]]`."""

    pattern: Annotated[str, Field(min_length=4), AfterValidator(_compiles)]
    of_card: bool = False
    vague: bool = False
    as_warning: bool = False


class When(BaseModel):
    """`when` of a state: every key has to be so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["", "created", "paused", "restarting", "removing", "exited", "dead"] = ""
    health: Literal["", "starting", "unhealthy"] = ""
    code: int | None = None
    oom_killed: bool | None = None
    stopped: bool | None = None
    restarted: bool | None = None


class StateRow(_Row):
    """`[[state]]`."""

    when: When


class FailuresFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(alias="schema")
    failure: tuple[FailureRow, ...]
    state: tuple[StateRow, ...]


def read_failures(path: Path) -> Failures:
    """Read the file.

    Raises:
        BadFileError: It is damaged, or a value is not what it must be.
    """
    file = parse_toml(path, FailuresFile)
    return Failures(
        failures=tuple(Failure(**one.model_dump()) for one in file.failure),
        states=tuple(
            BadState(**one.model_dump(exclude={"when"}), **one.when.model_dump())
            for one in file.state
        ),
    )


@cache
def known_failures() -> Failures:
    """Return what ttctl ships; read when a log is read, and once."""
    return read_failures(places.catalog() / FILE)
