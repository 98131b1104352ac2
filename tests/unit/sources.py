# SPDX-License-Identifier: Apache-2.0
"""Hand-written stand-ins for what tells commits and prebuilt images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import OfflineError
from ttctl.model.commit import ResolvedCommit
from ttctl.model.image import LocalSource
from ttctl.model.prebuilt import Prebuilt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.commit import NamedCommit
    from ttctl.model.site import Site


class FakeCommits:
    """A table, and a network that answers or not."""

    def __init__(self) -> None:
        self.repositories = {
            name: f"https://git.example.org/acme/{name}.git"
            for name in ("tt-metal", "vllm", "vllm-tt-plugin")
        }
        self.asked: list[NamedCommit] = []
        self.answers = True

    def checkouts(self, given: Sequence[str]) -> tuple[LocalSource, ...]:
        pairs = (one.partition("=") for one in given)
        return tuple(
            LocalSource(component=name, path=path, digest="a" * 64) for name, _, path in pairs
        )

    def resolve(
        self,
        named: Sequence[NamedCommit],
        site: Site,  # noqa: ARG002
    ) -> tuple[ResolvedCommit, ...]:
        self.asked += named
        if not self.answers:
            raise OfflineError("The full commits of x are not known here.", next_step="x")
        return tuple(
            ResolvedCommit(
                component=one.component,
                name=one.name,
                commit=f"{one.name:0<40}",
                origin="known",
            )
            for one in named
        )


class FakeRegistry:
    """A registry that has some images."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self.asked: list[str] = []
        self.answers = True

    def find(self, reference: str, site: Site) -> Prebuilt:  # noqa: ARG002
        self.asked.append(reference)
        if not self.answers:
            return Prebuilt(reference=reference, state="silent", why="nobody answers")
        if digest := self.digests.get(reference):
            return Prebuilt(reference=reference, state="there", digest=digest)
        return Prebuilt(reference=reference, state="absent", why="the registry has none")
