# SPDX-License-Identifier: Apache-2.0
"""A name of a commit, made exact. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ttctl.model.image import LocalSource
    from ttctl.model.site import Site

CommitOrigin = Literal["given", "known", "listed", "fetched", "locked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCommit:
    """A commit as a catalog names it."""

    component: str
    """`tt-metal`, `vllm` or `vllm-tt-plugin`."""
    repository: str
    """Public address; the site may name a mirror in its place."""
    name: str
    """7 to 40 hex digits, or a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedCommit:
    """A commit of 40 hex digits, and how it was found."""

    component: str
    name: str
    commit: str
    origin: CommitOrigin
    """`given`: full already; `known`: in the catalog's table; `listed`: the repository names it
    by a tag or a branch; `fetched`: found among all its commits; `locked`: a lock says it."""


class CommitResolver(Protocol):
    """Makes the names of commits exact."""

    @property
    def repositories(self) -> Mapping[str, str]:
        """`tt-metal`, `vllm` and `vllm-tt-plugin` to their public addresses."""

    def checkouts(self, given: Sequence[str]) -> tuple[LocalSource, ...]:
        """Return the checkouts on this machine that `COMPONENT=PATH` names.

        Raises:
            UsageError: One is no checkout, or its component is none.
        """

    def check(self, source: LocalSource, recipe: str, script: str) -> None:
        """Look whether a checkout is a tree that a recipe builds, by the script of its build.

        Raises:
            UsageError: It is not; it names the checkout and what it lacks.
        """

    def resolve(self, named: Sequence[NamedCommit], site: Site) -> tuple[ResolvedCommit, ...]:
        """Return the full commits, in the order of their names.

        Raises:
            OfflineError: Some are not known here and nobody could be asked; it names them all.
            BadFileError: A repository has no such commit, or several.
        """
