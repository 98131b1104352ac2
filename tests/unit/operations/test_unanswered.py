# SPDX-License-Identifier: Apache-2.0
"""Is it said why a stack whose containers work does not answer: does it hang, or is it slow?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.fakes import Scene
from tests.unit.living import GATEWAY_UP, VLLM

from ttctl.errors import EngineError
from ttctl.model.gateway import Health
from ttctl.model.spec import Request
from ttctl.operations import stacks, unanswered
from ttctl.operations.doctor import doctor
from ttctl.operations.ready import wait_for
from ttctl.operations.up import up

CHECKS = (
    'haproxy_server_status{{proxy="engine",server="vllm",state="DOWN"}} {down}\n'
    'haproxy_server_status{{proxy="engine",server="vllm",state="UP"}} 0\n'
    'haproxy_server_check_status{{proxy="engine",server="vllm",state="L7OK"}} 0\n'
    'haproxy_server_check_status{{proxy="engine",server="vllm",state="{check}"}} 1\n'
    'haproxy_server_check_code{{proxy="engine",server="vllm"}} {code}\n'
    'haproxy_server_check_duration_seconds{{proxy="engine",server="vllm"}} 30.001000\n'
    'haproxy_server_check_last_change_seconds{{proxy="engine",server="vllm"}} {since}\n'
)
"""As HAProxy 2.6 writes them."""


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama", name="mine"))
    return scene


def test_a_stack_that_answers_in_time_has_no_cause_and_is_asked_nothing_more(scene: Scene) -> None:
    said = stacks.status(scene.world, "mine")
    assert (said.state, said.causes, scene.live.asked) == ("ready", (), [])


def test_an_engine_that_takes_the_question_and_does_not_answer_hangs(scene: Scene) -> None:
    scene.gateway.the_health = Health(status=0, seconds=5.04, taken=True)
    said = stacks.status(scene.world, "mine")
    (cause,) = said.causes
    assert (said.state, cause.service, cause.failure) == ("degraded", "vllm", "hung")
    assert cause.cause == "vllm hangs: it took GET /health, and had no answer in 5 s"
    assert cause.evidence == "GET /health: taken, no answer after 5.0 s"
    assert cause.next_step == "ttctl restart mine"


@pytest.mark.parametrize(
    ("check", "code", "failure", "cause"),
    [
        pytest.param(
            "L7TOUT",
            0,
            "hung",
            "vllm hangs: it takes the gateway's checks, and has no answer in 30 s",
            id="no answer",
        ),
        pytest.param(
            "L4CON",
            0,
            "refuses",
            "vllm refuses connections: its server is not up",
            id="no server",
        ),
        pytest.param(
            "L7STS",
            500,
            "ill",
            "vllm answers the gateway's checks with HTTP 500",
            id="an error",
        ),
        pytest.param(
            "L4TOUT",
            0,
            "cut-off",
            "the gateway does not reach vllm: the network between them carries nothing",
            id="no connection",
        ),
        pytest.param(
            "L7RSP",
            0,
            "unreachable",
            "vllm does not pass the gateway's checks",
            id="no HTTP",
        ),
    ],
)
def test_the_gateways_own_checks_say_how_an_engine_fails(
    scene: Scene, check: str, code: int, failure: str, cause: str
) -> None:
    scene.gateway.is_healthy = False
    scene.live.texts["/gateway/metrics"] = CHECKS.format(down=1, check=check, code=code, since=95)
    (found,) = stacks.status(scene.world, "mine").causes
    assert (found.failure, found.cause) == (failure, cause)
    assert found.evidence == f"the gateway's check of vllm: {check}; down for 95 s"
    steps = {"hung": "ttctl restart mine", "cut-off": "ttctl up mine"}
    assert found.next_step == steps.get(failure, "ttctl logs mine vllm --tail 100")


def cut_off(scene: Scene, *, since: int) -> None:
    scene.gateway.is_healthy = False
    checks = CHECKS.format(down=1, check="L4TOUT", code=0, since=since)
    scene.live.texts["/gateway/metrics"] = checks


def test_one_up_makes_networks_anew_over_which_the_gateway_reaches_nobody(scene: Scene) -> None:
    cut_off(scene, since=20)
    scene.calls.clear()
    request = Request(model="llama", name="mine")

    def reached() -> None:
        scene.gateway.is_healthy = "up" in scene.calls

    scene.gateway.on_look = reached
    before = {one.container_id for one in scene.engine.containers("mine")}
    assert up(scene.world, request).changed
    assert [call for call in scene.calls if call.startswith(("down", "up"))] == ["down", "up"]
    assert not before & {one.container_id for one in scene.engine.containers("mine")}
    assert not up(scene.world, request).changed


def test_a_start_over_a_network_that_carries_nothing_is_ended_with_what_mends_it(
    scene: Scene,
) -> None:
    cut_off(scene, since=20)
    began = scene.clock.now()
    with pytest.raises(EngineError) as caught:
        wait_for(scene.world, scene.store.locks["mine"], limit_s=600)
    assert caught.value.message == "The service 'vllm' will not come up."
    assert "the network between them carries nothing" in caught.value.why
    assert caught.value.next_step == "ttctl up mine"
    assert scene.clock.now() - began < 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"health": "starting"}, id="a container that does not work yet"),
        pytest.param({"ports": ()}, id="a port that is not the stack's"),
    ],
)
def test_nobody_is_asked_about_networks_where_the_cause_is_another(
    scene: Scene, change: dict[str, Any]
) -> None:
    cut_off(scene, since=20)
    scene.engine.set_state("gateway", **change)
    assert unanswered.cut_off(scene.world, scene.engine.containers("mine")) == ()
    assert scene.live.asked == []


def test_a_check_that_has_just_failed_makes_no_network_anew(scene: Scene) -> None:
    cut_off(scene, since=2)
    containers = scene.engine.containers("mine")
    assert unanswered.cut_off(scene.world, containers) == ()
    (found,) = unanswered.look(scene.world, containers)
    assert found.failure == "unreachable"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no figures"),
        pytest.param("haproxy_server_status{", id="figures that are none"),
        pytest.param(
            CHECKS.format(down=0, check="L7OK", code=200, since=95), id="no engine is down"
        ),
    ],
)
def test_a_gateway_that_is_not_ready_is_told_by_its_status(scene: Scene, text: str | None) -> None:
    scene.gateway.is_healthy = False
    if text is not None:
        scene.live.texts["/gateway/metrics"] = text
    (found,) = stacks.status(scene.world, "mine").causes
    assert found.cause == "vllm works, and is not ready for the gateway (HTTP 503)"
    assert found.next_step == "ttctl wait mine"


@pytest.mark.parametrize(("taken", "failure"), [(False, "refuses"), (True, "ill")])
def test_a_gateway_that_breaks_off_or_takes_nothing_is_the_gateways_own_trouble(
    scene: Scene, *, taken: bool, failure: str
) -> None:
    scene.gateway.the_health = Health(status=0, seconds=0.0, taken=taken)
    (found,) = stacks.status(scene.world, "mine").causes
    assert (found.service, found.failure) == ("gateway", failure)
    assert found.next_step == "ttctl logs mine gateway --tail 100"


def test_an_engine_that_answers_late_is_slow_and_ready(scene: Scene) -> None:
    scene.gateway.the_health = Health(status=200, seconds=3.21, taken=True)
    said = stacks.status(scene.world, "mine")
    (cause,) = said.causes
    assert (said.state, cause.failure) == ("ready", "slow")
    assert cause.cause == "vllm answers slowly: GET /health took 3.2 s"
    assert cause.next_step == "ttctl status --live mine"


@pytest.mark.parametrize(
    ("health", "verdict", "fix"),
    [
        (Health(status=0, seconds=5, taken=True), "failed", "ttctl restart mine"),
        (Health(status=200, seconds=2, taken=True), "warning", "ttctl status --live mine"),
    ],
)
def test_doctor_says_the_same(scene: Scene, health: Health, verdict: str, fix: str) -> None:
    scene.gateway.the_health = health
    _, diagnosis = doctor(scene.world)
    (check,) = (one for one in diagnosis.checks if one.name == "mine vllm")
    assert (check.verdict, check.fix) == (verdict, fix)


def working(scene: Scene, *, tokens: int) -> None:
    scene.live.texts = {
        "/gateway/metrics": GATEWAY_UP.format(requests=4),
        "/metrics": VLLM.format(requests=3, tokens=tokens),
    }


def test_doctor_says_that_requests_run_and_no_token_comes(scene: Scene) -> None:
    working(scene, tokens=100)
    _, diagnosis = doctor(scene.world)
    (check,) = (one for one in diagnosis.checks if one.name == "mine vllm")
    assert (check.verdict, check.fix) == ("warning", "ttctl status --live mine")
    assert check.summary == (
        "vllm has requests and made no token in 3 s: it hangs, or reads a long prompt"
    )
    assert check.evidence == "2 running, 1 waiting; 100 tokens at both looks"


def test_an_engine_that_makes_tokens_works(scene: Scene) -> None:
    working(scene, tokens=100)
    scene.live.on_metrics = lambda: working(scene, tokens=100 + int(scene.clock.now()))
    _, diagnosis = doctor(scene.world)
    assert not [one for one in diagnosis.checks if one.name == "mine vllm"]


def test_an_engine_without_requests_is_looked_at_once(scene: Scene) -> None:
    working(scene, tokens=100)
    idle = scene.live.texts["/metrics"].replace('running{engine="0",model_name="m"} 2', "running 0")
    scene.live.texts["/metrics"] = idle
    before = scene.clock.now()
    _, diagnosis = doctor(scene.world)
    assert not [one for one in diagnosis.checks if one.name == "mine vllm"]
    assert scene.clock.now() == before


def test_an_up_whose_own_start_ends_on_such_networks_makes_them_anew_at_once(
    scene: Scene,
) -> None:
    request = Request(model="llama", name="mine")
    stacks.down(scene.world, "mine", volumes=False, dry_run=False)
    scene.calls.clear()

    def reached() -> None:
        cut_off(scene, since=20)
        scene.gateway.is_healthy = scene.calls.count("up") == 2

    scene.gateway.on_look = reached
    assert up(scene.world, request).changed
    assert [one for one in scene.calls if one.startswith(("down", "up"))] == ["up", "down", "up"]
