# SPDX-License-Identifier: Apache-2.0
"""What was validated together, by an export and what is known beside it? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.rules.contract import pins_of
from ttctl.rules.first_validated import as_first_validated
from ttctl.rules.suspects import with_suspects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.export import Export
    from ttctl.model.pin_facts import FirstValidated, PinFacts
    from ttctl.model.spec import ModelSpec


def validated_specs(
    export: Export, *, facts: PinFacts, first: Mapping[str, FirstValidated]
) -> tuple[ModelSpec, ...]:
    """Return an export's entries with their pins, and the arguments they were validated with.

    Args:
        export: As read.
        facts: What is known of pins.
        first: By entry, what its image was first validated with; `known_first` takes it from a
            catalog that has it.
    """
    pinned = [replace(one.spec, pins=pins_of(one, facts)) for one in export.listed]
    return with_suspects(
        as_first_validated(spec, first.get(spec.id), release=export.release) for spec in pinned
    )
