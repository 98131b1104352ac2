# SPDX-License-Identifier: Apache-2.0
"""What nobody wrote for a reader, a traceback or a library's log, without what is secret here."""
# ruff: noqa: PLC0415 - only a defect and `--debug` need it

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from ttctl.cli.session import Session
    from ttctl.rules.scrub import Scrubber


class Hiding(logging.Formatter):
    """Takes this place's keys, tokens and passwords out of a text; names and paths stay."""

    def __init__(self, session: Session) -> None:
        """Nothing is read before there is a text."""
        super().__init__(logging.BASIC_FORMAT)
        self._session = session

    def hide(self, text: str) -> str:
        """Return a text without them."""
        try:
            return self._scrubber.text(text)
        except Exception:  # noqa: BLE001 - a place that cannot be read must not hide the defect
            return redacted(text)

    def format(self, record: logging.LogRecord) -> str:
        """Return a line of a log as it may be shown."""
        return self.hide(super().format(record))

    @cached_property
    def _scrubber(self) -> Scrubber:
        from ttctl.cli.wiring_report import WiredReport
        from ttctl.rules.scrub import Scrubber

        return Scrubber(replace(WiredReport(self._session).private(), names=()))


def log_everything(session: Session) -> None:
    """Show what every library logs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Hiding(session))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
