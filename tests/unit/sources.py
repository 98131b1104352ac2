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
    from ttctl.model.prebuilt import Layer
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
        self.tree = "a" * 64
        self.checked: list[tuple[str, str]] = []

    def checkouts(self, given: Sequence[str]) -> tuple[LocalSource, ...]:
        pairs = (one.partition("=") for one in given)
        return tuple(
            LocalSource(component=name, path=path, digest=self.tree) for name, _, path in pairs
        )

    def check(self, source: LocalSource, recipe: str, script: str) -> None:
        assert "set -euo pipefail" in script
        self.checked.append((source.component, recipe))

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
        self.user = ""
        self.the_layers: tuple[Layer, ...] = ()
        self.weighed: list[str] = []

    def mirrored(self, reference: str, site: Site) -> str:
        path = reference.partition("/")[2]
        return f"{site.registry.value}/{path}" if site.registry else reference

    def layers(self, reference: str, site: Site) -> tuple[Layer, ...]:  # noqa: ARG002
        self.weighed.append(reference)
        return self.the_layers

    def find(self, reference: str, site: Site) -> Prebuilt:
        self.asked.append(reference)
        here = self.mirrored(reference, site)
        if not self.answers:
            return Prebuilt(reference=here, state="silent", why="nobody answers")
        if digest := self.digests.get(reference):
            return Prebuilt(reference=here, state="there", digest=digest, user=self.user)
        return Prebuilt(reference=here, state="absent", why="the registry has none")
