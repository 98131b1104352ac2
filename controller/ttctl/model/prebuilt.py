# SPDX-License-Identifier: Apache-2.0
"""A validated image that somebody else built, and how an image is had. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from ttctl.model.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Prebuilt:
    """What a registry says of an image."""

    reference: str
    """As this place reaches it."""
    state: Literal["there", "absent", "silent", "unasked"]
    """`absent`: the registry answers and does not give it; `silent`: nobody answers."""
    digest: str = ""
    """`sha256:...` where it is there."""
    why: str = ""
    """Why there is no digest."""

    @property
    def pulled_as(self) -> str:
        """What is pulled: by its digest, where one is known."""
        if not self.digest or "@" in self.reference:
            return self.reference
        host, slash, name = self.reference.rpartition("/")
        return f"{host}{slash}{name.partition(':')[0]}@{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtain:
    """How an image is had."""

    way: Literal["pull", "build", "here", "refuse"]
    reason: str
    own: bool = False
    """Whether it is an image that ttctl builds; False for the prebuilt one."""


class Registry(Protocol):
    """Knows which prebuilt images there are."""

    def find(self, reference: str, site: Site) -> Prebuilt:
        """Look whether a registry has an image, by the place's mirror where it names one."""
