# SPDX-License-Identifier: Apache-2.0
"""Check the files of the built-in catalog that `make catalog` writes: upstream's validated entries.

Every change of this file makes compiled catalogs anew: `compiled.key_of` reads it.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
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
from ttctl.errors import BadFileError
from ttctl.model.pins import (
    Changed,
    Contract,
    Flag,
    Inferred,
    Issue,
    Pins,
    Recipe,
    Requirement,
    Target,
)
from ttctl.model.spec import EngineName, Limits, ModelSpec, ModelType, Status, Weights

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable
    from pathlib import Path

MIB = 1 << 20


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
    engine: EngineName
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


def read_validated(path: Path) -> ValidatedFile:
    """Read one file.

    Raises:
        BadFileError: It is damaged, or a value is not what it must be.
    """
    return parse_toml(path, ValidatedFile)


def validated_values(file: ValidatedFile) -> tuple[ModelSpec, ...]:
    """Return the file's entries."""
    return tuple(_value(entry, file) for entry in file.spec)


def check_one_export(files: Iterable[tuple[Path, ValidatedFile]]) -> None:
    """Raise where files of one catalog were made from different exports.

    Raises:
        BadFileError: They were.
    """
    by_export = {file.sha256: path for path, file in files}
    if len(by_export) > 1:
        names = ", ".join(sorted(path.name for path in by_export.values()))
        raise BadFileError(
            "The catalog's files were made from different exports.",
            why="One of them was replaced or edited.",
            evidence=f"They differ in sha256: {names}.",
            next_step="make catalog FROM=EXPORT",
        )


def _value(entry: ValidatedEntry, file: ValidatedFile) -> ModelSpec:
    return ModelSpec(
        id=entry.id,
        model=entry.model,
        device=entry.device,
        engine=entry.engine,
        implementation=entry.implementation,
        type=file.type,
        image="",
        weights=Weights(kind="hub", repository=entry.weights, size_bytes=entry.size_mib * MIB),
        limits=Limits(**entry.limits.model_dump()),
        engine_args=tuple(entry.arguments.items()),
        environment=tuple(entry.environment.items()),
        changed=tuple(Changed(**one.model_dump()) for one in entry.changed),
        memory_mib=entry.memory_mib,
        disk_mib=entry.disk_mib,
        parameters=entry.parameters,
        status=entry.status,
        default=entry.default,
        source=file.source,
        pins=_pins(entry),
        requirements=tuple(Requirement(**one.model_dump()) for one in entry.requirements),
        tool_parser=entry.tool_parser,
        reasoning_parser=entry.reasoning_parser,
        modalities=entry.modalities,
        start_s=entry.start_s,
        warms_up=entry.upstream.get("has_builtin_warmup") is True,
        targets=tuple(Target(**one.model_dump()) for one in entry.targets),
        issues=tuple(Issue(**one.model_dump()) for one in entry.issues),
        suspect=entry.suspect,
    )


def _pins(entry: ValidatedEntry) -> Pins:
    return Pins(
        tt_metal=entry.tt_metal,
        vllm=entry.vllm,
        image=entry.image,
        version=entry.version,
        contract=entry.contract,
        recipe=entry.recipe,
        flag=entry.flag,
        inferred=entry.inferred,
        reason=entry.reason,
        first_release=entry.first_release,
    )
