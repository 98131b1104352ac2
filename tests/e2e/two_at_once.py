# SPDX-License-Identifier: Apache-2.0
"""Bring stacks up at the same time, and hear what the engine makes for them."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.e2e.driver import finish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Ran, Stack


def both(*stacks: Stack, lock_timeout: str) -> list[Ran]:
    """Bring them up at the same time."""
    children = [one.start_up("--lock-timeout", lock_timeout) for one in stacks]
    return [finish(child) for child in children]


@contextmanager
def creations(stack: Stack) -> Iterator[Path]:
    """Yield a file that gets a line for each container that the engine makes.

    It listens all the while: the engine remembers 256 events, and each look at a health is three.
    """
    path = stack.ttctl.home / "creations"
    words = ["--filter", "event=create", "--filter", "type=container", "--since", str(time.time())]
    command = ["docker", "events", *words, "--format", "{{.Actor.Attributes.name}}"]
    with (
        path.open("w") as file,
        subprocess.Popen(command, env=dict(stack.ttctl.environ), stdout=file) as child,
    ):
        try:
            yield path
        finally:
            child.kill()


def made_of(stack: Stack, creations: Path) -> list[str]:
    """Return the names of the stack's containers that were made, each time it was, in order."""
    names = creations.read_text().splitlines()
    return sorted(one for one in names if f"ttctl-{stack.name}-" in one)
