# SPDX-License-Identifier: Apache-2.0
"""Makes the checks of one group of `doctor`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.health import Check

if TYPE_CHECKING:
    from ttctl.model.health import Group, Verdict


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """Makes checks that all belong to one group."""

    group: Group

    def __call__(
        self,
        name: str,
        verdict: Verdict,
        summary: str,
        *,
        evidence: str = "",
        fix: str = "",
        harmless: bool = False,
    ) -> Check:
        """Return one check."""
        return Check(
            name=name,
            group=self.group,
            verdict=verdict,
            summary=summary,
            evidence=evidence,
            fix=fix,
            harmless=harmless,
        )
