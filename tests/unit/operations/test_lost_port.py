# SPDX-License-Identifier: Apache-2.0
"""Is a port that was lost between the look and the start told, and does nothing wait for it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeLauncher, Scene

from ttctl.errors import EngineError, UsageError
from ttctl.model.spec import Request
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.plan import How
    from ttctl.model.protocols import Reporter

REQUEST = Request(model="demo-llama", name="llama", port=8000)


class Refused(FakeLauncher):
    """Makes the containers; then Docker cannot start the gateway."""

    def __init__(self, scene: Scene, *, holder: str) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._scene = scene
        self._holder = holder

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)
        self._scene.engine.set_state("gateway", state="created", health="", ports=())
        if self._holder:
            self._scene.host.holders[8000] = self._holder
        raise EngineError("The stack 'llama' did not come up.")


def test_who_took_the_port_is_told_and_the_gateway_that_never_started_is_gone() -> None:
    scene = Scene()
    scene.launcher = Refused(scene, holder="pid 7 (nc)")
    with pytest.raises(UsageError, match=r"Port 8000 on 127\.0\.0\.1 is taken") as caught:
        up(scene.world, REQUEST)
    assert caught.value.why == "pid 7 (nc) listens there."
    assert scene.calls[-1] == "remove gateway"


def test_a_start_that_fails_for_another_cause_is_left_to_be_looked_at() -> None:
    scene = Scene()
    scene.launcher = Refused(scene, holder="")
    with pytest.raises(EngineError, match="did not come up"):
        up(scene.world, REQUEST)
    assert "remove gateway" not in scene.calls


def test_an_up_makes_anew_what_was_made_and_never_started() -> None:
    scene = Scene()
    up(scene.world, REQUEST)
    scene.engine.set_state("gateway", state="created", health="", ports=())
    scene.calls.clear()
    assert up(scene.world, REQUEST).changed
    assert scene.calls.index("remove gateway") < scene.calls.index("up")
