# SPDX-License-Identifier: Apache-2.0
"""What changes a stack: settings, other commands at the same time, an engine that ends, `down`."""

from __future__ import annotations

import re
import shutil
import signal
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import (
    START_S,
    Stack,
    descendants,
    docker,
    finish,
    free_port,
    kill,
    read_until,
    stamps,
    tree,
    until,
)
from tests.e2e.test_contracts import check

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

LOADING = r"\| .*(Starting to load model|non-default args)"
"""A line of the engine's own in the middle of its start."""


@pytest.fixture
def running(stack: Stack) -> Stack:
    """Give the stack as the first `up` of the run left it."""
    stack.up("--max-model-len", "2048", "--max-num-seqs", "8")
    return stack


def test_another_port_recreates_the_gateway_alone(running: Stack) -> None:
    before, key = running.identities(), running.key
    moved = Stack(ttctl=running.ttctl, name=running.name, port=free_port())
    moved.up()
    after = moved.identities()
    assert after["vllm"] == before["vllm"]
    assert after["gateway"][0] != before["gateway"][0]
    assert moved.key == key
    assert moved.serves()
    assert tomllib.loads((moved.folder / "ttctl.lock").read_text())["port"] == moved.port
    running.up()
    assert running.identities()["vllm"] == before["vllm"]
    assert running.serves()


def test_another_limit_recreates_the_engine_alone_and_a_second_command_is_told_who_works(
    running: Stack,
) -> None:
    before, rendered = running.identities(), tree(running.folder)
    child = running.start_up("--", "--max-num-seqs", "4", "--seed=7")
    read_until(child, LOADING)
    refused = running.up("--lock-timeout", "0", exits=75)
    assert f"pid {child.pid} (" in refused.err
    refused = running.ttctl.run("down", running.name, "--lock-timeout", "0", exits=75)
    assert f"pid {child.pid} (" in refused.err
    assert running.ttctl.run("status", running.name, "--json").data["state"] == "starting"
    waited = running.ttctl.start("up", *running.words, "--lock-timeout", "600")
    assert finish(child).code == 0
    done = finish(waited)
    assert done.code == 0, done.err
    assert f"for pid {child.pid} (" in done.err
    assert "nothing was changed" in done.out
    after = running.identities()
    assert after["vllm"][0] != before["vllm"][0]
    assert after["gateway"] == before["gateway"]
    command = running.inspect()["vllm"]["Config"]["Cmd"]
    assert command[command.index("--max-num-seqs") + 1] == "4"
    assert command[command.index("--seed") + 1] == "7"
    assert running.serves()
    changed = {name for name, text in tree(running.folder).items() if rendered[name] != text}
    assert changed == {"compose.yaml", "ttctl.lock"}


def test_an_engine_that_was_killed_is_told_and_put_right(running: Stack) -> None:
    before = running.identities()
    docker("kill", before["vllm"][0])
    said = running.ttctl.run("status", running.name, "--json").data
    assert said["state"] == "degraded"
    assert {one["service"]: one["state"] for one in said["containers"]} == {
        "vllm": "exited",
        "gateway": "running",
    }
    until(lambda: running.ask("/v1/models")[0] == 503)
    plan = running.ttctl.run("plan", *running.words).out
    assert "its container is exited (exit code 137)" in plan
    running.up()
    assert running.serves()
    after = running.identities()
    assert after["gateway"] == before["gateway"]
    assert running.ttctl.run("status", running.name, "--json").data["state"] == "ready"


def test_an_engine_that_dies_in_the_middle_ends_the_wait_with_its_last_lines(
    running: Stack,
) -> None:
    rendered, made_of = tree(running.folder), running.made_of()
    running.down()
    child = running.start_up()
    read_until(child, LOADING)
    docker("kill", running.inspect()["vllm"]["Id"])
    killed = time.monotonic()
    done = finish(child)
    assert done.code == 5
    assert time.monotonic() - killed < 15
    assert "vllm was killed from outside (SIGKILL, exit code 137)" in done.err
    assert re.search(r"^evidence: .*\n {10}.*", done.err, re.MULTILINE)
    assert "APIServer" in done.err.partition("evidence:")[2]
    running.up()
    assert running.serves()
    assert (tree(running.folder), running.made_of()) == (rendered, made_of)


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_signal_ends_the_command_and_its_children(
    running: Stack, signum: signal.Signals, code: int
) -> None:
    running.down()
    child = running.start_up()
    read_until(child, r"vllm-1 +Starting")
    below = descendants(child.pid)
    assert below
    kill(child, signum)
    done = finish(child, limit_s=30)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    until(lambda: not any(Path("/proc", str(pid)).exists() for pid in below), within_s=10)
    running.up()
    assert running.serves()


def test_a_fatal_line_ends_the_start_at_once_with_the_cause(
    running: Stack, record_property: Callable[[str, object], None]
) -> None:
    rendered, made_of = tree(running.folder), running.made_of()
    started = time.monotonic()
    refused = running.up("--max-model-len", "1000000", exits=5)
    seconds = time.monotonic() - started
    record_property("fatal log line to exit", f"{seconds:.0f} s")
    assert seconds < 120
    assert "shorter context than --max-model-len asks for" in refused.err
    assert "greater than the derived max_model_len" in refused.err
    running.up()
    assert running.serves()
    assert (tree(running.folder), running.made_of()) == (rendered, made_of)


def test_down_ends_everything_and_may_be_repeated(running: Stack) -> None:
    key, rendered = running.key, tree(running.folder)
    assert "vllm" in running.down().out
    assert running.inspect() == {}
    assert not docker("network", "ls", "--quiet", "--filter", f"name=ttctl-{running.name}_")
    before = stamps(running.ttctl.stacks)
    assert "no container of this stack is here" in running.down().out
    assert stamps(running.ttctl.stacks) == before
    assert (running.key, tree(running.folder)) == (key, rendered)
    assert running.ttctl.run("status", running.name, "--json").data["state"] == "stopped"


def test_a_stopped_stack_keeps_its_containers_and_starts_as_it_is_locked(running: Stack) -> None:
    ttctl, name = running.ttctl, running.name
    before, key, rendered = running.identities(), running.key, tree(running.folder)
    stopped = check(ttctl.run("stop", name, "--json", limit_s=300).out, "stop")["data"]
    assert [one["verb"] for one in stopped[0]["steps"]] == ["stop", "stop"]
    assert {one["State"]["Status"] for one in running.inspect().values()} == {"exited"}
    said = ttctl.run("status", name, "--json").data
    assert (said["state"], said["causes"], said["boards"]) == ("stopped", [], [])
    assert said["next_step"] == f"ttctl start {name}"
    assert re.search(rf"{name} +vllm +stopped ", ttctl.run("ps", "--all").out)
    assert "it is stopped already" in ttctl.run("stop", name).out
    started = check(ttctl.run("start", name, "--json", limit_s=START_S).out, "up")["data"]
    assert (started["changed"], started["answers"]) == (True, True)
    assert running.serves()
    after = running.identities()
    # The very containers, started once more: their logs go on.
    assert {one: id_ for one, (id_, _) in after.items()} == {
        one: id_ for one, (id_, _) in before.items()
    }
    assert (running.key, tree(running.folder)) == (key, rendered)
    assert "nothing was changed" in ttctl.run("start", name).out
    assert running.identities() == after


def test_a_restart_answers_again_and_what_is_down_is_not_started(running: Stack) -> None:
    before = running.identities()
    words = ("restart", running.name, "-t", "60", "--json")
    done = check(running.ttctl.run(*words, limit_s=START_S).out, "restart")["data"]
    assert [step["subject"] for step in done["stopped"]["steps"]] == ["gateway", "vllm"]
    assert done["pause_s"] > 0
    assert running.serves()
    after = running.identities()
    assert all(after[one][0] == before[one][0] for one in after)
    assert all(after[one][1] != before[one][1] for one in after)
    running.down()
    refused = running.ttctl.run("start", running.name, exits=2)
    assert f"ttctl up llama --name {running.name}" in refused.err


def test_a_swap_exchanges_two_stacks_on_one_port_and_can_be_taken_back(running: Stack) -> None:
    other = Stack(ttctl=running.ttctl, name=f"{running.name}-b", port=running.port)
    try:
        swap = running.ttctl.run("swap", running.name, *other.words, "--json", limit_s=START_S)
        found = check(swap.out, "swap")["data"]
        assert (found["stopped"], found["up"]["stack"]) == (running.name, other.name)
        assert found["back"] == f"ttctl swap {other.name} llama --name {running.name}"
        assert not running.identities()
        assert other.serves()
        running.ttctl.run("swap", other.name, *running.words, limit_s=START_S)
        assert not other.identities()
        assert running.serves()
    finally:
        other.remove()
        shutil.rmtree(other.folder.parent, ignore_errors=True)


def test_a_swap_whose_engine_does_not_start_brings_the_stack_back(running: Stack) -> None:
    other = Stack(ttctl=running.ttctl, name=f"{running.name}-b", port=running.port)
    try:
        words = ("swap", running.name, *other.words, "--", "--max-num-batched-tokens", "1")
        refused = running.ttctl.run(*words, exits=5, limit_s=START_S)
        assert f"{running.name!r} is up again, as it is locked." in refused.err
        assert running.serves()
        assert {one["State"]["Status"] for one in other.inspect().values()} <= {"exited"}
    finally:
        other.remove()
        shutil.rmtree(other.folder.parent, ignore_errors=True)
