# SPDX-License-Identifier: Apache-2.0
"""Does one look tell all there is, whichever source hangs, fails or starts anew?"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, card_scene, held
from tests.unit.fakes import Scene, container
from tests.unit.living import GATEWAY_UP, START, VLLM

from ttctl.errors import EngineError, UsageError
from ttctl.model.lease import Claims
from ttctl.model.live import Doing, LiveEvent, LiveFrame, LiveService, MemoryUse
from ttctl.model.spec import Request
from ttctl.model.telemetry import ChipReading
from ttctl.operations.live import LiveWatch, meant
from ttctl.operations.stacks import status
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 5.0


@pytest.fixture
def scene() -> Scene:
    """Return a stack `llama` of the processor that is up."""
    scene = Scene()
    up(scene.world, Request(model="demo-llama", name="llama", port=8000))
    scene.live.containers = (
        container("gateway", container_id="a" * 64),
        container("vllm", container_id="b" * 64),
    )
    scene.live.memory = (MemoryUse(container_id="b" * 64, used_bytes=5, limit_bytes=9),)
    counted(scene, requests=4, tokens=100)
    return scene


def counted(scene: Scene, *, requests: int, tokens: int, passed: int = 0) -> None:
    scene.live.texts = {
        "/gateway/metrics": GATEWAY_UP.format(requests=passed or requests),
        "/metrics": VLLM.format(requests=requests - 1, tokens=tokens),
    }


def watched(scene: Scene, stack: str | None = None) -> LiveWatch:
    return LiveWatch(scene.world, stack, interval_s=2.0)


def later(scene: Scene, seconds: float) -> None:
    scene.clock.sleep(seconds)
    scene.live.at += seconds


def service(frame: LiveFrame, name: str) -> LiveService:
    (stack,) = frame.stacks
    (found,) = (one for one in stack.services if one.service == name)
    return found


def state_of(frame: LiveFrame, source: str) -> str:
    (found,) = (one for one in frame.sources if one.name == source)
    return found.state


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return what a source that hangs waits for; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_the_first_look_has_totals_and_no_rates(scene: Scene) -> None:
    frame = watched(scene).look(patience_s=PATIENCE_S)
    assert frame.time == "2026-01-31T10:01:00Z"
    assert [(one.stack, one.state, one.url) for one in frame.stacks] == [
        ("llama", "ready", "http://127.0.0.1:8000")
    ]
    vllm = service(frame, "vllm")
    assert (vllm.requests, vllm.tokens, vllm.running, vllm.waiting) == (4, 100, 2, 1)
    assert (vllm.requests_per_s, vllm.tokens_per_s) == (None, None)
    assert (vllm.uptime_s, vllm.memory_bytes, vllm.memory_limit_bytes) == (60, 5, 9)
    assert {one.state for one in frame.sources} == {"ok"}


def test_two_looks_give_rates(scene: Scene) -> None:
    watch = watched(scene)
    watch.look(patience_s=PATIENCE_S)
    later(scene, 2)
    counted(scene, requests=10, tokens=140)
    vllm = service(watch.look(patience_s=PATIENCE_S), "vllm")
    assert (vllm.requests_per_s, vllm.tokens_per_s) == (3, 20)


def test_an_engine_that_was_started_anew_has_no_rate_below_0(scene: Scene) -> None:
    watch = watched(scene)
    watch.look(patience_s=PATIENCE_S)
    later(scene, 2)
    counted(scene, requests=2, tokens=8)
    frame = watch.look(patience_s=PATIENCE_S)
    assert service(frame, "vllm").tokens_per_s == 4
    assert service(frame, "vllm").requests_per_s == 1


def test_our_own_questions_are_no_requests_of_the_gateway(scene: Scene) -> None:
    watch = watched(scene)
    assert service(watch.look(patience_s=PATIENCE_S), "gateway").requests == 4
    later(scene, 2)
    # One more came, and it was ours.
    counted(scene, requests=4, tokens=100, passed=5)
    gateway = service(watch.look(patience_s=PATIENCE_S), "gateway")
    assert (gateway.requests, gateway.requests_per_s) == (4, 0)
    later(scene, 2)
    # It was started anew: ours went with what it had counted.
    counted(scene, requests=3, tokens=100, passed=3)
    assert service(watch.look(patience_s=PATIENCE_S), "gateway").requests == 3


@pytest.mark.parametrize("text", [None, "vllm:num_requests_running {\n", "other_total 3\n"])
def test_an_engine_without_figures_has_the_gateways(scene: Scene, text: str | None) -> None:
    del scene.live.texts["/metrics"]
    if text is not None:
        scene.live.texts["/metrics"] = text
    frame = watched(scene).look(patience_s=PATIENCE_S)
    vllm = service(frame, "vllm")
    assert (vllm.requests, vllm.tokens, vllm.waiting) == (4, None, 0)
    assert frame.stacks[0].state == "ready"


def test_an_engine_that_is_down_is_not_asked(scene: Scene) -> None:
    scene.live.texts["/gateway/metrics"] = (
        'haproxy_server_status{proxy="engine",server="vllm",state="UP"} 0\n'
    )
    frame = watched(scene).look(patience_s=PATIENCE_S)
    assert frame.stacks[0].state == "degraded"
    assert [one.split()[-1].partition("?")[0] for one in scene.live.asked] == ["/gateway/metrics"]


def test_a_gateway_that_is_not_understood_leaves_the_rest(scene: Scene) -> None:
    scene.live.texts["/gateway/metrics"] = "haproxy_server_status{{{\n"
    frame = watched(scene).look(patience_s=PATIENCE_S)
    assert state_of(frame, "gateway llama") == "unknown"
    assert (frame.stacks[0].state, service(frame, "vllm").requests) == ("unknown", None)
    assert service(frame, "vllm").memory_bytes == 5


def test_an_engine_that_hangs_freezes_nothing(scene: Scene, gate: threading.Event) -> None:
    watch = watched(scene)
    watch.look(patience_s=PATIENCE_S)
    scene.live.on_engine = gate.wait
    later(scene, 6)
    began = time.monotonic()
    frame = watch.look(patience_s=0.2)
    assert time.monotonic() - began < PATIENCE_S
    # What it said a moment ago is shown, with its age.
    assert (state_of(frame, "engine"), service(frame, "vllm").memory_bytes) == ("old", 5)
    later(scene, 20)
    frame = watch.look(patience_s=0.2)
    assert state_of(frame, "engine") == "unknown"
    assert (frame.stacks[0].state, service(frame, "vllm").state) == ("unknown", "unknown")
    (told,) = (one for one in frame.sources if one.name == "engine")
    assert (told.age_s, told.note) == (26, "no answer for 20 s")
    # It was asked once, not once a look.
    assert len(scene.live.since) == 2
    gate.set()
    watch.look(patience_s=PATIENCE_S)
    scene.live.on_engine = lambda: None
    later(scene, 1)
    assert state_of(watch.look(patience_s=PATIENCE_S), "engine") == "ok"


def test_a_gateway_that_hangs_leaves_the_others(scene: Scene, gate: threading.Event) -> None:
    up(scene.world, Request(model="demo-llama", name="second", port=8001))
    scene.live.containers += (container("gateway", stack="second", container_id="c" * 64),)

    def hang() -> None:
        if scene.live.asked[-1].startswith("8001"):
            gate.wait()

    scene.live.on_metrics = hang
    frame = watched(scene).look(patience_s=1.0)
    assert state_of(frame, "gateway second") == "unknown"
    assert [one.state for one in frame.stacks] == ["ready", "unknown"]


def test_an_engine_that_refuses_says_why(scene: Scene) -> None:
    scene.live.refuses = EngineError("No engine answers.", evidence="refused")
    frame = watched(scene).look(patience_s=PATIENCE_S)
    (told,) = (one for one in frame.sources if one.name == "engine")
    assert (told.state, told.note) == ("unknown", "No engine answers. refused")
    assert [(one.stack, one.state) for one in frame.stacks] == [("llama", "unknown")]


def test_boards_are_told_by_the_drivers_files_and_nobody_opens_a_node() -> None:
    scene = card_scene()
    held(scene, FIRST)
    first, *_ = scene.host.found.boards
    scene.telemetry.own = tuple(
        ChipReading(pci_address=one, temperature_c=45 + at, power_w=30, clock_mhz=1000)
        for at, one in enumerate(first.pci_addresses)
    )
    frame = watched(scene).look(patience_s=PATIENCE_S)
    found = frame.boards[0]
    assert (found.name, found.family, found.free) == ("0", "n300", "held")
    assert found.temperature_c == 44 + len(first.pci_addresses)
    assert (found.power_w, found.clock_mhz) == (30 * len(first.pci_addresses), 1000)
    assert any("chat" in one for one in found.holders)
    assert frame.boards[1].temperature_c is None
    assert not [one for one in scene.calls if "smi" in one or "topology" in one]


def test_chips_are_told_while_nobody_can_say_who_has_their_boards(gate: threading.Event) -> None:
    scene = card_scene()
    first, *_ = scene.host.found.boards
    chip = ChipReading(pci_address=first.pci_addresses[0], temperature_c=45)
    scene.telemetry.own = (chip,)
    watch = watched(scene)
    watch.look(patience_s=PATIENCE_S)
    scene.leases.claims = lambda: (gate.wait(), Claims())[1]  # type: ignore[method-assign]
    scene.telemetry.own = (replace(chip, temperature_c=46),)
    later(scene, 4)
    board, *_ = watch.look(patience_s=0.5).boards
    assert (board.temperature_c, board.free) == (46, "free")
    later(scene, 20)
    board, *_ = watch.look(patience_s=0.5).boards
    assert (board.temperature_c, board.free, board.health) == (46, "unknown", "unknown")


def test_events_that_the_engine_forgets_are_kept(scene: Scene) -> None:
    watch = watched(scene)
    ended = LiveEvent(at=START + 50, stack="llama", service="vllm", text="ended with 1")
    scene.live.events = (ended,)
    texts = [one.text for one in watch.look(patience_s=PATIENCE_S).events]
    # When they were started is known by the containers themselves.
    assert texts == ["started", "started", "ended with 1"]
    scene.live.events = ()
    later(scene, 2)
    assert ended in watch.look(patience_s=PATIENCE_S).events
    # What is new is asked for only, and a little more.
    assert scene.live.since == [START + 60 - 900, START + 60 - 5]
    later(scene, 2000)
    assert watch.look(patience_s=PATIENCE_S).events == ()


def test_one_stack_is_shown_without_the_others(scene: Scene) -> None:
    up(scene.world, Request(model="demo-llama", name="second", port=8001))
    other = LiveEvent(at=START + 50, stack="second", service="", text="lock written")
    start = LiveEvent(at=START + 51, stack="", service="", text="demo-llama answered")
    scene.live.notes = (other, start)
    scene.live.containers += (container("gateway", stack="second", container_id="c" * 64),)
    frame = watched(scene, "llama").look(patience_s=PATIENCE_S)
    assert [one.stack for one in frame.stacks] == ["llama"]
    assert {one.stack for one in frame.events} == {"llama", ""}
    both = watched(scene).look(patience_s=PATIENCE_S)
    assert [one.stack for one in both.stacks] == ["llama", "second"]
    assert other in both.events


def test_what_another_command_does_is_shown(scene: Scene) -> None:
    work = Doing(stack="llama", pid=7, title="Build", began=START, done=1, total=3, unit="steps")
    scene.live.works = (work,)
    assert watched(scene).look(patience_s=PATIENCE_S).doing == (work,)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        pytest.param({"state": "exited", "health": ""}, "degraded", id="ended"),
        pytest.param({"health": "unhealthy"}, "degraded", id="ill"),
        pytest.param({"health": "starting"}, "starting", id="starting"),
        pytest.param({"service": "other", "health": ""}, "ready", id="without a check of its own"),
    ],
)
def test_a_stack_is_as_its_containers_are(
    scene: Scene, changes: dict[str, str], state: str
) -> None:
    gateway, vllm = scene.live.containers
    scene.live.containers = (gateway, replace(vllm, **changes))  # type: ignore[arg-type]
    assert watched(scene).look(patience_s=PATIENCE_S).stacks[0].state == state


def test_a_stack_that_a_stop_ended_is_stopped_as_status_says_it(scene: Scene) -> None:
    for service in ("gateway", "vllm"):
        scene.engine.set_state(service, state="exited", health="", exit_code=0)
    scene.live.containers = scene.engine.containers("llama")
    (stack,) = watched(scene).look(patience_s=PATIENCE_S).stacks
    assert (stack.state, status(scene.world, "llama").state) == ("stopped", "stopped")


def test_a_stack_whose_gateway_is_gone_is_degraded(scene: Scene) -> None:
    scene.live.containers = scene.live.containers[1:]
    assert watched(scene).look(patience_s=PATIENCE_S).stacks[0].state == "degraded"
    assert scene.live.asked == []


def test_a_stack_without_containers_is_stopped_and_has_no_address(scene: Scene) -> None:
    scene.live.containers = ()
    (stack,) = watched(scene).look(patience_s=PATIENCE_S).stacks
    assert (stack.state, stack.url, stack.services) == ("stopped", "", ())
    assert scene.live.asked == []


def test_a_stack_that_is_not_there_is_refused(scene: Scene) -> None:
    assert meant(scene.world, None) is None
    assert meant(scene.world, "llama") == "llama"
    with pytest.raises(UsageError, match="There is no stack 'lama'"):
        meant(scene.world, "lama")
