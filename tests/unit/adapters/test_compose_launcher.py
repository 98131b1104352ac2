# SPDX-License-Identifier: Apache-2.0
"""Does compose get only the folder's words, and does each way of not coming up say so?"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import FakeEngine, FakeReporter, container

from ttctl.adapters.compose import ComposeLauncher
from ttctl.adapters.compose_failure import SHOWN, shortened
from ttctl.errors import EngineError, PrivilegeError, WaitError
from ttctl.model.plan import AS_NEEDED, How

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.adapters.docker_engine import DockerEngine
    from ttctl.model.container import ContainerState

FOLDER = Path("/state/stacks/llama/rendered")
SLOW = "import time; time.sleep(30)"


class FollowedEngine(FakeEngine):
    """An engine whose container prints what a test gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.prints: tuple[str, ...] = ()
        self.fails = 0
        self.silent: set[str] = set()
        self.asked: list[tuple[str, int | None, int | None]] = []
        """Container, since when and how many earlier lines, of each that was followed."""
        self.before: tuple[ContainerState, ...] | None = ()
        """What the first look shows, before compose starts anything; None for what runs."""
        self.goes_on: tuple[str, ...] | None = None
        """What is printed to whoever follows once more, after the connection broke."""
        self.end = threading.Event()

    def containers(self, stack: str | None) -> tuple[ContainerState, ...]:
        if self.fails:
            self.fails -= 1
            raise PrivilegeError("This user may not talk to the container engine.")
        if self.before is not None and threading.current_thread() is not threading.main_thread():
            before, self.before = self.before, None
            return before
        return super().containers(stack)

    def follow(
        self, container_id: str, *, since: int | None, tail: int | None = None
    ) -> Iterator[str]:
        self.asked.append((container_id, since, tail))
        if container_id in self.silent:
            self.end.wait(30)
            return
        again = len(self.asked) > 1 and self.goes_on is not None
        yield from (self.goes_on or ()) if again else self.prints


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FollowedEngine:
    monkeypatch.setattr("ttctl.adapters.start_log.POLL_S", 0.01)
    monkeypatch.setattr("ttctl.adapters.start_log.SETTLE_S", 0.01)
    engine = FollowedEngine()
    vllm = container("vllm", health="starting")
    engine.states[vllm.name] = vllm
    return engine


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def launcher(engine: FakeEngine, **environ: str) -> ComposeLauncher:
    return ComposeLauncher(cast("DockerEngine", engine), environ)


def up(engine: FakeEngine, how: How = AS_NEEDED, **environ: str) -> FakeReporter:
    reporter = FakeReporter()
    launcher(engine, **environ).up("llama", FOLDER, how=how, wait_s=60, reporter=reporter)
    return reporter


def test_compose_is_told_the_folder_and_waits(engine: FollowedEngine, programs: Programs) -> None:
    programs.add("docker", "print('Container x Healthy')")
    reporter = up(engine)
    (words,) = programs.calls
    assert words[:2] == ["docker", "compose"]
    assert words[words.index("--file") + 1] == f"{FOLDER}/compose.yaml"
    assert words[words.index("--project-directory") + 1] == str(FOLDER)
    assert words[-6:] == ["up", "--detach", "--remove-orphans", "--wait", "--wait-timeout", "60"]
    assert reporter.lines[-1] == "Container x Healthy"


def test_compose_is_told_to_replace_what_runs_and_not_to_wait(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print('Container x Started')")
    up(engine, How(recreate=True, wait=False))
    (words,) = programs.calls
    assert words[-4:] == ["up", "--detach", "--remove-orphans", "--force-recreate"]


def test_no_variable_of_the_caller_overrides_the_folder(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print(json.dumps(dict(os.environ)))")
    reporter = up(
        engine,
        PATH="/usr/bin:/bin",
        HOME="/h",
        TTCTL_PORT="1",
        COMPOSE_FILE="x",
        COMPOSE_PROJECT_NAME="x",
        PYTHONPATH="x",
        TT_METAL_HOME="x",
        HF_TOKEN="x",  # noqa: S106 - a stand-in
        DOCKER_HOST="unix:///x",
    )
    seen = json.loads(reporter.lines[0])
    assert {name for name in seen if name != "LC_CTYPE"} == {"PATH", "HOME", "DOCKER_HOST"}


def test_a_fatal_line_ends_the_wait_at_once(engine: FollowedEngine, programs: Programs) -> None:
    programs.add("docker", SLOW)
    engine.prints = ("INFO loading", "torch.OutOfMemoryError: no more")
    with pytest.raises(EngineError, match="'llama' did not come up") as caught:
        up(engine)
    assert caught.value.exit_code == 5
    assert caught.value.why == "the engine ran out of memory: torch.OutOfMemoryError: no more"


def test_lines_are_heard_from_the_containers_own_start_whatever_this_clock_says(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", SLOW)
    engine.prints = ("torch.OutOfMemoryError: no more",)
    with pytest.raises(EngineError, match="did not come up"):
        up(engine)
    (vllm,) = engine.containers("llama")
    assert engine.asked == [(vllm.container_id, 1769853600, None)]


@pytest.mark.parametrize("health", ["healthy", "starting"])
def test_what_ran_before_a_start_ends_it_by_no_earlier_line(
    engine: FollowedEngine, programs: Programs, health: str
) -> None:
    programs.add("docker", "import time; time.sleep(0.3); print('Container x Healthy')")
    engine.set_state("vllm", health=health)
    engine.before = None
    (vllm,) = engine.containers("llama")
    engine.silent = {vllm.container_id}
    up(engine)
    engine.end.set()
    assert engine.asked == [(vllm.container_id, None, 0)]


def test_a_log_whose_connection_broke_is_followed_on_and_no_line_is_told_twice(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", SLOW)
    engine.prints = ("INFO loading",)
    engine.goes_on = ("INFO loading", "INFO loaded", "torch.OutOfMemoryError: no more")
    reporter = FakeReporter()
    with pytest.raises(EngineError, match="did not come up"):
        launcher(engine).up("llama", FOLDER, how=AS_NEEDED, wait_s=60, reporter=reporter)
    assert reporter.lines == list(engine.goes_on)


def test_a_fatal_line_of_a_second_engine_is_heard_behind_a_first_that_says_nothing(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", SLOW)
    api = container("api", health="healthy", container_id="a" * 64)
    engine.states[api.name] = api
    engine.silent = {api.container_id}
    engine.prints = ("torch.OutOfMemoryError: no more",)
    with pytest.raises(EngineError, match="did not come up") as caught:
        up(engine)
    engine.end.set()
    assert caught.value.why == "the engine ran out of memory: torch.OutOfMemoryError: no more"


def test_a_fatal_line_that_says_little_is_told_by_the_one_that_says_why(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", SLOW)
    engine.prints = ("TT_FATAL @ tt_metal/distributed/mesh_trace.cpp:1: false",)
    (vllm,) = engine.containers("llama")
    engine.logs[vllm.container_id] = (
        *engine.prints,
        "info:",
        (
            "Creating trace buffers of size 30B on MeshDevice 0, but only 20B is allocated for"
            " trace region."
        ),
    )
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.why.startswith(
        "the trace region is too small: trace_region_size has to be 30 or more, and is 20: "
    )


def test_an_engine_that_cannot_be_looked_at_for_a_moment_stops_nothing(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", SLOW)
    engine.fails = 2
    engine.prints = ("MemoryError",)
    with pytest.raises(EngineError, match="did not come up"):
        up(engine)


def test_a_wait_that_is_over_ends_with_124(engine: FollowedEngine, programs: Programs) -> None:
    programs.add("docker", "print('application not healthy after 1m0s'); sys.exit(1)")
    with pytest.raises(WaitError, match="did not come up") as caught:
        up(engine)
    assert caught.value.exit_code == 124
    assert caught.value.why == "vllm is starting"


def test_a_container_that_ended_is_told_with_its_last_lines(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print('dependency failed to start'); sys.exit(1)")
    engine.set_state("vllm", state="exited", exit_code=3)
    engine.logs["f" * 64] = tuple(f"line {number} " + "x" * 400 for number in range(40))
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.exit_code == 5
    assert caught.value.why == "vllm ended with exit code 3"
    lines = caught.value.evidence.splitlines()
    assert lines[-1].startswith("line 39 ")
    assert max(map(len, lines)) <= SHOWN


@pytest.mark.parametrize(
    ("state", "health"), [("running", "starting"), ("restarting", ""), ("running", "healthy")]
)
def test_a_container_that_ended_and_is_started_again_is_told_as_it_ended(
    engine: FollowedEngine, programs: Programs, state: str, health: str
) -> None:
    programs.add("docker", "print('container ttctl-llama-vllm-1 exited (143)'); sys.exit(1)")
    engine.set_state("vllm", state=state, health=health)
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.exit_code == 5
    assert caught.value.why == (
        "vllm was ended from outside (SIGTERM, exit code 143): by `docker stop`, or with the "
        "container engine"
    )


def test_a_container_that_just_starts_is_not_told_before_one_that_cannot(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "sys.exit(1)")
    engine.states["web"] = container("web", state="created", health="")
    with pytest.raises(EngineError, match="did not come up") as caught:
        up(engine)
    assert caught.value.why == "web was made and never started"


@pytest.mark.parametrize(
    ("state", "health", "why"),
    [
        ("running", "starting", "vllm ends and is started again by the container engine, so far 4"),
        ("restarting", "unhealthy", "vllm ends and is started again and again; the last time"),
        ("running", "unhealthy", "vllm is unhealthy"),
    ],
)
def test_a_crash_loop_is_told_with_what_was_said_before_the_last_start(
    engine: FollowedEngine, programs: Programs, state: str, health: str, why: str
) -> None:
    programs.add("docker", "print('container ttctl-llama-vllm-1 is unhealthy'); sys.exit(1)")
    engine.set_state("vllm", state=state, health=health, restarts=4)
    engine.earlier["f" * 64] = ("why it ended",)
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.why.startswith(why)
    assert caught.value.evidence == "why it ended"


def test_what_the_engine_refused_is_told_before_the_log(
    engine: FollowedEngine, programs: Programs
) -> None:
    said = "Error response from daemon: failed to create task for container: it exists"
    programs.add("docker", f"print({said!r}); sys.exit(1)")
    engine.set_state("vllm", state="created", health="")
    engine.logs["f" * 64] = ("a line of its log",)
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.why == "vllm was made and never started"
    assert caught.value.evidence.splitlines() == [said, "a line of its log"]


def test_a_container_that_was_killed_for_its_memory_is_told_so(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "sys.exit(1)")
    engine.set_state("vllm", state="exited", exit_code=137, oom_killed=True, memory_bytes=1 << 30)
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.why == "vllm was killed: it used more memory than its limit of 1024 MiB"


def test_a_failure_before_any_container_shows_what_compose_said(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print('network x not found'); sys.exit(14)")
    engine.states.clear()
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.why == "docker compose ended with 14"
    assert caught.value.evidence == "network x not found"


LOCKED = (
    "Error response from daemon: failed to create shim task: OCI runtime create failed: runc"
    " create failed: unable to start container process: error during container init: error"
    " setting rlimits for ready process: error setting rlimit type 8: operation not"
    " permitted: unknown"
)
NO_PAGES = (
    'Error response from daemon: invalid mount config for type "bind": bind source path does not'
    " exist: /dev/hugepages-1G"
)


def test_an_engine_that_may_not_lift_a_limit_is_told_though_a_neighbour_has_a_log(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", f"print(' Container x  Starting'); print({LOCKED!r}); sys.exit(1)")
    gateway = container("gateway", health="unhealthy", container_id="9" * 64)
    engine.states = {gateway.name: gateway}
    engine.set_state("gateway", state="running")
    engine.logs[gateway.container_id] = ("the gateway's own line",)
    with pytest.raises(EngineError) as caught:
        up(engine)
    assert caught.value.exit_code == 5
    assert caught.value.why.startswith("the container engine may not lift the limit for locked")
    assert caught.value.evidence.splitlines()[-1] == LOCKED


def test_a_container_that_cannot_be_made_without_hugepages_is_told_so(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", f"print({NO_PAGES!r}); sys.exit(1)")
    with pytest.raises(EngineError, match="could not be changed") as caught:
        launcher(engine).create("llama", FOLDER, recreate=False, reporter=FakeReporter())
    assert caught.value.why.startswith("the host has no folder /dev/hugepages-1G: its hugepages")
    assert caught.value.evidence == NO_PAGES


@pytest.mark.parametrize(
    ("volumes", "timeout_s", "last"),
    [
        (None, None, "--remove-orphans"),
        (Path("/no/such/folder"), None, "--remove-orphans"),
        (None, 5, "5"),
    ],
)
def test_down_needs_no_folder(
    engine: FollowedEngine,
    programs: Programs,
    *,
    volumes: Path | None,
    timeout_s: int | None,
    last: str,
) -> None:
    programs.add("docker")
    launcher(engine).down("llama", volumes=volumes, timeout_s=timeout_s, reporter=FakeReporter())
    (words,) = programs.calls
    assert "--file" not in words
    assert words[words.index("--project-name") + 1] == "ttctl-llama"
    assert words[-1] == last


def test_the_volumes_that_go_are_those_that_the_stacks_own_files_declare(
    engine: FollowedEngine, programs: Programs, tmp_path: Path
) -> None:
    programs.add("docker")
    (tmp_path / "compose.yaml").touch()
    launcher(engine).down("llama", volumes=tmp_path, timeout_s=5, reporter=FakeReporter())
    (words,) = programs.calls
    assert words[words.index("--file") + 1] == str(tmp_path / "compose.yaml")
    assert words[-4:] == ["--remove-orphans", "--timeout", "5", "--volumes"]


def test_a_question_comes_back_with_its_code_and_all_that_was_printed(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print('\\n'.join(str(n) for n in range(1000))); sys.exit(3)")
    code, lines = launcher(engine).ask("llama", ["exec", "vllm", "seq"], timeout_s=20)
    assert code == 3
    assert lines == tuple(str(n) for n in range(1000))
    assert programs.calls[0][-3:] == ["exec", "vllm", "seq"]


def test_only_the_services_that_are_named_are_removed(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker")
    launcher(engine).remove("llama", FOLDER, ["vllm"], reporter=FakeReporter())
    assert programs.calls[0][-4:] == ["rm", "--stop", "--force", "vllm"]


def test_a_change_that_fails_shows_what_compose_said(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print('no'); sys.exit(1)")
    with pytest.raises(EngineError, match="'llama' could not be changed") as caught:
        launcher(engine).down("llama", volumes=None, timeout_s=None, reporter=FakeReporter())
    assert caught.value.evidence == "no"


def test_a_long_line_is_cut_and_a_short_one_is_not() -> None:
    assert shortened(" short \n") == "short"
    assert len(shortened("x" * 1000)) == SHOWN


NETWORKS = """
if sys.argv[1:3] == ["network", "ls"]:
    print("ttctl-llama-back\\t\\nttctl-llama_back\\tttctl-llama\\nother\\t")
"""


@pytest.fixture
def run_made(engine: FollowedEngine) -> FollowedEngine:
    """A stack that run.sh started."""
    for service in ("vllm", "gateway"):
        one = container(service, composed=False)
        engine.states[one.name] = one
    return engine


def test_what_docker_run_made_is_stopped_in_its_own_time_and_removed_with_its_networks(
    run_made: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", NETWORKS)
    launcher(run_made).down("llama", volumes=None, timeout_s=None, reporter=FakeReporter())
    calls = [" ".join(one[1:]) for one in programs.calls]
    assert calls[:2] == ["stop ttctl-llama-gateway-1", "stop ttctl-llama-vllm-1"]
    assert calls[2:4] == ["rm ttctl-llama-gateway-1", "rm ttctl-llama-vllm-1"]
    assert calls[4].startswith("network ls --filter label=dev.ttctl.stack=llama ")
    assert calls[5] == "network rm ttctl-llama-back"
    assert calls[6].startswith("compose --project-name ttctl-llama ")
    assert len(calls) == 7


def test_what_docker_run_made_is_not_removed_where_it_could_not_be_stopped(
    run_made: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker", "print('no'); sys.exit(1)")
    with pytest.raises(EngineError, match="could not be taken down") as caught:
        launcher(run_made).down("llama", volumes=FOLDER, timeout_s=5, reporter=FakeReporter())
    assert (caught.value.why, caught.value.next_step) == ("no", "docker ps --all")
    assert [one[1:] for one in programs.calls] == [["stop", "-t", "5", "ttctl-llama-gateway-1"]]


def test_networks_that_a_killed_command_left_go_though_no_container_is_here(
    engine: FollowedEngine, programs: Programs
) -> None:
    engine.states.clear()
    programs.add("docker", NETWORKS)
    launcher(engine).down("llama", volumes=None, timeout_s=None, reporter=FakeReporter())
    assert ["docker", "network", "rm", "ttctl-llama-back"] in programs.calls


def test_a_stop_reaches_compose_only_where_it_made_something(
    engine: FollowedEngine, programs: Programs
) -> None:
    programs.add("docker")
    assert launcher(engine).stop("llama", timeout_s=5, limit_s=20) == (0, ())
    assert programs.calls[-1][-3:] == ["stop", "--timeout", "5"]
    for name, one in list(engine.states.items()):
        engine.states[name] = replace(one, composed=False)
    assert launcher(engine).stop("llama", timeout_s=None, limit_s=20) == (0, ())
    assert programs.calls[-1] == ["docker", "stop", "ttctl-llama-vllm-1"]
