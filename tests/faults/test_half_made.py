# SPDX-License-Identifier: Apache-2.0
"""A container whose maker was killed before it had all its networks is made anew, not started.

Compose makes a container in one network and joins it to the others afterwards. In between, it has
its name, its labels and its hash, and would be taken for whole.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.faults.refused import WHOLE, running
from tests.faults.stage import EVERYTHING

if TYPE_CHECKING:
    from tests.e2e.driver import Stack
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("network", ["front", "back"] if EVERYTHING else ["front"])
def test_a_gateway_without_one_of_its_networks_is_made_anew(
    engine: OwnEngine, stack: Stack, network: str
) -> None:
    stack.up()
    stack.down()
    project = f"ttctl-{stack.name}"
    subprocess.run(
        ["docker", "compose", "--project-name", project, "up", "--no-start"],
        cwd=stack.folder, env={**engine.environ, "HOME": "/root"}, check=True, timeout=120,
        capture_output=True,
    )  # fmt: skip
    engine.docker("network", "disconnect", f"{project}_{network}", f"{project}-gateway-1")
    stack.up("--wait-timeout", "60")
    assert stack.serves()
    assert running(stack) == WHOLE
    assert "nothing was changed" in stack.up().out
