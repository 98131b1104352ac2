# SPDX-License-Identifier: Apache-2.0
"""Check an export's bytes. Loads what listing must not wait for, so it is itself loaded late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.adapters.pin_facts import read_pin_facts
from ttctl.adapters.upstream_export import read_export
from ttctl.rules.first_validated import known_first
from ttctl.rules.validated import validated_specs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.model.catalog import Catalog
    from ttctl.model.pins import Quarantined
    from ttctl.model.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What an export holds."""

    release: str
    """As it is shown."""
    specs: tuple[ModelSpec, ...]
    quarantined: tuple[Quarantined, ...]
    raw: Mapping[str, Mapping[str, object]]


def read_catalog(data: bytes, name: str, *, shipped: Path, built_in: Catalog) -> Read:
    """Read an export, with the arguments that its images were first validated with.

    Args:
        data: The export's bytes.
        name: Its address or path.
        shipped: The built-in catalog's folder, which knows facts of pins.
        built_in: Knows which release first listed an image.

    Raises:
        BadFileError: It is no export.
    """
    facts = read_pin_facts(shipped)
    export = read_export(data, name=name, published=facts.exports)
    return Read(
        release=export.release_said,
        specs=validated_specs(export, facts=facts, first=known_first(built_in.specs())),
        quarantined=export.quarantined,
        raw={one.spec.id: one.raw for one in export.listed},
    )
