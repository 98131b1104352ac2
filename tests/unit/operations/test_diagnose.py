# SPDX-License-Identifier: Apache-2.0
"""Is it said why a service does not do its work, and what to type?"""

from __future__ import annotations

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import EngineError, UsageError
from ttctl.model.spec import Request
from ttctl.operations import stacks
from ttctl.operations.diagnose import causes
from ttctl.operations.doctor import doctor
from ttctl.operations.logs import explained
from ttctl.operations.up import up

OWNER_LINE = "PermissionError: [Errno 13] Permission denied: '/x/cache_root/logs'"
CACHE_LINE = "ValueError: To serve at least one request with x, (0.06 GiB KV cache is needed"


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama", name="mine"))
    return scene


def ended(scene: Scene, *lines: str, code: int = 1) -> None:
    scene.engine.set_state("vllm", state="exited", health="", exit_code=code)
    for one in scene.engine.states.values():
        scene.engine.logs[one.container_id] = lines if one.service == "vllm" else ()


def test_nothing_is_said_of_services_that_work(scene: Scene) -> None:
    for one in scene.engine.states.values():
        scene.engine.logs[one.container_id] = (CACHE_LINE,)
    assert explained(scene.world, "mine") == ()


def test_a_line_of_the_log_tells_more_than_a_state(scene: Scene) -> None:
    ended(scene, "INFO begin", CACHE_LINE, "RuntimeError: Engine core initialization failed.")
    (found,) = explained(scene.world, "mine")
    assert (found.service, found.failure, found.exit_code) == ("vllm", "kv-cache", 5)
    assert found.evidence == CACHE_LINE
    assert found.next_step == "ttctl up llama --name mine --max-model-len 2048"


def test_a_state_tells_where_no_line_is_known(scene: Scene) -> None:
    ended(scene, "what nobody knows", code=3)
    (found,) = explained(scene.world, "mine")
    assert (found.failure, found.cause) == ("ended", "vllm ended with exit code 3")
    assert found.evidence == "ttctl-mine-vllm-1: exited, exit code 3"
    assert found.next_step == "ttctl logs mine vllm --tail 100"


def test_a_container_that_never_started_is_told_with_what_the_engine_said(scene: Scene) -> None:
    scene.engine.set_state("vllm", state="created", health="", exit_code=128, start_error="no such")
    (found,) = explained(scene.world, "mine")
    assert found.failure == "not-started"
    assert found.evidence == (
        "ttctl-mine-vllm-1: created, exit code 128; the engine could not start it: no such"
    )


def test_an_unhealthy_service_is_told_with_what_its_check_said(scene: Scene) -> None:
    scene.engine.set_state("vllm", health="unhealthy", check_said="curl: (7) refused")
    (found,) = explained(scene.world, "mine")
    assert (found.failure, found.cause) == ("unhealthy", "vllm is unhealthy")
    assert found.evidence == (
        "ttctl-mine-vllm-1: running, unhealthy; its last check: curl: (7) refused"
    )


def test_a_log_that_cannot_be_read_leaves_the_state(scene: Scene) -> None:
    ended(scene, code=137)

    def refuse(container_id: str, *, tail: int, since: int | None) -> tuple[str, ...]:  # noqa: ARG001
        raise EngineError("The engine does not answer.")

    scene.engine.log_lines = refuse  # type: ignore[method-assign]
    (found,) = explained(scene.world, "mine")
    assert (found.failure, found.next_step) == ("killed", "ttctl up llama --name mine")


def test_what_it_said_before_it_was_started_again_explains_nothing(scene: Scene) -> None:
    ended(scene, "what nobody knows", code=3)
    for one in scene.engine.states.values():
        scene.engine.earlier[one.container_id] = (CACHE_LINE,)
    (found,) = explained(scene.world, "mine")
    assert found.failure == "ended"
    assert [one.failure for one in stacks.status(scene.world, "mine").causes] == ["ended"]
    _, diagnosis = doctor(scene.world)
    (check,) = (one for one in diagnosis.checks if one.name == "mine vllm")
    assert check.summary == "vllm ended with exit code 3"


def test_only_the_services_that_are_named_are_explained(scene: Scene) -> None:
    ended(scene, CACHE_LINE)
    assert explained(scene.world, "mine", services=("gateway",)) == ()
    with pytest.raises(UsageError, match="no container of 'sd'"):
        explained(scene.world, "mine", services=("sd",))


def test_a_damaged_lock_leaves_the_stacks_own_name(scene: Scene) -> None:
    ended(scene, "SafetensorError: x")
    found = causes(scene.world, "gone", scene.engine.states.values())
    assert [one.next_step for one in found] == ["ttctl models verify gone"]


def test_status_and_doctor_name_the_cause(scene: Scene) -> None:
    ended(scene, CACHE_LINE)
    said = stacks.status(scene.world, "mine")
    assert (said.state, [one.failure for one in said.causes]) == ("degraded", ["kv-cache"])
    _, diagnosis = doctor(scene.world)
    (check,) = (one for one in diagnosis.checks if one.name == "mine vllm")
    assert (check.verdict, check.fix) == (
        "failed",
        "ttctl up llama --name mine --max-model-len 2048",
    )
    assert check.evidence == CACHE_LINE


def test_a_service_that_still_starts_has_not_failed(scene: Scene) -> None:
    scene.engine.set_state("vllm", health="starting")
    _, diagnosis = doctor(scene.world)
    (check,) = (one for one in diagnosis.checks if one.name == "mine vllm")
    assert (check.verdict, check.fix) == ("skipped", "ttctl wait mine")


def test_the_cache_is_that_of_the_engine_that_ended() -> None:
    scene = Scene()
    up(scene.world, Request(model="llama", name="mine", services=("api",)))
    scene.engine.set_state("api", state="exited", health="", exit_code=1)
    for one in scene.engine.states.values():
        scene.engine.logs[one.container_id] = (OWNER_LINE,) if one.service == "api" else ()
    files = scene.store.rendered[str(scene.store.folder("mine"))]
    before, _ = files[".env"]
    files[".env"] = (f"{before}TTCTL_CACHE='/c/own'\nTTCTL_API_CACHE='/c/the api'\n", False)
    (found,) = explained(scene.world, "mine")
    assert found.next_step == "sudo chmod -R o+rwX '/c/the api'"
    files[".env"] = (before, False)
    (found,) = explained(scene.world, "mine")
    assert found.next_step == "sudo chmod -R o+rwX CACHE"
