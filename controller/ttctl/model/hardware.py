# SPDX-License-Identifier: Apache-2.0
"""Who knows which entries ran on cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ttctl.model.acceptance import RanOn
    from ttctl.model.spec import ModelSpec


class Hardware(Protocol):
    """The results that are kept beside the catalog."""

    def ran(self, spec: ModelSpec) -> tuple[RanOn, ...]:
        """Return the runs of one entry, the newest first; their signatures are checked.

        Raises:
            BadFileError: A file is not what was signed.
        """
