# SPDX-License-Identifier: Apache-2.0
"""Does a stop reach the server of each contract, and does a stand-in end as it is told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins.containers import GRACE_S
from tests.standins.hand_launches import launch_of, media_as_root
from tests.standins.server_images import CONTRACTS, standin_image
from tests.standins.servers.faults import TRACE_REGION
from tests.standins.servers.start import CLEAN_STOP

if TYPE_CHECKING:
    from tests.standins.ground import Ground

pytest_plugins = ["tests.standins.ground_fixture"]
pytestmark = pytest.mark.docker


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_stop_within_the_grace_is_a_clean_one(contract: str, ground: Ground) -> None:
    with launch_of(contract, ground, (0,)).started() as running:
        running.healthy()
        code, seconds = running.stop()
        assert code == 0
        assert seconds < GRACE_S
        assert CLEAN_STOP in running.log()


@pytest.mark.parametrize("init", [True, False])
def test_by_its_own_command_a_media_image_is_killed_at_every_stop(
    ground: Ground, *, init: bool
) -> None:
    launch = media_as_root(ground).but()
    with (launch if init else launch.without("--init")).started() as running:
        running.healthy()
        code, _ = running.stop(grace_s=2)
        assert code == (143 if init else 137)
        assert CLEAN_STOP not in running.log()


def test_a_server_that_takes_longer_than_the_grace_is_killed(ground: Ground) -> None:
    slow = standin_image("own", faults={"STANDIN_STOP_S": "3"})
    for grace_s, code in ((1, 137), (GRACE_S, 0)):
        with launch_of("own", ground, (0,)).of(slow).started() as running:
            running.healthy()
            assert running.stop(grace_s=grace_s)[0] == code


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("trace-region", 1, TRACE_REGION),
        ("ethernet", 1, "Timed out while waiting for active ethernet core"),
        ("killed", 137, "told to end as 'killed'"),
    ],
)
def test_a_stand_in_ends_as_it_is_told(kind: str, code: int, words: str, ground: Ground) -> None:
    image = standin_image("vllm-current", faults={"STANDIN_CRASH": kind})
    ended, said = launch_of("vllm-current", ground, (0,)).of(image).ended()
    assert ended == code
    assert words in said


def test_a_stand_in_that_runs_out_of_memory_is_killed_for_it(ground: Ground) -> None:
    launch = launch_of("own", ground, (0,)).plus("--memory=64m", "--memory-swap=64m")
    with launch.started() as running:
        running.healthy()
        running.ask("/standin/crash/oom", {})
        assert running.wait() == 137
        assert running.state()["State"]["OOMKilled"]


def test_a_stand_in_is_ready_when_it_is_told_and_listens_as_its_contract_does(
    ground: Ground,
) -> None:
    late = {"STANDIN_DELAY_S": "4"}
    with launch_of("media", ground, (0,)).of(standin_image("media", faults=late)).started() as one:
        seen = [one.ask("/health")[0], one.healthy() and one.ask("/health")[0]]
        assert seen[0] in {0, 503}
        assert seen[1] == 200
    vllm = launch_of("vllm-current", ground, (0,))
    with vllm.started() as running:
        assert running.healthy() < 3
    with vllm.of(standin_image("vllm-current", faults=late)).started() as running:
        assert running.healthy() > 3
