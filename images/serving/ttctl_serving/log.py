# SPDX-License-Identifier: Apache-2.0
"""One line of JSON for each thing that happened, on stderr. What people typed is never in it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

QUIET = {
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
}
"""Variables for the hub's libraries, set before they are imported.

Their warnings repeat the words of a prompt that is too long, their bars are no lines of JSON, and
nothing is fetched here.
"""


def log(event: str, **facts: object) -> None:
    """Write one line.

    Args:
        event: What happened, in one word.
        facts: Numbers and names; never a prompt, a key or an address.
    """
    # datetime.UTC is of Python 3.11, and a card's image may have 3.10.
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")  # noqa: UP017
    print(json.dumps({"time": now, "event": event, **facts}), file=sys.stderr, flush=True)


def where(error: BaseException) -> str:
    """Return the file and the line where an error was raised."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


class OnlyWhere(logging.Handler):
    """Says which library warned and where, and not what: a library may repeat what was typed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line for a library's."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        at = f"{record.pathname}:{record.lineno}"
        log("library", name=record.name, level=record.levelname, at=at, error=error)


def hold_libraries() -> None:
    """Send what libraries log, from warnings on, through `OnlyWhere`."""
    logging.basicConfig(level=logging.WARNING, handlers=[OnlyWhere()], force=True)
