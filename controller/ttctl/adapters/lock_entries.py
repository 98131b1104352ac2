# SPDX-License-Identifier: Apache-2.0
"""What stands in ttctl.lock, with what each value must be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.model.pins import OWN
from ttctl.model.spec import WeightsKind  # noqa: TC001 - pydantic reads it

Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hex64OrEmpty = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,510}$")]

Printable = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{0,1024}$")]
Flag = Annotated[list[Printable], Field(min_length=2, max_length=2)]
"""Name and value of a flag of the engine."""
CommitPair = Annotated[
    list[Annotated[str, Field(pattern=r"^(tt-metal|vllm|[0-9a-f]{40}|local-[0-9a-f]{64})$")]],
    Field(min_length=2, max_length=2),
]
"""Component and commit."""


class _Border(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileEntry(_Border):
    """`[[weights.files]]`."""

    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")
    size_bytes: int = Field(ge=0)
    sha256: Hex64OrEmpty


class WeightsEntry(_Border):
    """`[weights]`."""

    kind: WeightsKind
    repository: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,192}$")
    revision: str = Field(pattern=r"^([0-9a-f]{40})?$")
    files: list[FileEntry]


class BaseEntry(_Border):
    """`[base]`."""

    origin: Literal["registry", "bootstrapped", "site"]
    reference: Reference
    source: str
    digest: str = Field(pattern=r"^(sha256:[0-9a-f]{64})?$")
    reason: str


class ImageEntry(_Border):
    """`[[images]]`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    reference: Reference
    fingerprint: Hex64
    unvalidated: Printable = ""
    yours: Printable = ""
    user: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?$")


class EngineEntry(_Border):
    """`[[beside]]`."""

    service: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")
    requested: str
    model: str
    device: str
    engine: str
    reason: str
    image: Reference | Literal[""] = ""
    commits: list[CommitPair] = Field(default_factory=list)
    implementation: Printable = ""
    contract: Printable = ""
    experimental: Printable = ""
    derived_from: Printable = ""
    weights: WeightsEntry


class LockHead(BaseModel):
    """What a lock of any schema has."""

    schema_: int = Field(alias="schema")


class LockFile(_Border):
    """The whole file."""

    schema_: Literal[1] = Field(alias="schema")
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    stack: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    requested: str
    model: str
    device: str
    engine: str
    reason: str
    max_model_len: int = Field(ge=0)
    max_num_seqs: int = Field(ge=0)
    block_size: int = Field(ge=0)
    port: int = Field(ge=1, le=65535)
    catalog_sha256: Hex64
    engine_args: list[Flag] = Field(default_factory=list)
    commits: list[CommitPair] = Field(default_factory=list)
    implementation: Printable = ""
    contract: Printable = OWN
    experimental: Printable = ""
    derived_from: Printable = ""
    values: Literal["", "latest"] = ""
    bind: Literal["", "0.0.0.0"] = ""  # noqa: S104 - read, not listened on
    tls: Literal["", "generated", "own"] = ""
    image_uid: int = Field(default=0, ge=0, le=59999)
    services: list[Printable] = Field(default_factory=list)
    beside: list[EngineEntry] = Field(default_factory=list)
    files_sha256: Hex64OrEmpty
    base: BaseEntry
    images: list[ImageEntry]
    weights: WeightsEntry
