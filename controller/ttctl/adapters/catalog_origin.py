# SPDX-License-Identifier: Apache-2.0
"""Where is a catalog from that was fetched, or that somebody named as a file?"""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING

from ttctl.model.pins import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.adapters.catalog_record import Record
    from ttctl.errors import TtctlError

_SAYS_RELEASE = re.compile(rb'"release_version"\s*:\s*"(\d+\.\d+\.\d+)"')
_HEAD_BYTES = 4096
"""Where an export names its release, if it does: before the entries."""


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
    """Return where a file's catalog is from; its release is what its head says, if it does."""
    said = _SAYS_RELEASE.search(data[:_HEAD_BYTES])
    return Origin(
        release=said[1].decode() if said else "",
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
