# SPDX-License-Identifier: Apache-2.0
"""Is what the fault tests stand on sound: an engine of their own, with a stand-in that serves?"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.faults.own_engine import own_engine

if TYPE_CHECKING:
    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker


def seen_outside() -> tuple[str, ...]:
    """Return what the machine's own engine and network are like, but for who is in it just now."""
    shape = "{{.Id}} {{.Created}} {{json .IPAM}} {{json .Options}}"
    words = (
        ["ip", "-brief", "link"],
        ["docker", "network", "inspect", "--format", shape, "bridge", "host"],
    )
    texts = (subprocess.run(one, capture_output=True, text=True, check=True) for one in words)
    bridges = sorted(line.split()[0] for line in next(texts).stdout.splitlines())
    return (*(name for name in bridges if name == "docker0"), next(texts).stdout)


def test_a_stack_serves_and_nothing_is_left(stack: Stack, figure: Figure) -> None:
    began = time.monotonic()
    stack.up()
    figure("R2", "an `up` of the stand-in, all images there", f"{time.monotonic() - began:.1f} s")
    assert stack.serves() == "one two three"
    assert "nothing was changed" in stack.up().out
    assert set(stack.inspect()) == {"vllm", "gateway"}
    stack.down()
    assert stack.inspect() == {}


@pytest.mark.parametrize("live_restore", [False, True])
def test_an_engine_of_its_own_is_killed_and_comes_back_unnoticed(*, live_restore: bool) -> None:
    before = seen_outside()
    with own_engine(live_restore=live_restore) as engine:
        folder = engine.folder
        assert engine.answers()
        engine.kill()
        assert not engine.answers()
        engine.start()
        with engine.paused():
            pass
        engine.restart()
        assert engine.answers()
    assert not folder.exists()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert seen_outside() == before


def test_it_shows_no_container_of_the_machine(engine: OwnEngine) -> None:
    assert engine.containers() == {}
