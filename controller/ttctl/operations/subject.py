# SPDX-License-Identifier: Apache-2.0
"""What `doctor` looks at: one machine, with one stack or with all, and what was already seen."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.site import Site
from ttctl.rules.pull_room import BUILD_BYTES
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.health import EngineVitals, PlaceVitals
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec

HUSK = "created"


class Subject:
    """What is looked at: this machine, with one stack or with all. Shared by the probes."""

    def __init__(
        self, world: World, stacks: tuple[str, ...], model: ModelSpec | None = None
    ) -> None:
        """Nothing is looked at yet.

        Args:
            world: Everything outside.
            stacks: Those that are meant.
            model: What a stack is to be made of, where the user named a model without one.
        """
        self.world = world
        self.stacks = stacks
        self.named = model
        self._asking = threading.Lock()
        self._engine: EngineVitals | None = None

    @property
    def engine(self) -> EngineVitals:
        """The engine, asked once whoever is first."""
        with self._asking:
            if self._engine is None:
                self._engine = self.world.vitals.engine()
            return self._engine

    @cached_property
    def site(self) -> Site:
        """The settings of this place, or none of them where they cannot be read."""
        try:
            return self.world.site
        except TtctlError:
            return Site()

    @cached_property
    def place(self) -> PlaceVitals:
        """The clock, the certificates, the addresses."""
        return self.world.vitals.place(self.site)

    @cached_property
    def locks(self) -> tuple[Lock, ...]:
        """The locks that can be read."""
        found = (self._lock(stack) for stack in self.stacks)
        return tuple(lock for lock in found if lock is not None)

    @property
    def model(self) -> ModelSpec | None:
        """The model that would be brought up: the one that was named, else the default one."""
        if self.named is not None:
            return self.named
        device = self.world.host.system().device
        specs = [spec for spec in self.world.catalog.specs() if spec.device == device]
        return next((spec for spec in specs if spec.default), None)

    @cached_property
    def missing_images(self) -> tuple[str, ...]:
        """Names of the images that the stacks still need; those of a first build without one."""
        images = {(image.name, image.reference) for lock in self.locks for image in lock.images}
        if not images:
            own = self.site.engine_image is not None
            return (GATEWAY_SERVICE,) if own else (*BUILD_BYTES, GATEWAY_SERVICE)
        if not self.engine.answers:
            return ()
        here = self.world.engine.has_image
        return tuple(sorted({name for name, reference in images if not here(reference)}))

    def _lock(self, stack: str) -> Lock | None:
        try:
            return self.world.store.lock(stack)
        except TtctlError:
            return None

    @property
    def containers(self) -> tuple[ContainerState, ...]:
        """Every container of ttctl as it is now, other users' too; none without an engine."""
        return self.world.engine.containers(None) if self.engine.answers else ()

    @property
    def husks(self) -> tuple[ContainerState, ...]:
        """This user's containers that were made and never started, those without a lock too."""
        owner = self.world.store.owner()
        others = set(self.world.store.stacks()) - set(self.stacks)
        return tuple(
            one
            for one in self.containers
            if one.owner == owner and one.state == HUSK and one.stack not in others
        )
