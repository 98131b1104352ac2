# SPDX-License-Identifier: Apache-2.0
"""Is a long start told at a calm pace, and does the thread that tells it always end?"""

from __future__ import annotations

import threading

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import EngineError, TtctlError
from ttctl.model.spec import Request
from ttctl.model.starts import Started
from ttctl.operations import stacks, start_watch
from ttctl.operations.fatal_watch import FatalWatch
from ttctl.operations.start_watch import StartWatch, joined, watched
from ttctl.operations.up import up

CACHE = "Small-1B"
GB = 1_000_000_000


@pytest.fixture
def scene() -> Scene:
    """A machine whose engine has a cache."""
    scene = Scene()
    scene.engine_files.made[CACHE] = (".",)
    scene.engine_files.parts = {"logs": 0}
    return scene


def watching(scene: Scene) -> StartWatch:
    return StartWatch(scene.world, CACHE, limit_s=6400)


def after(scene: Scene, watch: StartWatch, seconds: float, **sizes: int) -> str:
    """Let time pass and the cache grow, and return what is said then."""
    scene.clock.sleep(seconds)
    scene.engine_files.parts.update(sizes)
    watch.look()
    return scene.reporter.statuses[-1][0]


def test_a_first_start_says_what_to_expect(scene: Scene) -> None:
    watching(scene)
    (note,) = scene.reporter.notes
    assert note.startswith("a first start: up to 107 min; ")


def test_each_look_says_phase_growth_and_time(scene: Scene) -> None:
    watch = watching(scene)
    watch.detail(" Container ttctl-llama-vllm-1  Started")
    assert after(scene, watch, 15) == "starting the engine; 0:15 of at most 106:40"
    watch.detail("INFO [tt_model_runner.py:95] Loading TT model...")
    said = after(scene, watch, 15, tt_metal_cache=3 * GB)
    assert said == "building the tensor cache; caches 3.0 GB, +200.0 MB/s; 0:30 of at most 106:40"
    said = after(scene, watch, 15, kernels=15_000_000)
    assert said.startswith("compiling kernels; caches 3.0 GB, +1.0 MB/s; ")
    watch.detail("| INFO | generator:y:1 - Warming up prefill for sequence length: 128")
    assert after(scene, watch, 15).startswith("capturing traces; caches 3.0 GB; ")


def test_what_starts_of_this_kind_took_here_is_told_while_one_is_waited_for(scene: Scene) -> None:
    others = [("k", True, 9000.0), ("another", False, 5.0)]
    own = [("k", False, seconds) for seconds in (840.0, 60.0, 720.0)]
    for key, first, seconds in (*others, *own):
        scene.starts.keep(Started(key=key, first=first, seconds=seconds))
    scene.engine_files.parts = {"kernels": GB}
    watch = StartWatch(scene.world, CACHE, limit_s=6400, key="k")
    usual = "usually 12 min (from 3 earlier starts here)"
    assert scene.reporter.notes == [f"a start with 1.0 GB of caches: up to 107 min, {usual}"]
    assert after(scene, watch, 15).endswith(f"0:15 of at most 106:40, {usual}")


def test_programs_get_the_numbers(scene: Scene) -> None:
    watch = watching(scene)
    after(scene, watch, 20, dit=2 * GB)
    assert scene.reporter.statuses[-1][1] == {
        "phase": "tensors",
        "seconds": 20.0,
        "limit_s": 6400,
        "cache_bytes": 2 * GB,
        "bytes_per_s": 100_000_000.0,
    }


def test_a_later_start_reads_what_the_first_one_converted(scene: Scene) -> None:
    scene.engine_files.parts = {"tt_metal_cache": 5 * GB}
    watch = watching(scene)
    assert scene.reporter.notes == ["a start with 5.0 GB of caches: up to 107 min, usually less"]
    watch.detail("INFO [tt_model_runner.py:95] Loading TT model...")
    assert after(scene, watch, 15).startswith("reading the tensor cache; ")


def test_a_silent_engine_is_told_what_it_probably_does(scene: Scene) -> None:
    watch = watching(scene)
    watch.detail("| INFO | x:1 - Done Compiling Model")
    assert "no line for" not in after(scene, watch, 59)
    assert after(scene, watch, 61).endswith(
        "no line for 2:00: probably it compiles and captures traces; "
        "how long that usually takes is not known: no such start was seen here"
    )
    watch.detail("a line of any kind")
    assert "no line for" not in after(scene, watch, 15)


def test_a_silent_engine_is_told_how_long_such_starts_take(scene: Scene) -> None:
    for seconds in (600.0, 720.0, 840.0):
        scene.starts.keep(Started(key="k", first=True, seconds=seconds))
    watch = StartWatch(scene.world, CACHE, limit_s=6400, key="k")
    watch.detail("INFO [tt_model_runner.py:95] Loading TT model...")
    said = after(scene, watch, 120)
    assert "usually 12 min (from 3 earlier starts here)" in said
    assert said.endswith("no line for 2:00: probably it reads or converts the weights")


def test_what_others_say_is_passed_on(scene: Scene) -> None:
    watch = watching(scene)
    with watch.step("a step"):
        watch.progress(1, 2, "bytes")
        watch.status("so", phase="x")
        watch.note("a note")
        watch.detail("a line")
    assert scene.reporter.steps == ["a step"]
    assert scene.reporter.counts == [(1, 2, "bytes")]
    assert scene.reporter.statuses == [("so", {"phase": "x"})]
    assert scene.reporter.notes[1:] == ["a note"]
    assert scene.reporter.lines == ["a line"]


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "start watch"]


def test_a_start_on_the_processor_is_told_without_a_cache_and_without_a_figure_of_cards(
    scene: Scene,
) -> None:
    scene.starts.keep(Started(key="k", first=True, seconds=40.0))
    scene.engine_files.looked = 0
    watch = StartWatch(scene.world, "", limit_s=3600, key="k")
    assert (scene.reporter.notes, watch.begun.first) == ([], True)
    watch.detail("INFO [api_server.py:1] vLLM API server version 0.32.0")
    said = after(scene, watch, 90)
    assert said == (
        "starting the engine; 1:30 of at most 60:00, usually 40 s (from 1 earlier start here); "
        "no line for 1:30: probably it imports Python modules"
    )
    assert scene.engine_files.looked == 0


def test_a_start_on_the_processor_is_kept_for_the_next_one() -> None:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    (kept,) = scene.starts.kept
    assert kept.key.startswith("acme/Small-1B cpu ")


@pytest.fixture
def loading() -> Scene:
    """A stack of the processor whose engine still loads, and two earlier starts."""
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.engine.set_state("vllm", health="starting")
    key = "acme/Small-1B cpu vllm"
    scene.starts.kept = tuple(Started(key=key, first=True, seconds=one) for one in (30.0, 50.0))
    return scene


def prints(scene: Scene, *lines: str) -> None:
    vllm = next(one for one in scene.engine.containers("llama") if one.service == "vllm")
    scene.engine.logs[vllm.container_id] = lines


def test_who_waits_for_a_start_is_told_by_the_log_what_it_does_and_how_long_that_takes(
    loading: Scene,
) -> None:
    lock = loading.store.locks["llama"]
    with joined(loading.world, lock, limit_s=3600) as watch:
        log = FatalWatch(loading.world, lock, watch.hear)
        prints(loading, "Loading safetensors checkpoint shards: 0%")
        log.look()
        said = after(loading, watch, 70)
        usual = "usually 40 s (from 2 earlier starts here)"
        assert said == (
            f"loading weights; 1:10 of at most 60:00, {usual}; "
            "no line for 1:10: probably it reads or converts the weights"
        )
        prints(loading, "Loading safetensors checkpoint shards: 0%", "a new line")
        log.look()
        assert after(loading, watch, 15) == f"loading weights; 1:25 of at most 60:00, {usual}"
        loading.engine.set_state("vllm", health="healthy")
        log.look()
        assert after(loading, watch, 15).startswith("waiting for its answer; 1:40 of ")
    assert loading.reporter.notes == []


def test_a_wait_says_how_far_the_start_is(loading: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_watch, "TOLD_EVERY_S", 0.001)
    said = threading.Event()
    loading.reporter.status = lambda text, **facts: said.set()  # type: ignore[method-assign] # noqa: ARG005
    loading.gateway.on_look = lambda: setattr(loading.gateway, "is_healthy", said.wait(10))
    stacks.wait(loading.world, "llama", timeout_s=3600)
    assert said.is_set()
    assert threads() == []


@pytest.mark.parametrize("failure", [EngineError("It broke."), KeyboardInterrupt()])
def test_the_thread_ends_with_the_wait_however_that_ends(
    scene: Scene, failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_watch, "TOLD_EVERY_S", 0.001)
    said = threading.Event()
    scene.reporter.status = lambda text, **facts: said.set()  # type: ignore[method-assign] # noqa: ARG005

    def start() -> None:
        with watched(scene.world, CACHE, limit_s=60):
            assert threads() == ["start watch"]
            assert said.wait(10)
            raise failure

    with pytest.raises(type(failure)):
        start()
    assert threads() == []


def test_a_look_that_fails_ends_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_watch, "TOLD_EVERY_S", 0.001)
    failed = threading.Event()
    with watched(scene.world, CACHE, limit_s=60):

        def caches(name: str = "") -> tuple[()]:
            failed.set()
            raise TtctlError(f"The cache {name!r} cannot be read.")

        scene.engine_files.caches = caches  # type: ignore[method-assign]
        assert failed.wait(10)
    assert threads() == []
