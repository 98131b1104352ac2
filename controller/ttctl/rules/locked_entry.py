# SPDX-License-Identifier: Apache-2.0
"""Which entry of the catalog does a lock name? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.derived import entries_of
from ttctl.rules.experimental import experimental

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.lock import Lock, LockedEngine
    from ttctl.model.spec import ModelSpec


def locked_entry(specs: Sequence[ModelSpec], locked: Lock | LockedEngine) -> ModelSpec | None:
    """Return the entry of a stack's own engine, or of one beside it; None where it is no more.

    Args:
        specs: The catalog's entries.
        locked: What the lock keeps of the engine.
    """
    known = entries_of(specs, locked.engine)
    of_model = [spec for spec in known if spec.model == locked.model]
    if locked.experimental:
        return next(iter(experimental(of_model, known, device=locked.device)), None)
    same = (
        one
        for one in of_model
        if (one.device, one.engine) == (locked.device, locked.engine)
        # An engine beside the own one has none in the lock where it runs without a card.
        and (one.implementation == locked.implementation or one.pins is None)
    )
    return next(same, None)
