# SPDX-License-Identifier: Apache-2.0
"""`ttctl up all`: do the four services serve behind one door, held in, and many at once?"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.docker_bench import excepted, failing
from tests.e2e.driver import Ran, Stack, docker, free_port
from tests.e2e.held_in import CHECKS
from tests.e2e.services_crowd import (
    API,
    CLIENTS,
    GAUGES,
    PLACES,
    PROMPT,
    ROUND_S,
    SEQUENCES,
    VLLM,
    crowd,
    is_idle,
    memory_mib,
)
from tests.standins.processor_services import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.driver import Json, Ttctl

pytestmark = pytest.mark.docker

SERVICES = ["api", "chat", "gateway", "sd", "vllm"]
WORD = "a-secret-prompt"
PNG = b"\x89PNG\r\n\x1a\n"
GROWTH_MIB = 32
"""Of a container between two equal crowds at most."""
STOP_S = 60


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The stack as one `up` made it."""

    stack: Stack
    said: Ran
    seconds: float


@pytest.fixture(scope="module")
def begun(ttctl: Ttctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """Bring the four services up once; other tests' stacks are none of this one's folders'."""
    home = tmp_path_factory.mktemp("services")
    (home / "state").mkdir()
    environ = {**ttctl.environ, "XDG_STATE_HOME": str(home / "state")}
    own = replace(ttctl, home=home, environ=environ)
    name = f"e2e-{secrets.token_hex(4)}"
    stack = Stack(ttctl=own, name=name, port=free_port(), target="all")
    before = time.monotonic()
    try:
        said = stack.up("--json")
        yield Begun(stack=stack, said=said, seconds=time.monotonic() - before)
    finally:
        stack.remove()


@pytest.fixture
def services(begun: Begun) -> Stack:
    return begun.stack


@pytest.fixture(params=SERVICES)
def container(services: Stack, request: pytest.FixtureRequest) -> Json:
    return services.inspect()[request.param]


def post(stack: Stack, path: str, **body: object) -> Any:  # noqa: ANN401 - of JSON
    status, text = stack.ask(path, method="POST", body=json.dumps(body))
    assert status == 200, text
    return json.loads(text)


def models_at(stack: Stack, path: str) -> list[tuple[str, str]]:
    """Return (name, owner) of each model of a list."""
    status, text = stack.ask(path)
    assert status == 200, text
    return [(one["id"], one["owned_by"]) for one in json.loads(text)["data"]]


def answered_by_vllm(stack: Stack) -> float:
    lines = stack.ask("/vllm/metrics")[1].splitlines()
    return sum(float(one.split()[-1]) for one in lines if one.startswith("vllm:request_success"))


def drawn(stack: Stack, seed: int) -> bytes:
    with stack.openai() as client:
        found = client.images.generate(
            model="demo-sd", prompt="a red circle", size="64x64",
            extra_body={"seed": seed, "steps": 4},
        )  # fmt: skip
    assert found.data is not None
    return base64.b64decode(found.data[0].b64_json or "")


def logged(container: str) -> str:
    """Return what a container said on both of its ends."""
    return subprocess.run(
        ["docker", "logs", container],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    ).stdout  # fmt: skip


def test_one_up_starts_the_four_services_and_their_door(
    begun: Begun, record_property: Callable[[str, object], None]
) -> None:
    record_property("up all", f"{begun.seconds:.0f} s")
    assert sorted(begun.stack.inspect()) == SERVICES
    assert {one["name"] for one in begun.said.data["services"]} == {"api", "sd", "chat"}
    assert begun.said.data["answers"] is True


def test_vllm_answers_openais_client(services: Stack) -> None:
    with services.openai() as client:
        answer = client.chat.completions.create(
            model="demo-llama", messages=[{"role": "user", "content": PROMPT}], temperature=0
        )
    assert "Tenstorrent" in (answer.choices[0].message.content or "")


def test_api_answers_as_a_whole_and_as_the_answer_grows(services: Stack) -> None:
    question = {"prompt": PROMPT, "temperature": 0, "max_tokens": 24}
    whole = post(services, "/chat", **question)
    assert "Tenstorrent" in whole["text"]
    body = json.dumps({**question, "stream": True})
    status, text = services.ask("/chat", method="POST", body=body)
    *pieces, (last, figures) = events(text)
    assert (status, last, figures["tokens"]) == (200, "end", whole["tokens"])
    assert len(pieces) > 3
    assert "".join(data["text"] for _, data in pieces) == whole["text"]


def test_sd_draws_for_openais_client_and_the_same_seed_gives_the_same_bytes(
    services: Stack,
) -> None:
    one, again, other = drawn(services, 3), drawn(services, 3), drawn(services, 30)
    assert one.startswith(PNG)
    assert one == again
    assert one != other


def test_the_page_is_there_for_anybody_and_what_it_reads_with_the_key_alone(
    services: Stack,
) -> None:
    stranger = replace(services, credential="wrong")
    status, page = stranger.ask("/")
    assert (status, "<!DOCTYPE html>" in page) == (200, True)
    for path in ("/engines.json", "/roles/", "/v1/models", "/metrics"):
        assert stranger.ask(path)[0] == 401, path
    listed = json.loads(services.ask("/engines.json")[1])
    assert [(one["name"], one["speaks"]) for one in listed] == [("vllm", "openai"), ("api", "chat")]
    roles = [one["name"] for one in json.loads(services.ask("/roles/")[1])]
    assert "brief.md" in roles
    assert services.ask("/roles/brief.md")[1].strip()


def test_a_prefix_or_a_lone_path_says_which_engine_is_meant(services: Stack) -> None:
    assert models_at(services, "/vllm/v1/models") == [("demo-llama", "vllm")]
    assert models_at(services, "/api/v1/models") == [("demo-llama", "ttctl")]
    assert models_at(services, "/sd/v1/models") == [("demo-sd", "ttctl")]
    assert models_at(services, "/v1/models") == [("demo-llama", "vllm"), ("demo-sd", "sd")]
    before = answered_by_vllm(services)
    said = post(services, VLLM.path, **VLLM.whole)
    assert said["object"] == "chat.completion"
    assert answered_by_vllm(services) == before + 1


def test_a_second_up_changes_nothing(services: Stack) -> None:
    before = services.identities()
    assert services.up("--json").data["changed"] is False
    assert services.identities() == before


def test_the_lock_keeps_the_services_for_a_plain_up_of_the_model(services: Stack) -> None:
    before = services.identities()
    said = replace(services, target="llama").up("--json").data
    assert (said["changed"], {one["name"] for one in said["services"]}) == (
        False, {"api", "sd", "chat"},
    )  # fmt: skip
    assert services.identities() == before


def test_status_ps_and_logs_know_each_service(services: Stack) -> None:
    ttctl = services.ttctl
    said = ttctl.run("status", services.name, "--json").data
    assert said["state"] == "ready"
    assert sorted(one["service"] for one in said["containers"]) == SERVICES
    listed = [line.split()[:2] for line in ttctl.run("ps").out.splitlines()]
    assert all([services.name, service] in listed for service in SERVICES)
    lines = ttctl.run("logs", services.name, "api", "--json").out.splitlines()
    assert {json.loads(line)["data"]["service"] for line in lines} == {"api"}


@pytest.mark.parametrize("check", CHECKS)
def test_a_container_is_held_in(container: Json, check: Callable[[Json], None]) -> None:
    check(container)


def test_the_checks_of_docker_bench_fail_for_the_written_exceptions_alone(container: Json) -> None:
    service = container["Config"]["Labels"]["dev.ttctl.service"]
    assert failing(container).keys() == excepted(service)


def test_the_services_are_in_the_network_that_leads_nowhere_and_publish_no_port(
    services: Stack,
) -> None:
    for name, one in services.inspect().items():
        if name != "gateway":
            (network,) = one["NetworkSettings"]["Networks"]
            assert json.loads(docker("network", "inspect", network))[0]["Internal"] is True
            assert not one["HostConfig"]["PortBindings"], name


def test_no_prompt_is_in_the_log_of_any_container(services: Stack) -> None:
    asked = [{"role": "user", "content": WORD}]
    post(services, "/v1/chat/completions", model="demo-llama", messages=asked, max_tokens=8)
    post(services, "/chat", messages=asked, max_tokens=8)
    post(services, "/v1/images/generations", prompt=WORD, size="64x64", steps=2)
    for path in ("/v1/chat/completions", "/chat", "/v1/images/generations"):
        wrong = json.dumps({"prompt": WORD, "messages": WORD, WORD: WORD})
        assert services.ask(f"{path}?{WORD}", method="POST", body=wrong)[0] in {400, 422}
    for name, one in services.inspect().items():
        assert WORD not in logged(one["Id"]), name


def test_ttctl_chat_and_ttctl_image_speak_to_it(services: Stack) -> None:
    ttctl = services.ttctl
    assert "Tenstorrent" in ttctl.run("chat", "--stack", services.name, PROMPT).out
    words = ("--seed", "3", "--steps", "4", "--no-show", "--json", "-o", "drawn.png")
    said = ttctl.run("image", "a red circle", "--stack", services.name, *words).data
    assert (said["model"], said["files"][0]["seed"]) == ("demo-sd", 3)
    assert (ttctl.home / "drawn.png").read_bytes().startswith(PNG)


def test_of_fifty_clients_of_which_half_leave_nobody_who_stays_is_lost_and_nothing_is_kept(
    services: Stack, record_property: Callable[[str, object], None]
) -> None:
    memories = []
    for _ in range(2):
        now = crowd(services)
        assert now.seconds <= ROUND_S
        stayed = [one for one in now.said if one.stayed]
        assert len(stayed) == CLIENTS // 2
        lost = [one for one in stayed if not (one.is_whole or one.is_refused_as_documented)]
        assert not lost
        left = {one.service for one in now.said if not one.stayed and one.status == 200}
        assert left == {API.service, VLLM.service}
        refused = [one for one in now.said if one.status != 200]
        assert {one.service for one in refused} <= {API.service}
        assert len(refused) <= CLIENTS // 2 - PLACES - 1
        running, waiting = (now.longest["api", name] for name in GAUGES["api"])
        assert (running <= 1, waiting <= PLACES + 1) == (True, True)
        running, waiting = (now.longest["vllm", name] for name in GAUGES["vllm"])
        assert (running <= SEQUENCES, waiting <= CLIENTS // 2) == (True, True)
        memories.append(memory_mib(services))
        record_property("fifty clients", f"{now.seconds:.0f} s, {len(refused)} refused")
    before, after = memories
    figures = ", ".join(f"{name} {before[name]:.0f} -> {after[name]:.0f}" for name in SERVICES)
    record_property("MiB after each crowd", figures)
    assert is_idle(services)
    assert all(after[name] - before[name] <= GROWTH_MIB for name in SERVICES), figures


def test_down_ends_all_of_it_in_time(
    services: Stack, record_property: Callable[[str, object], None]
) -> None:
    before = time.monotonic()
    services.down()
    took = time.monotonic() - before
    record_property("down of all", f"{took:.0f} s")
    assert took < STOP_S
    assert services.inspect() == {}
    assert not docker("network", "ls", "--quiet", "--filter", f"name=ttctl-{services.name}_")
