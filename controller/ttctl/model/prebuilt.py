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
    state: Literal["there", "locked", "absent", "silent", "unasked"]
    """`locked`: a lock names it, and nobody was asked; `absent`: the registry answers and does not
    give it; `silent`: nobody answers."""
    digest: str = ""
    """`sha256:...` where it is there."""
    why: str = ""
    """Why there is no digest."""
    user: str = ""
    """Whom its server starts as, a name or a number; empty where nobody could be asked."""

    @property
    def pulled_as(self) -> str:
        """What is pulled: by its digest, where one is known."""
        if not self.digest or "@" in self.reference:
            return self.reference
        host, slash, name = self.reference.rpartition("/")
        return f"{host}{slash}{name.partition(':')[0]}@{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of an image in a registry."""

    name: str
    """`sha256:...` of it unpacked; the engine names its own layers so, too."""
    size_bytes: int
    """As it is sent: compressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What an image that is here says of itself."""

    user: str
    """Whom it starts as, a name or a number."""
    digests: tuple[str, ...] = ()
    """Its names by digest, `REPOSITORY@sha256:...`: none where it did not come from a registry."""


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

    def mirrored(self, reference: str, site: Site) -> str:
        """Return what upstream names so as this place reaches it; nobody is asked."""

    def layers(self, reference: str, site: Site) -> tuple[Layer, ...]:
        """Return an image's layers from the bottom up; none where no registry tells them.

        `reference` is as this place reaches it.
        """
