# SPDX-License-Identifier: Apache-2.0
"""What did a refresh do, and what is used now? Only a refresh loads this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.catalog import Refreshed

if TYPE_CHECKING:
    from ttctl.adapters.catalog_record import Record
    from ttctl.errors import TtctlError
    from ttctl.model.catalog import Catalog, Outcome


def told(
    catalog: Catalog,
    outcome: Outcome,
    address: str,
    *,
    record: Record | None = None,
    failure: TtctlError | None = None,
) -> Refreshed:
    """Return what a refresh tells.

    Args:
        catalog: The one that is used from now on.
        outcome: How it was had.
        address: Where it was asked for.
        record: What is known of the copy, None for the built-in one.
        failure: Why it is not a newer one.
    """
    return Refreshed(
        outcome=outcome,
        address=address,
        catalog=catalog.origin(),
        sha256=record.sha256 if record else catalog.origin().sha256,
        etag=record.etag if record else "",
        size_bytes=record.size_bytes if record else 0,
        entries=len(catalog.specs()),
        quarantined=len(catalog.quarantined()),
        failure=f"{failure.message} {failure.evidence}".strip() if failure else "",
        exit_code=failure.exit_code if failure else 0,
    )
