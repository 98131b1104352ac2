# SPDX-License-Identifier: Apache-2.0
"""Do logs come from the services that are meant?"""

from __future__ import annotations

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations.logs import aimed, logs
from ttctl.operations.up import up


def read(scene: Scene, *services: str, stack: str = "llama") -> set[str]:
    lines = logs(
        scene.world, stack, services=services, tail=None, since=None, timestamps=False, follow=False
    )
    return {line.service for line in lines}


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.engine.logs = {state.container_id: ("a line",) for state in scene.engine.states.values()}
    return scene


def test_lines_come_from_every_service_or_from_the_one_that_is_named(scene: Scene) -> None:
    assert read(scene, "vllm") == {"vllm"}
    assert read(scene) == {"gateway", "vllm"}


def test_a_service_that_is_not_there_is_refused_with_the_one_that_is_near(scene: Scene) -> None:
    with pytest.raises(UsageError, match="no container of 'gatewy'") as caught:
        read(scene, "gatewy")
    assert caught.value.evidence == "Services with a container: gateway, vllm."
    assert (caught.value.mistyped, caught.value.meant) == ("gatewy", "gateway")


def test_a_stack_without_containers_has_no_logs(scene: Scene) -> None:
    with pytest.raises(UsageError, match="'other' has no container") as caught:
        read(scene, stack="other")
    assert caught.value.evidence == "Services with a container: none."
    assert caught.value.next_step == "ttctl status other"
    assert caught.value.meant == ""


@pytest.mark.parametrize(
    ("words", "service", "expected"),
    [
        pytest.param((), None, ("llama", ()), id="nothing"),
        pytest.param(("vllm",), None, ("llama", ("vllm",)), id="a service, as in compose"),
        pytest.param(("llama", "vllm"), None, ("llama", ("vllm",)), id="a stack and a service"),
        pytest.param(("llama",), "vllm", ("llama", ("vllm",)), id="an option"),
        pytest.param(("vllm", "gateway"), None, ("llama", ("vllm", "gateway")), id="two services"),
    ],
)
def test_words_are_read_as_compose_reads_them(
    scene: Scene,
    words: tuple[str, ...],
    service: str | None,
    expected: tuple[str, tuple[str, ...]],
) -> None:
    assert aimed(scene.world, words, service) == expected


@pytest.mark.parametrize(
    ("words", "only", "expected"),
    [
        pytest.param((), False, ("second", ()), id="nothing is typed: the project's"),
        pytest.param(("vllm",), False, ("second", ("vllm",)), id="a service of the project's"),
        pytest.param(("llama",), False, ("llama", ()), id="another stack is typed"),
        pytest.param(
            ("llama",), True, ("second", ("llama",)), id="after -p every word is a service"
        ),
    ],
)
def test_a_stack_that_is_meant_from_the_start_is_taken_where_no_word_names_another(
    scene: Scene, words: tuple[str, ...], *, only: bool, expected: tuple[str, tuple[str, ...]]
) -> None:
    up(scene.world, Request(model="llama", name="second", port=8001))
    assert aimed(scene.world, words, None, within="second", only=only) == expected


def test_what_another_users_stack_prints_is_not_read(scene: Scene) -> None:
    scene.engine.set_state("vllm", owner="somebody")
    with pytest.raises(UsageError, match="belongs to another user"):
        read(scene)
