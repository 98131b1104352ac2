# SPDX-License-Identifier: Apache-2.0
"""Where is a catalog from that was fetched, or that somebody named as a file?"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from ttctl.model.pins import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.adapters.catalog_record import Record
    from ttctl.errors import TtctlError


def origin_of_record(record: Record, *, now_s: float, failure: TtctlError | None = None) -> Origin:
    """Return where a stored catalog is from.

    Args:
        record: What is known of it.
        now_s: Seconds since 1970.
        failure: Why it could not be asked for again, where that was tried.
    """
    return Origin(
        release=record.release,
        source=record.source,
        date=_day(record.fetched_s),
        sha256=record.sha256,
        age_s=max(0, int(now_s) - record.confirmed_s),
        note=_kept_note(failure),
    )


def origin_of_file(path: Path, data: bytes) -> Origin:
    """Return where a file's catalog is from; its release is told when it is read.

    What a file says of itself may be wrong: the one of release 0.13.0 says 0.12.0.
    """
    return Origin(
        release="",
        source=str(path),
        date=_day(path.stat().st_mtime),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _kept_note(failure: TtctlError | None) -> str:
    if failure is None:
        return ""
    return f"{failure.message} {failure.evidence} The last good copy is used.".replace("\n", " ")


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
