# SPDX-License-Identifier: Apache-2.0
"""May the model hub be asked at this place, and what lifts the switch that says no?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import OfflineError
from ttctl.model.site import is_on

if TYPE_CHECKING:
    from ttctl.model.site import Site, Sourced


def refuse_when_offline(site: Site, repository: str) -> None:
    """Refuse to ask the hub where a switch of this place forbids it.

    Raises:
        OfflineError: One does.
    """
    switch = site.offline if site.is_offline else site.hub_offline
    if switch is not None and is_on(switch):
        raise OfflineError(
            f"The weights {repository!r} may not be fetched.",
            why="This place is set to ask no model hub, and they are not complete here.",
            evidence=f"Set in {switch.source}.",
            next_step=_undo(switch, repository),
        )


def _undo(switch: Sourced, repository: str) -> str:
    """Return what lifts the switch that is set: another one would not help."""
    if switch.source.startswith("--"):
        return (
            f"ttctl models pull {repository}   # without {switch.source}, where there is a network"
        )
    if switch.source.isidentifier() and switch.source.isupper():
        return f"unset {switch.source}   # where there is a network"
    return f"ttctl config site   # {switch.source} sets it"
