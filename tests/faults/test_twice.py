# SPDX-License-Identifier: Apache-2.0
"""R2. A second `up` does nothing: no container, no file and no moment of a file is another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import stamps
from tests.e2e.left_behind import home, weights

if TYPE_CHECKING:
    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure, Rounds

pytestmark = pytest.mark.docker

COMES_AND_GOES = ("stack.flock", "doing.json")
"""The kernel's lock is opened, and what is being done is told while it is."""


def written(stack: Stack) -> dict[str, tuple[int, int, int]]:
    found = {**stamps(home(stack)), **stamps(weights(stack))}
    # A file that came and went changes the folder's own moment.
    del found[str(home(stack))]
    return {path: stamp for path, stamp in found.items() if not path.endswith(COMES_AND_GOES)}


def test_a_second_up_does_nothing(stack: Stack, rounds: Rounds, figure: Figure) -> None:
    stack.up()
    containers, files = stack.identities(), written(stack)
    count = rounds(fast=3, whole=30)
    took = []
    for _ in range(count):
        began = time.monotonic()
        assert "nothing was changed" in stack.up().out
        took.append(time.monotonic() - began)
        assert stack.identities() == containers
        assert written(stack) == files
    figure("R2", f"{count} further `up`s", "0 operations, 0 files written, exit code 0")
    figure("R2", "a further `up`, with the proof that it answers", f"{min(took):.1f} s")
