# SPDX-License-Identifier: Apache-2.0
"""What does a catalog's folder hold? Every file of it is checked.

Every change of this file makes compiled catalogs anew: `compiled.key_of` reads it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.catalog_advice import FILE as ADVICE
from ttctl.adapters.catalog_advice import GATED, read_advice, read_gated
from ttctl.adapters.catalog_entries import checked_specs
from ttctl.adapters.catalog_validated import (
    check_one_export,
    read_validated,
    validated_values,
)
from ttctl.adapters.compiled import Checked
from ttctl.errors import BadFileError
from ttctl.model.pins import Advice, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ttctl.model.spec import ModelSpec

VALIDATED = "tenstorrent"
"""The folder of upstream's entries."""


def checked_catalog(paths: Iterable[Path]) -> Checked:
    """Return what the files of one catalog hold, own entries before upstream's.

    Raises:
        BadFileError: A file is damaged, or a value is not what it must be.
    """
    own, upstream, said = _sorted_out(paths)
    files = [(path, read_validated(path)) for path in upstream]
    check_one_export(files)
    specs = checked_specs(own) + tuple(spec for _, file in files for spec in validated_values(file))
    _check_ids(specs)
    origin = Origin(release="", source="built-in", date="", sha256="")
    if files:
        file = files[0][1]
        origin = Origin(
            release=file.release,
            source="built-in",
            date=file.date.isoformat(),
            sha256=file.sha256,
        )
    return Checked(specs=specs, advice=_advice(said), origin=origin)


def _advice(said: dict[str, Path]) -> Advice:
    advice = read_advice(said[ADVICE]) if ADVICE in said else Advice()
    return replace(advice, gated=read_gated(said[GATED])) if GATED in said else advice


def _sorted_out(paths: Iterable[Path]) -> tuple[list[Path], list[Path], dict[str, Path]]:
    own: list[Path] = []
    upstream: list[Path] = []
    said: dict[str, Path] = {}
    for path in paths:
        if path.parent.name == VALIDATED:
            upstream.append(path)
        elif path.name in {ADVICE, GATED}:
            said[path.name] = path
        else:
            own.append(path)
    return own, upstream, said


def _check_ids(specs: tuple[ModelSpec, ...]) -> None:
    seen: set[str] = set()
    for spec in specs:
        if spec.id in seen:
            raise BadFileError(
                f"The catalog has two entries {spec.id!r}.",
                why="An id names one entry.",
                evidence=f"{spec.model} on {spec.device}.",
                next_step="pip install --force-reinstall ttctl",
            )
        seen.add(spec.id)
