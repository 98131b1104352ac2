# SPDX-License-Identifier: Apache-2.0
"""What does tt-topology list of the cards? It is only ever called to list, never to set up.

Source: https://github.com/tenstorrent/tt-topology/blob/47688f75f3e0f16d9c8ec3e5a009be4a9ea17a7d/tt_topology/backend.py,
detect_current_topology. Not yet run on a card.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.card_tool import CardTool
from ttctl.adapters.tree import text_of
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.device import Topology
from ttctl.model.telemetry import Listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Kind = Literal["mesh", "linear/torus", "isolated", "unknown"]

COMMAND = ("tt-topology", "-ls")
NAME = "tt-topology.json"
RECORDED = "tt-topology.txt"
"""In a device root: what the program printed, read in place of calling it."""
SIGN = "onfiguration"

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LAYOUT = re.compile(r"Configuration:\s*(\S[^\n]*)")
_KINDS: dict[str, Kind] = {
    "mesh": "mesh",
    "linear/torus": "linear/torus",
    "isolated or not configured": "isolated",
    # Of older releases.
    "not flashed into a configuration": "isolated",
}


class TtTopology:
    """The program, and what it listed a moment ago."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        root: Path,
        cache: Path,
        limit_s: float,
        max_age_s: float,
    ) -> None:
        """Nothing is asked yet.

        Args:
            environ: Names the program's folder, in PATH.
            root: Where the host's file system starts; one that was made up may have a recording.
            cache: Where the last answer is kept.
            limit_s: The longest that a caller waits.
            max_age_s: For how long an answer holds.
        """
        self._recorded = root / RECORDED if root != Path("/") else None
        self._tool = CardTool(
            command=COMMAND,
            environ=environ,
            file=cache / NAME,
            limit_s=limit_s,
            max_age_s=max_age_s,
            sign=SIGN,
            read=_read,
        )

    def listed(self, *, ask: bool) -> Listed:
        """Return what it lists, or listed a moment ago; it is started only with `ask`."""
        if self._recorded is not None and (text := text_of(self._recorded)):
            return _replayed(text, self._recorded)
        said = self._tool.ask() if ask else self._tool.kept()
        return Listed(topology=said.value, note=said.note) if said else Listed(topology=None)


def parse_listing(text: str, source: str) -> Topology:
    """Read a listing.

    Raises:
        BadFileError: There is none in it.
    """
    plain = _COLOUR.sub("", text)
    layout = _LAYOUT.search(plain)
    word = " ".join(layout[1].split()) if layout else ""
    if kind := _KINDS.get(word.lower()):
        return Topology(kind=kind, reason=f"it lists {word!r}", source=source)
    if layout is None and "Cannot comprehend configuration" not in plain:
        raise BadFileError(
            "This is no listing of tt-topology.",
            why="A listing names the configuration of the boards.",
            evidence=source,
            next_step=" ".join(COMMAND),
        )
    said = "".join(one for one in word[:80] if one.isprintable())
    reason = f"it lists {said!r}" if said else "it does not understand the chips' places"
    return Topology(kind="unknown", reason=reason, source=source)


def _replayed(text: str, file: Path) -> Listed:
    try:
        return Listed(topology=parse_listing(text, file.name))
    except TtctlError as error:
        return Listed(topology=None, note=f"{error.message.rstrip('.')}: {file.name}")


def _read(text: str, age_s: float) -> Topology:
    when = f", {age_s:.0f} s ago" if age_s >= 1 else ""
    return parse_listing(text, f"{' '.join(COMMAND)}{when}")
