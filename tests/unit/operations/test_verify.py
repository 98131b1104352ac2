# SPDX-License-Identifier: Apache-2.0
"""Is a stack that is up tried with all that is known to be asked, and within two minutes?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.accepted import FakeClient
from tests.unit.fakes import KEY, Scene

from ttctl.errors import EngineError
from ttctl.model.acceptance_kit import Answer
from ttctl.model.pins import Target
from ttctl.model.spec import Request
from ttctl.operations.acceptance_smoke import SMOKE_S
from ttctl.operations.up import up
from ttctl.operations.verify import verify

SPEED = Target(task="text", shape="128/128", concurrency=1, tier="target", ttft_ms=600, tput_user=2)
BUSY = replace(SPEED, concurrency=32)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    up(made.world, Request(model="llama"))
    return made


def client_of(scene: Scene) -> FakeClient:
    return FakeClient(scene.clock, model=scene.store.locks["llama"].model, key=KEY)


def give(scene: Scene, **changes: object) -> None:
    """Make the stack's entry another one."""
    model = scene.store.locks["llama"].model
    specs = scene.catalog.specs()
    changed = tuple(replace(one, **changes) if one.model == model else one for one in specs)  # type: ignore[arg-type]
    scene.catalog.specs = lambda: changed  # type: ignore[method-assign]


def test_everything_is_tried_and_a_model_without_speeds_says_so(scene: Scene) -> None:
    found = verify(scene.world, "llama", client_of(scene))
    assert {one.name: one.outcome for one in found.looked} == {
        "an answer": "passed",
        "a streamed answer": "passed",
        "a long prompt": "passed",
        "eight at once": "passed",
        "a stopped answer": "passed",
        "an answer after a stopped one": "passed",
    }
    assert (found.tiers, found.mind, found.failed) == ((), "its entry names no speed", False)


def test_a_tool_is_called_where_the_engine_reads_calls(scene: Scene) -> None:
    give(scene, tool_parser="hermes")
    client = client_of(scene)
    client.faults["/v1/chat/completions"] = Answer(status=500)
    found = verify(scene.world, "llama", client)
    last = found.looked[-1]
    assert (last.name, last.outcome, last.why) == ("a tool call", "failed", "HTTP status 500")
    assert found.failed


def test_what_does_not_work_is_a_failure_with_its_reason(scene: Scene) -> None:
    client = client_of(scene)
    client.faults["/v1/completions"] = Answer(status=503)
    found = verify(scene.world, "llama", client)
    assert found.failed
    assert {one.why for one in found.looked} == {"HTTP status 503"}


def test_of_several_speeds_that_of_the_fewest_users_is_measured(scene: Scene) -> None:
    give(scene, targets=(BUSY, SPEED))
    (tier,) = verify(scene.world, "llama", client_of(scene)).tiers
    assert (tier.concurrency, tier.tier, tier.failed) == (1, "target", 0)
    assert {one.name for one in tier.figures} == {"ttft_ms", "tput_user"}


def test_two_minutes_are_the_end_of_it(scene: Scene) -> None:
    give(scene, targets=(SPEED,), tool_parser="hermes")
    client = client_of(scene)
    client.takes_s = SMOKE_S + 1
    found = verify(scene.world, "llama", client)
    assert len(client.asked) == 1
    assert [one.outcome for one in found.looked][1:] == ["skipped"] * 6
    assert found.mind == "the 120 s were over"


def test_a_measurement_ends_with_the_time_too(scene: Scene) -> None:
    give(scene, targets=(SPEED,))
    client = client_of(scene)
    client.takes_s = 8
    began = scene.clock.now()
    (tier,) = verify(scene.world, "llama", client).tiers
    assert tier.requests < 8
    # The request that warms up and the last one may each begin just before the end.
    assert scene.clock.now() - began <= SMOKE_S + 2 * client.takes_s


def test_a_stack_whose_entry_is_gone_is_refused(scene: Scene) -> None:
    scene.catalog.specs = lambda: ()  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="cannot be verified") as caught:
        verify(scene.world, "llama", client_of(scene))
    assert caught.value.next_step == "ttctl diff llama"
