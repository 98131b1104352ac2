# SPDX-License-Identifier: Apache-2.0
"""What an upstream export lists, before the rules have judged it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.pins import Quarantined
    from ttctl.model.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry as the export says it."""

    spec: ModelSpec
    """With the export's own arguments and environment, and no pins yet."""
    tt_metal: str
    vllm: str
    image: str
    version: str
    raw: Mapping[str, object]
    """The entry's object, keys that ttctl does not know included."""


NOT_TOLD = "not told"
"""What is said of a release that no file, name or digest tells."""
BY_IMAGES = "the highest version of an image in it"
"""Where a release was read that is only the least that it can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A catalog file that upstream published."""

    release: str
    release_from: str
    """Where the release was read: in the file, in its name, or off the highest image version."""
    sha256: str
    listed: tuple[Listed, ...]
    quarantined: tuple[Quarantined, ...]
    """Entries that are not used, each with its reason."""

    @property
    def release_said(self) -> str:
        """The release as it is shown: what only its images let guess is not told."""
        if self.release_from != BY_IMAGES:
            return self.release
        return f"{NOT_TOLD} (at least {self.release})" if self.release else ""
