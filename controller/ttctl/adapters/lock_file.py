# SPDX-License-Identifier: Apache-2.0
"""Read and write ttctl.lock; a digest over its values shows any change that ttctl did not make."""

from __future__ import annotations

from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.lock_glance import SCHEMA
from ttctl.adapters.toml import parse_toml
from ttctl.adapters.toml_lines import line_of
from ttctl.errors import BadFileError
from ttctl.model.image import BaseImage
from ttctl.model.lock import Lock, LockedFile, LockedImage, LockedWeights
from ttctl.rules import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

NEWER = frozenset({"engine_args", "experimental", "commits", "implementation", "values"})
"""What a lock has only where it is not empty; `contract` only where it is another than `own`."""
OWN = "own"
HEADER = "# Made by ttctl. Every floating reference is exact here; an empty one is unresolved.\n"
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

    kind: Literal["hub", "bundled"]
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
    contract: Printable = "own"
    experimental: Printable = ""
    values: Literal["", "latest"] = ""
    files_sha256: Hex64OrEmpty
    base: BaseEntry
    images: list[ImageEntry]
    weights: WeightsEntry


def lock_text(lock: Lock) -> str:
    """Return the file's text for `lock`; equal locks give equal bytes."""
    import tomlkit  # noqa: PLC0415 - whoever only reads a lock does without

    values = _ordered(asdict(lock))
    head = {"schema": SCHEMA, "digest": f"sha256:{fingerprint.of_json(values)}"}
    return HEADER + tomlkit.dumps({**head, **values})


def read_lock(path: Path) -> Lock | None:
    """Read the lock at `path`; None where there is none.

    Raises:
        BadFileError: It is damaged, was edited, or was written by a newer ttctl.
    """
    if not path.exists():
        return None
    next_step = f"mv {quote(str(path))} {quote(f'{path}.damaged')}"
    found = parse_toml(path, LockHead, next_step=next_step).schema_
    if found != SCHEMA:
        raise BadFileError(
            f"{str(path)!r} has schema {found}; this ttctl reads {SCHEMA}.",
            why="It was written by another version.",
            evidence=_place(path, "schema"),
            next_step="pip install --upgrade ttctl",
        )
    parsed = parse_toml(path, LockFile, next_step=next_step)
    lock = _value(parsed)
    expected = f"sha256:{fingerprint.of_json(_ordered(asdict(lock)))}"
    if expected != parsed.digest:
        raise BadFileError(
            f"{str(path)!r} was changed by something else than ttctl.",
            why="Its digest does not fit its values.",
            evidence=f"{_place(path, 'digest')}: found {parsed.digest}, expected {expected}",
            next_step=next_step,
        )
    return lock


def _place(path: Path, key: str) -> str:
    line = line_of(path.read_text(encoding="utf-8"), (key,))
    return f"{path}, line {line}, key {key}"


def _ordered(values: dict[str, object]) -> dict[str, object]:
    """Plain values first, tables last: what stands behind a table's header belongs to it.

    What older locks did not have is left out where it says nothing, so that theirs still fit.
    """
    values = {name: value for name, value in values.items() if value or name not in NEWER}
    if values.get("contract") == OWN:
        del values["contract"]
    plain = {name: value for name, value in values.items() if isinstance(value, str | int)}
    tables = {name: _plain_lists(value) for name, value in values.items() if name not in plain}
    return {**plain, **tables}


def _plain_lists(value: object) -> object:
    if isinstance(value, dict):
        # Of an image, too, what no older lock had is left out where it is empty.
        kept = {name: one for name, one in value.items() if one or name != "unvalidated"}
        return {name: _plain_lists(one) for name, one in kept.items()}
    if isinstance(value, list | tuple):
        return [_plain_lists(one) for one in value]
    return value


def _value(parsed: LockFile) -> Lock:
    return Lock(
        stack=parsed.stack,
        requested=parsed.requested,
        model=parsed.model,
        device=parsed.device,
        engine=parsed.engine,
        reason=parsed.reason,
        max_model_len=parsed.max_model_len,
        max_num_seqs=parsed.max_num_seqs,
        block_size=parsed.block_size,
        port=parsed.port,
        base=BaseImage(**parsed.base.model_dump()),
        images=tuple(LockedImage(**image.model_dump()) for image in parsed.images),
        weights=LockedWeights(
            kind=parsed.weights.kind,
            repository=parsed.weights.repository,
            revision=parsed.weights.revision,
            files=tuple(LockedFile(**file.model_dump()) for file in parsed.weights.files),
        ),
        catalog_sha256=parsed.catalog_sha256,
        engine_args=tuple((name, value) for name, value in parsed.engine_args),
        commits=tuple((name, commit) for name, commit in parsed.commits),
        implementation=parsed.implementation,
        contract=parsed.contract,
        experimental=parsed.experimental,
        values=parsed.values,
        files_sha256=parsed.files_sha256,
    )
