# SPDX-License-Identifier: Apache-2.0
"""The shape of the catalog's files that `make catalog` writes: upstream's validated entries.

Every change of this file makes compiled catalogs anew: `compiled.key_of` reads it.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ttctl.adapters.upstream_values import (
    ARGUMENT,
    CONTROL,
    ID,
    IMAGE,
    PIN,
    REPOSITORY,
    SPECIFIER,
    WORD,
    harmful_name,
)
from ttctl.model.pins import Contract, Flag, Inferred, Recipe  # noqa: TC001 - pydantic reads them
from ttctl.model.spec import CatalogEngine, ModelType, Status  # noqa: TC001 - as above

if TYPE_CHECKING:
    import re
    from collections.abc import Callable


def _fits(pattern: re.Pattern[str], *, many: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        parts = value.split(",") if many else [value]
        if not all(pattern.fullmatch(part) for part in parts) or ".." in value:
            raise ValueError("is not what it must be")
        return value

    return check


def _variable(name: str) -> str:
    if harmful_name(name):
        raise ValueError("could do harm")
    return name


def _plain(value: str) -> str:
    if CONTROL.search(value):
        raise ValueError("holds a control character")
    return value


Line = Annotated[str, AfterValidator(_plain)]
Word = Annotated[str, AfterValidator(_fits(WORD))]
Id = Annotated[str, AfterValidator(_fits(ID))]
Repository = Annotated[str, AfterValidator(_fits(REPOSITORY))]
Image = Annotated[str, AfterValidator(_fits(IMAGE))]
Commit = Annotated[str, AfterValidator(_fits(PIN))]
Argument = Annotated[str, AfterValidator(_fits(ARGUMENT))]
Variable = Annotated[str, AfterValidator(_variable)]
Specifier = Annotated[str, AfterValidator(_fits(SPECIFIER, many=True))]


class _Border(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsEntry(_Border):
    """`limits`."""

    max_model_len: int = Field(ge=0)
    max_num_seqs: int = Field(ge=0)
    block_size: int = Field(ge=0)


class RequirementEntry(_Border):
    """One of `requirements`."""

    what: Literal["firmware", "driver"]
    specifier: Specifier
    strict: bool


class ChangedEntry(_Border):
    """One of `changed`."""

    kind: Literal["argument", "environment"]
    name: Line
    first: Line = ""
    latest: Line = ""
    option: bool = False


class TargetEntry(_Border):
    """One of `targets`."""

    task: Line
    shape: Line = ""
    concurrency: int = Field(ge=0)
    tier: Literal["functional", "complete", "target"]
    ttft_ms: float | None = None
    tput_user: float | None = None
    tput: float | None = None
    tolerance: float = Field(default=0.0, ge=0, lt=1)


class IssueEntry(_Border):
    """One of `issues`."""

    workflow: Line = ""
    task: Line = ""
    reason: Line


class ValidatedEntry(_Border):
    """`[[spec]]`."""

    id: Id
    model: Repository
    device: Word
    engine: CatalogEngine
    implementation: Line = ""
    status: Status
    default: bool = False
    image: Image | Literal[""]
    version: Line = ""
    tt_metal: Commit | Literal[""] = ""
    vllm: Commit | Literal[""] = ""
    contract: Contract
    recipe: Recipe
    flag: Flag = ""
    inferred: tuple[Inferred, ...] = ()
    reason: Line
    first_release: Line = ""
    weights: Repository
    size_mib: int = Field(default=0, ge=0)
    parameters: float = Field(default=0, ge=0)
    memory_mib: int = Field(default=0, ge=0)
    disk_mib: int = Field(default=0, ge=0)
    start_s: int = Field(default=0, ge=0)
    tool_parser: Line = ""
    reasoning_parser: Line = ""
    modalities: tuple[Word, ...] = ("text",)
    limits: LimitsEntry
    requirements: tuple[RequirementEntry, ...] = ()
    suspect: tuple[Line, ...] = ()
    changed: tuple[ChangedEntry, ...] = ()
    issues: tuple[IssueEntry, ...] = ()
    targets: tuple[TargetEntry, ...] = ()
    arguments: dict[Argument, Line] = Field(default_factory=dict)
    environment: dict[Variable, Line] = Field(default_factory=dict)
    upstream: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further facts of the entry, for `models show --raw`."""


class ValidatedFile(_Border):
    """A file of one model type."""

    schema_: Literal[2] = Field(alias="schema")
    type: ModelType
    release: Line
    source: Line
    date: dt.date
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    spec: tuple[ValidatedEntry, ...]
