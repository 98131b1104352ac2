# SPDX-License-Identifier: Apache-2.0
"""Check the files of the built-in catalog that `make catalog` writes: upstream's validated entries.

Every change of this file makes compiled catalogs anew: `compiled.key_of` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters.catalog_schema import ValidatedEntry, ValidatedFile
from ttctl.adapters.toml import parse_toml
from ttctl.errors import BadFileError
from ttctl.model.pins import (
    Changed,
    Issue,
    Pins,
    Requirement,
    Target,
)
from ttctl.model.spec import Limits, ModelSpec, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MIB = 1 << 20


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
