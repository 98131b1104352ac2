# SPDX-License-Identifier: Apache-2.0
"""Are stop, start and restart typed as they read, and do their answers say what was done?"""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer
from click.testing import CliRunner, Result
from tests.unit.cards import FIRST, NAME
from tests.unit.cli.test_swap import session_with
from tests.unit.cli.test_up_consent import Terminal
from tests.unit.fakes import Scene, container
from tests.unit.swapping import DIRT, lone_scene, running, small_scene

from ttctl.cli.ps import ps_text
from ttctl.cli.session import Flags
from ttctl.errors import DirtyError, UsageError
from ttctl.model.spec import Request
from ttctl.operations.plan import lock
from ttctl.operations.stacks import down
from ttctl.operations.stop import stop

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Typed


@pytest.fixture
def small() -> Scene:
    """The stack `llama` on the processor."""
    return small_scene()


def run(scene: Scene, line: str, *, flags: Flags | None = None) -> Result:
    """Run a verb as it is typed, in a scene."""
    verb, *words = line.split()
    app: Any = importlib.import_module(f"ttctl.cli.{verb}").app
    session = session_with(scene, flags or Flags())
    return CliRunner().invoke(typer.main.get_command(app), words, obj=session)


def test_a_stop_says_what_it_stopped_and_a_second_one_that_nothing_runs(small: Scene) -> None:
    assert run(small, "stop llama").stdout.splitlines() == [
        "llama",
        "  stop  gateway  running; it has its whole grace time",
        "  stop  vllm     running; it has its whole grace time",
    ]
    assert "it is stopped already: no container of it runs" in run(small, "stop").stdout


def test_every_stack_is_stopped_and_a_dry_run_stops_none(small: Scene) -> None:
    assert "stop  vllm" in run(small, "stop --all --dry-run -t 9").stdout
    assert running(small) == ["llama"]
    assert "it has 9 s" in run(small, "stop --all -t 9").stdout
    assert running(small) == []
    assert run(Scene(), "stop").stdout == "There is no stack.\n"


def test_a_start_says_how_to_talk_to_it_and_a_second_one_that_nothing_changed(
    small: Scene,
) -> None:
    stop(small.world, "llama")
    assert run(small, "start --dry-run").stdout.splitlines()[0] == "llama"
    assert running(small) == []
    assert "acme/Small-1B on cpu is up (" in run(small, "start llama").stdout
    assert "is up already, nothing was changed" in run(small, "start").stdout


def test_what_is_started_is_not_waited_for_where_that_is_said(small: Scene) -> None:
    stop(small.world, "llama")
    small.gateway.is_healthy = False
    assert "was not waited for" in run(small, "start -d --no-wait").stdout


def test_a_restart_says_what_stopped_and_how_long_nothing_answered(small: Scene) -> None:
    assert "stop   stack llama" in run(small, "restart --dry-run").stdout
    lines = run(small, "restart llama -t 5").stdout.splitlines()
    assert lines[-1].startswith("gateway, vllm stopped and started again; no answer for ")
    stop(small.world, "llama")
    assert run(small, "restart").stdout.splitlines()[-1] == "it was stopped before"


def test_answers_for_programs_are_one_envelope(small: Scene) -> None:
    as_json = Flags(as_json=True)
    kinds = [
        json.loads(run(small, line, flags=as_json).stdout)["schema"]
        for line in ("stop", "stop", "start --dry-run", "start", "restart --dry-run", "restart")
    ]
    assert kinds == [
        f"ttctl.{kind}/1" for kind in ("stop", "stop", "plan", "up", "plan", "restart")
    ]


@pytest.mark.parametrize(("words", "agreed"), [("y\n", True), ("n\n", False)])
def test_a_person_is_asked_before_boards_are_reset_for_a_restart(
    monkeypatch: pytest.MonkeyPatch, words: str, *, agreed: bool
) -> None:
    scene = lone_scene()
    scene.leases.remember([DIRT])
    app: Any = importlib.import_module("ttctl.cli.restart").app
    monkeypatch.setattr(sys, "stdin", Terminal(words))
    session = session_with(scene, Flags())
    command = typer.main.get_command(app)
    if agreed:
        command.main([NAME], obj=session, standalone_mode=False)
    else:
        with pytest.raises(DirtyError):
            command.main([NAME], obj=session, standalone_mode=False)
    assert (scene.leases.remembered().spoiled == ()) is agreed
    assert running(scene) == [NAME]


def test_nothing_that_could_be_started_is_refused_with_what_to_type() -> None:
    error = run(Scene(), "start").exception
    assert isinstance(error, UsageError)
    assert error.next_step == "ttctl up llama"


def test_ps_shows_what_a_stop_ended_as_stopped_and_what_failed_with_its_code(small: Scene) -> None:
    session = session_with(small, Flags())
    ended = {"state": "exited", "health": "unhealthy"}
    rows = (
        container("gateway", **ended),
        container("vllm", **ended, exit_code=143, boards=(FIRST,)),
        container("gateway", stack="other"),
        container("vllm", stack="other", **ended, exit_code=1),
    )
    states = [line.split()[1:4] for line in ps_text(session, rows).splitlines()[1:]]
    assert states == [
        ["gateway", "stopped", "-"],
        ["vllm", "stopped", "-"],
        ["gateway", "running", "healthy"],
        ["vllm", "exited", "(1)"],
    ]


def test_status_names_what_starts_a_stopped_stack(small: Scene) -> None:
    stop(small.world, "llama")
    lines = run(small, "status llama").stdout.splitlines()
    assert lines[0] == "llama: stopped"
    assert "next      ttctl start llama" in lines
    assert not [line for line in lines if line.startswith("cause")]


def test_all_stacks_and_one_of_them_are_refused(typed: Typed) -> None:
    code, _, err = typed("stop extra --all")
    assert code == 2
    assert "--all would stop every other stack too." in err
    assert err.splitlines()[-1] == "next:     ttctl stop extra   # or: ttctl stop --all"


def test_where_nobody_can_be_asked_no_board_is_reset_for_a_restart() -> None:
    scene = lone_scene()
    scene.leases.remember([DIRT])
    error = run(scene, f"restart {NAME}").exception
    assert isinstance(error, DirtyError)
    assert error.next_step.startswith(f"ttctl restart {NAME} --reset")
    assert running(scene) == [NAME]


def test_ids_that_other_commands_are_given_are_of_ones_own_containers(small: Scene) -> None:
    ids = {"gateway": "a" * 64, "vllm": "b" * 64}
    for service, container_id in ids.items():
        small.engine.set_state(service, container_id=container_id)
    small.engine.set_state("vllm", owner="somebody")
    done = run(small, "ps -a -q")
    assert done.stdout.splitlines() == ["a" * 12]
    assert "1 of other users of ttctl are left out" in done.stderr


def test_a_status_says_whose_the_containers_of_its_name_are(small: Scene) -> None:
    for service in ("gateway", "vllm"):
        small.engine.set_state(service, owner="somebody")
    said = run(small, "status llama").stdout
    assert "llama: stopped" in said
    assert "mind      ttctl-llama-vllm-1 belongs to another user of ttctl (owner somebody)" in said


def test_ps_a_lists_stacks_without_containers_and_ps_does_not(small: Scene) -> None:
    lock(small.world, Request(model="llama", name="young", port=8002), upgrade=False)
    down(small.world, "llama", volumes=False, dry_run=False)
    table = [line.split() for line in run(small, "ps -a").stdout.splitlines()[1:]]
    assert table == [
        ["llama", "-", "down", "-", "-", "-"],
        ["young", "-", "locked", "-", "-", "-"],
    ]
    rows = json.loads(run(small, "ps -a", flags=Flags(as_json=True)).stdout)["data"]
    assert [(one["stack"], one["state"], one["service"]) for one in rows] == [
        ("llama", "down", ""),
        ("young", "locked", ""),
    ]
    assert run(small, "ps").stdout.splitlines()[1:] == []
    assert run(small, "ps -a -q").stdout.split() == []
