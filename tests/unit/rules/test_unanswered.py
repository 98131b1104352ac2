# SPDX-License-Identifier: Apache-2.0
"""Is a hang told from slowness and from absence, by what the gateway and the engine count?"""

from __future__ import annotations

import pytest

from ttctl.model.gateway import Health
from ttctl.rules.live_metrics import Figures, samples
from ttctl.rules.unanswered import OF_CHECKS, SLOW_S, of_checks, of_figures, of_health

SEVERAL = "\n".join(
    f"{name}{{{labels}}} {value}"
    for name, labels, value in (
        ("haproxy_server_status", 'proxy="vllm",server="vllm",state="UP"', 1),
        ("haproxy_server_status", 'proxy="api",server="api",state="DOWN"', 1),
        ("haproxy_server_status", 'proxy="sd",server="sd",state="DOWN"', 1),
        ("haproxy_server_check_status", 'proxy="vllm",server="vllm",state="L7OK"', 1),
        ("haproxy_server_check_status", 'proxy="api",server="api",state="L7TOUT"', 1),
        ("haproxy_server_check_duration_seconds", 'proxy="api",server="api"', 30.5),
        ("haproxy_server_check_last_change_seconds", 'proxy="api",server="api"', 12),
    )
)
BUSY = Figures(requests=3, tokens=100, running=1, waiting=0)


def test_of_several_engines_only_those_that_are_down_are_told_each_by_its_own_check() -> None:
    found = tuple(of_checks(samples(SEVERAL, OF_CHECKS)))
    assert [(one.service, one.failure) for one in found] == [("api", "hung"), ("sd", "unreachable")]
    assert found[0].evidence == "the gateway's check of api: L7TOUT; down for 12 s"
    assert found[1].evidence == "the gateway's check of sd: none yet; down for 0 s"


@pytest.mark.parametrize(
    ("health", "failure"),
    [
        (Health(status=200, seconds=SLOW_S - 0.1, taken=True), None),
        (Health(status=200, seconds=SLOW_S, taken=True), "slow"),
        (Health(status=503, seconds=0.1, taken=True), "ill"),
        (Health(status=0, seconds=5.0, taken=True), "hung"),
        (Health(status=0, seconds=0.1, taken=True), "ill"),
        (Health(status=0, seconds=5.0, taken=False), "refuses"),
    ],
)
def test_what_comes_of_a_question_tells_which_it_is(health: Health, failure: str | None) -> None:
    found = of_health(health, "vllm")
    assert (found.failure if found else None) == failure


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(BUSY, BUSY, True, id="no token"),
        pytest.param(BUSY, Figures(requests=3, tokens=101, running=1), False, id="a token"),
        pytest.param(BUSY, Figures(requests=4, tokens=100, running=1), False, id="one ended"),
        pytest.param(BUSY, Figures(requests=3, tokens=100, running=0), False, id="none is left"),
        pytest.param(Figures(tokens=1, running=0), BUSY, False, id="none ran before"),
        pytest.param(Figures(running=1), Figures(running=1), False, id="tokens are not counted"),
    ],
)
def test_only_requests_that_run_all_the_time_and_get_no_token_are_told(
    before: Figures, after: Figures, *, told: bool
) -> None:
    assert (of_figures("vllm", before, after, seconds=3) is not None) is told
