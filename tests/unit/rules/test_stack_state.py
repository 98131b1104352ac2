# SPDX-License-Identifier: Apache-2.0
"""Is a stack told as what its containers show?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.fakes import container

from ttctl.rules.stack_state import state_by


@pytest.mark.parametrize(
    ("gateway", "engine", "state"),
    [
        pytest.param({}, {}, "", id="both work"),
        pytest.param({}, {"health": "starting"}, "starting", id="an engine loads"),
        pytest.param({}, {"health": "unhealthy"}, "degraded", id="an engine is ill"),
        pytest.param({}, {"state": "exited", "exit_code": 0}, "degraded", id="an engine ended"),
        pytest.param({}, {"state": "paused"}, "degraded", id="an engine is paused"),
        pytest.param(
            {"state": "exited", "exit_code": 0},
            {"state": "exited", "exit_code": 143},
            "stopped",
            id="a stop ended both",
        ),
        pytest.param(
            {"state": "exited", "exit_code": 0},
            {"state": "exited", "exit_code": 1},
            "degraded",
            id="one crashed",
        ),
    ],
)
def test_a_stack_is_as_its_containers_are(
    gateway: dict[str, Any], engine: dict[str, Any], state: str
) -> None:
    assert state_by((container("gateway", **gateway), container("vllm", **engine))) == state


def test_a_stack_without_containers_is_stopped() -> None:
    assert state_by(()) == "stopped"
