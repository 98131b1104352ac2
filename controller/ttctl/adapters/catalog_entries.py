# SPDX-License-Identifier: Apache-2.0
"""Check catalog files: lenient in what may grow, strict in what could do harm.

Every change of this file makes compiled catalogs anew: `compiled.key_of` reads it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ttctl.adapters.toml import parse_toml
from ttctl.errors import BadFileError
from ttctl.model.device import DEVICE_NAMES
from ttctl.model.spec import Limits, ModelSpec, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MIB = 1 << 20
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")]
Repository = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$")
]
Revision = Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")]
FlagName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
FlagValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:+-]{0,255}$")]
PARSER = r"^([a-z][a-z0-9_]{0,63})?$"
FlagKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
FlagObject = Annotated[dict[FlagKey, FlagValue | bool], Field(min_length=1, max_length=16)]
"""A table: vLLM takes it as a JSON object."""
NO_TEXT = Limits(max_model_len=0, max_num_seqs=1, block_size=0)
"""Of an engine that draws, one picture at a time."""

EnvName = Annotated[str, Field(pattern=r"^(VLLM_|HF_|OMP_|TT_)[A-Z0-9_]{1,60}$")]

EnvValue = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Border(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=1024)


class WeightsEntry(_Border):
    """`[spec.weights]`."""

    kind: Literal["hub", "bundled"]
    repository: Repository
    revision: Revision = ""
    size_mib: int = Field(ge=0, le=1 << 24)


class LimitsEntry(_Border):
    """`[spec.limits]`."""

    max_model_len: int = Field(ge=16, le=1 << 20)
    max_num_seqs: int = Field(ge=1, le=1024)
    block_size: Literal[16, 32, 64, 128]


class SpecEntry(_Border):
    """`[[spec]]`."""

    model: Repository
    device: str
    engine: Literal["vllm", "sd"]
    aliases: tuple[Name, ...] = ()
    default: bool = False
    demo: bool = False
    description: str = ""
    license: str = ""
    status: Literal["EXPERIMENTAL", "FUNCTIONAL", "COMPLETE", "TOP_PERF"]
    image: Name
    memory_mib: int = Field(ge=256, le=1 << 24)
    offline_model: str = ""
    weights: WeightsEntry
    limits: LimitsEntry | None = None
    tool_parser: Annotated[str, Field(pattern=PARSER)] = ""
    reasoning_parser: Annotated[str, Field(pattern=PARSER)] = ""
    engine_args: dict[FlagName, FlagValue | FlagObject | Literal[True]] = Field(
        default_factory=dict
    )
    environment: dict[EnvName, EnvValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limits_of_text(self) -> Self:
        """Refuse limits of text for an engine that draws, and their lack for any other."""
        if (self.limits is None) is not (self.engine == "sd"):
            wrong = "has no [spec.limits]" if self.limits is None else "reads no [spec.limits]"
            message = f"the engine {self.engine} {wrong}"
            raise ValueError(message)
        return self


class CatalogFile(_Border):
    """A catalog file."""

    schema_: Literal[1] = Field(alias="schema")
    source: str
    date: object = None
    spec: tuple[SpecEntry, ...]


def checked_specs(paths: Iterable[Path]) -> tuple[ModelSpec, ...]:
    """Return every entry of the files, in their order.

    Raises:
        BadFileError: A file is damaged, or a value is not what it must be.
    """
    specs: list[ModelSpec] = []
    for path in paths:
        file = parse_toml(path, CatalogFile)
        specs.extend(_value(entry, file.source, path) for entry in file.spec)
    return tuple(specs)


def _value(entry: SpecEntry, source: str, path: Path) -> ModelSpec:
    if entry.device not in DEVICE_NAMES:
        raise BadFileError(
            f"The catalog names a device that does not exist: {entry.device!r}.",
            why=f"{entry.model} in {path.name}.",
            evidence=f"Expected one of: {', '.join(DEVICE_NAMES)}.",
            next_step=f"edit {path}",
        )
    weights = entry.weights
    return ModelSpec(
        id=f"{entry.device}-{entry.model.rpartition('/')[2]}",
        model=entry.model,
        device=entry.device,
        engine=entry.engine,
        type="IMAGE" if entry.engine == "sd" else "LLM",
        aliases=entry.aliases,
        description=entry.description,
        image=entry.image,
        weights=Weights(
            kind=weights.kind,
            repository=weights.repository,
            revision=weights.revision,
            size_bytes=weights.size_mib * MIB,
        ),
        limits=Limits(**entry.limits.model_dump()) if entry.limits else NO_TEXT,
        engine_args=tuple((name, _flag_text(value)) for name, value in entry.engine_args.items()),
        environment=tuple(sorted(entry.environment.items())),
        memory_mib=entry.memory_mib,
        status=entry.status,
        license=entry.license,
        tool_parser=entry.tool_parser,
        reasoning_parser=entry.reasoning_parser,
        offline_model=entry.offline_model,
        default=entry.default,
        demo=entry.demo,
        source=source,
    )


def _flag_text(value: str | dict[str, str | bool] | Literal[True]) -> str:
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return "" if value is True else value
