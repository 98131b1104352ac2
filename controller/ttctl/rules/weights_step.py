# SPDX-License-Identifier: Apache-2.0
"""What is to be done for the weights of an engine? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.plan import Step
from ttctl.rules.supply_text import supply_text

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights
    from ttctl.model.weights import Supply


def weights_step(weights: LockedWeights, *, complete: bool, supply: Supply | None = None) -> Step:
    """Return what is to be done for the weights; `supply` says where they come from."""
    where = supply_text(supply) if supply else ""
    also = f"; {where}" if where else ""
    subject = f"weights {weights.repository}"
    if complete and not weights.files:
        return Step(verb="skip", subject=subject, reason="the engine's image fetches them itself")
    if complete:
        return Step(verb="skip", subject=subject, reason=f"every file is here and verified{also}")
    if not weights.files:
        return Step(verb="fetch", subject=subject, reason="which files they are is not asked yet")
    size = sum(file.size_bytes for file in weights.files)
    reason = f"{len(weights.files)} files, {size / 1e6:.1f} MB, are not all here{also}"
    return Step(verb="fetch", subject=subject, reason=reason)
