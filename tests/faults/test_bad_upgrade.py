# SPDX-License-Identifier: Apache-2.0
"""R18. An upgrade that never becomes ready, or ends at once: what served before serves again.

tests/e2e/test_generations.py does it with the real vLLM.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import finish, read_until, tree
from tests.e2e.left_behind import strays
from tests.faults.stage import EVERYTHING
from tests.faults.victims import settled

if TYPE_CHECKING:
    from tests.e2e.driver import Stack
    from tests.e2e.left_behind import LeftBehind
    from tests.faults.conftest import Figure

pytestmark = pytest.mark.docker

SLACK_S = 5
FAILED_STEP = r"^ +x (Start|Wait) "
NEVER_READY, ENDS = "8192", "1000000"
"""Contexts that the stand-in never is ready for, and that end it."""


@pytest.mark.parametrize(
    ("context", "words"),
    [
        pytest.param(NEVER_READY, ("--wait-timeout", "8"), id="never ready"),
        pytest.param(ENDS, (), id="ends at once"),
    ][: 2 if EVERYTHING else 1],
)
def test_an_upgrade_that_does_not_come_up_gives_way_to_what_served(
    context: str, words: tuple[str, ...], stack: Stack, figure: Figure
) -> None:
    began = time.monotonic()
    stack.up()
    own_s = time.monotonic() - began
    whole, rendered = settled(stack), tree(stack.folder)
    environ = {**stack.ttctl.environ, "TTCTL_UP_MAX_MODEL_LEN": context}
    ttctl = replace(stack.ttctl, environ=environ)
    child = ttctl.start("--verbose", "upgrade", stack.name, "--yes", *words)
    # The step that fails: from there on everything is the way back, its stop too.
    read_until(child, FAILED_STEP)
    began = time.monotonic()
    failed = finish(child)
    back_s = time.monotonic() - began
    assert failed.code == 1, failed.err
    assert "serves again" in failed.err
    assert stack.serves()
    assert tree(stack.folder) == rendered
    assert settled(stack).names == whole.names
    assert states(settled(stack)) == states(whole)
    assert strays(stack) == []
    assert "nothing was changed" in stack.up().out
    what = "never becomes ready" if words else "ends at once"
    told = f"{back_s:.1f} s; its own start took {own_s:.1f} s"
    figure("R18", f"upgrade to what {what}: served again after", told)
    assert back_s <= own_s + SLACK_S


def states(found: LeftBehind) -> dict[str, tuple[str, str, str]]:
    """Return image, state and health: what is replaced has another label of compose's own."""
    return {name: one[:3] for name, one in found.containers.items()}
