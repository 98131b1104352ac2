# SPDX-License-Identifier: Apache-2.0
"""What does tt-smi say of the cards, or what did it say a moment ago? Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters.card_tool import CardTool
from ttctl.adapters.tt_smi_snapshot import parse_snapshot
from ttctl.model.telemetry import Answered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.adapters.card_tool import Said
    from ttctl.model.telemetry import Telemetry

COMMAND = ("tt-smi", "-s")
NAME = "tt-smi.json"


class TtSmi:
    """The program, and what it said a moment ago."""

    def __init__(
        self, environ: Mapping[str, str], *, cache: Path, limit_s: float, max_age_s: float
    ) -> None:
        """Nothing is asked yet.

        Args:
            environ: Names the program's folder, in PATH.
            cache: Where the last answer is kept.
            limit_s: The longest that a caller waits.
            max_age_s: For how long an answer holds.
        """
        self._tool = CardTool(
            command=COMMAND,
            environ=environ,
            file=cache / NAME,
            limit_s=limit_s,
            max_age_s=max_age_s,
            sign="{",
            read=_read,
        )

    def kept(self) -> Answered:
        """Return the last answer or failure, neither where it is too old."""
        said = self._tool.kept()
        return _answered(said) if said else Answered(telemetry=None)

    def ask(self) -> Answered:
        """Return the last answer where it still holds, else ask; never raises, never hangs."""
        return _answered(self._tool.ask())


def _answered(said: Said[Telemetry]) -> Answered:
    return Answered(telemetry=said.value, note=said.note, hung=said.hung)


def _read(text: str, age_s: float) -> Telemetry:
    return parse_snapshot(text, COMMAND[0], age_s=age_s)
