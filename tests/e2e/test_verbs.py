# SPDX-License-Identifier: Apache-2.0
"""The verbs that look, on a running stack: what they say, for people and for programs."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import LIMIT_S, Stack, Ttctl, docker, kill, stamps, tree, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

QUESTION = "What is Tenstorrent?"


def everything(stack: Stack) -> dict[str, tuple[int, int, int]]:
    """Return the stamps of all that ttctl keeps: state, settings, cache."""
    return stamps(stack.ttctl.home.parent)


def test_a_second_up_changes_nothing_and_writes_nothing(stack: Stack) -> None:
    before, containers = everything(stack), stack.identities()
    again = stack.up()
    assert "is up already, nothing was changed" in again.out
    assert stack.identities() == containers
    assert everything(stack) == before


def test_a_second_up_says_the_same_to_programs(stack: Stack) -> None:
    envelope = stack.up("--json").envelope
    assert envelope["schema"] == "ttctl.up/1"
    assert envelope["data"]["changed"] is False
    assert envelope["data"]["demo"] is True
    assert envelope["data"]["url"] == f"http://127.0.0.1:{stack.port}"
    assert envelope["data"]["key_file"] == str(stack.key_file)


@pytest.mark.parametrize("words", [("plan",), ("up", "--dry-run")], ids=" ".join)
def test_a_plan_of_what_runs_skips_each_step_and_says_why(
    stack: Stack, words: tuple[str, ...]
) -> None:
    before, containers = everything(stack), stack.identities()
    said = stack.ttctl.run(*words, *stack.words, "--json").data
    verbs = {step["subject"]: step["verb"] for step in said["steps"]}
    assert verbs.pop("ready") == "wait"
    assert set(verbs.values()) == {"skip"}
    assert {"image base", "image torch", "image vllm-cpu", "image gateway", "vllm"} <= set(verbs)
    assert all(step["reason"] for step in said["steps"])
    assert everything(stack) == before
    assert stack.identities() == containers


@pytest.mark.parametrize("words", [("plan",), ("up", "--dry-run")], ids=" ".join)
def test_a_plan_of_a_change_names_what_is_recreated_and_changes_nothing(
    stack: Stack, words: tuple[str, ...]
) -> None:
    before, containers = everything(stack), stack.identities()
    said = stack.ttctl.run(*words, *stack.words, "--max-num-seqs", "3").out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "start vllm its settings changed: it is recreated" in lines
    assert "skip gateway it runs as wanted" in lines
    assert everything(stack) == before
    assert stack.identities() == containers


def test_a_plan_of_what_does_not_run_starts_all_of_it(stack: Stack) -> None:
    said = stack.ttctl.run("plan", "llama", "--name", f"{stack.name}-x", "--json").data
    verbs = {step["subject"]: step["verb"] for step in said["steps"]}
    assert (verbs["vllm"], verbs["gateway"]) == ("start", "start")
    assert verbs["gateway key"] == "key"
    assert not (stack.ttctl.stacks / f"{stack.name}-x").exists()


def test_status_says_ready_and_how_to_talk_to_it(stack: Stack) -> None:
    said = stack.ttctl.run("status", stack.name).out
    assert said.startswith(f"{stack.name}: ready\n")
    assert f"http://127.0.0.1:{stack.port}/v1" in said
    assert str(stack.key_file) in said
    data = stack.ttctl.run("status", "--json", stack.name).data
    assert data["state"] == "ready"
    assert {one["service"] for one in data["containers"]} == {"vllm", "gateway"}


def test_the_only_stack_needs_no_name(stack: Stack) -> None:
    assert stack.ttctl.run("status").out == stack.ttctl.run("status", stack.name).out


def test_ps_lists_this_stack_as_the_engine_has_it(stack: Stack) -> None:
    rows = stack.ttctl.run("ps", "--json").data
    found = {one["container_id"] for one in rows if one["stack"] == stack.name}
    assert found == {one["Id"] for one in stack.inspect().values()}
    short = stack.ttctl.run("ps", "--ids").out.split()
    assert {one[:12] for one in found} <= set(short)


def test_logs_show_what_the_engine_prints(stack: Stack) -> None:
    said = stack.ttctl.run("logs", stack.name, "--service", "vllm").out
    assert "Application startup complete" in said
    few = stack.ttctl.run("logs", stack.name, "--service", "vllm", "--tail", "2").out
    assert len(few.splitlines()) == 2


def test_exec_runs_in_the_container_as_its_user(stack: Stack) -> None:
    said = stack.ttctl.run("exec", "--stack", stack.name, "gateway", "--", "id", "-u").out
    assert said.strip() == "1000"
    failed = ("exec", "--stack", stack.name, "gateway", "--", "sh", "-c", "exit 7")
    stack.ttctl.run(*failed, exits=7)


def test_exec_names_the_services_where_there_is_no_such_one(stack: Stack) -> None:
    words = ("exec", "--stack", stack.name, "vlm", "--", "id")
    assert "gateway, vllm" in stack.ttctl.run(*words, exits=2).err


def test_lock_writes_what_up_has_locked(stack: Stack) -> None:
    before = tree(stack.folder)
    data = stack.ttctl.run("lock", "llama", "--name", stack.name, "--json").data
    assert tree(stack.folder) == before
    assert data["model"] == "demo-llama"


def test_models_and_devices_speak_to_people_and_programs(ttctl: Ttctl) -> None:
    assert "demo-llama" in ttctl.run("models", "ls").out
    assert "demo-llama" in {one["model"] for one in ttctl.run("models", "ls", "--json").data}
    assert ttctl.run("models", "show", "demo-llama", "--json").data["spec"]["demo"] is True
    assert ttctl.run("devices").out.startswith("device ")
    assert ttctl.run("devices", "--json").data["cores"] > 0


def test_logs_for_programs_are_an_object_a_line(stack: Stack) -> None:
    words = ("logs", stack.name, "--tail", "3", "--service", "vllm", "--json")
    lines = [json.loads(line) for line in stack.ttctl.run(*words).out.splitlines()]
    assert len(lines) == 3
    assert {line["schema"] for line in lines} == {"ttctl.logs/1"}
    assert {line["data"]["service"] for line in lines} == {"vllm"}


def test_global_flags_work_before_and_after_the_verb(ttctl: Ttctl) -> None:
    assert ttctl.run("--json", "models", "ls").out == ttctl.run("models", "ls", "--json").out


def test_down_dry_run_says_what_would_stop_and_stops_nothing(stack: Stack) -> None:
    containers = stack.identities()
    (plan,) = stack.ttctl.run("down", stack.name, "--dry-run", "--json").data
    assert {step["verb"] for step in plan["steps"]} == {"remove"}
    assert stack.identities() == containers


# Chat.


@pytest.fixture
def slow_engine(stack: Stack) -> Iterator[Stack]:
    """Let the engine compute slowly, so that its pieces can be told apart."""
    engine = stack.inspect()["vllm"]["Id"]
    docker("update", "--cpu-period=100000", "--cpu-quota=10000", engine)
    try:
        yield stack
    finally:
        docker("update", "--cpu-quota=-1", engine)


def test_a_question_is_answered_piece_by_piece(slow_engine: Stack) -> None:
    with slow_engine.ttctl.start("chat", "--stack", slow_engine.name, QUESTION) as child:
        assert child.stdout is not None
        handle = child.stdout.fileno()
        pieces = list(iter(lambda: os.read(handle, 65536), b""))
        child.communicate(timeout=LIMIT_S)
    assert child.returncode == 0
    assert len(pieces) > 5


def test_an_answer_goes_to_stdout_and_its_figures_to_stderr(stack: Stack) -> None:
    said = stack.ttctl.run("chat", "--stack", stack.name, QUESTION)
    assert "Tenstorrent" in said.out
    assert "tokens/s" not in said.out
    assert "tokens/s" in said.err


def test_a_question_may_come_from_standard_input(stack: Stack) -> None:
    said = stack.ttctl.run("chat", "--stack", stack.name, stdin=f"{QUESTION}\n")
    assert said.out == stack.ttctl.run("chat", "--stack", stack.name, QUESTION).out


def test_an_answer_for_programs_has_its_text_and_its_usage(stack: Stack) -> None:
    data = stack.ttctl.run("chat", "--stack", stack.name, "--json", QUESTION).data
    assert "Tenstorrent" in data["text"]
    assert data["completion_tokens"] > 5
    assert 0 < data["first_token_s"] <= data["seconds"]


@pytest.fixture
def still_engine(stack: Stack) -> Iterator[Stack]:
    """Hold the engine still, so that an answer does not end before it is stopped."""
    engine = stack.inspect()["vllm"]["Id"]
    docker("pause", engine)
    try:
        yield stack
    finally:
        docker("unpause", engine)


def is_asked(stack: Stack) -> bool:
    """Return whether the gateway holds a request to the engine."""
    _, metrics = stack.ask("/gateway/metrics")
    found = re.search(
        r'^haproxy_backend_current_sessions\{proxy="engine"\} (\d+)$', metrics, re.MULTILINE
    )
    assert found
    return int(found[1]) > 0


def test_a_question_that_is_interrupted_ends_with_130(still_engine: Stack) -> None:
    with still_engine.ttctl.start("chat", "--stack", still_engine.name, QUESTION) as child:
        until(lambda: is_asked(still_engine))
        kill(child, signal.SIGINT)
        _, err = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 130
    assert "Traceback" not in err


class Terminal:
    """A program at a terminal, as a person sees it."""

    def __init__(self, stack: Stack, *words: str) -> None:
        self._master, slave = pty.openpty()
        takes_terminal = (
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execv(sys.argv[1], sys.argv[1:])"
        )
        command = [str(stack.ttctl.program), *words]
        self.child = subprocess.Popen(
            [sys.executable, "-c", takes_terminal, *command],
            cwd=stack.ttctl.home,
            env={**stack.ttctl.environ, "TERM": "xterm"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def see(self, text: str) -> str:
        """Read on until `text` has come; return what came up to it."""
        deadline = time.monotonic() + LIMIT_S
        while text not in self._seen:
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            assert ready, f"{text!r} did not come: {self._seen!r}"
            self._seen += os.read(self._master, 65536).decode(errors="replace")
        before, _, self._seen = self._seen.partition(text)
        return before

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self._master)


@pytest.fixture
def conversation(stack: Stack) -> Iterator[Terminal]:
    terminal = Terminal(stack, "chat", "--stack", stack.name)
    try:
        terminal.see("> ")
        yield terminal
    finally:
        terminal.close()


def test_a_conversation_answers_until_it_is_left(conversation: Terminal) -> None:
    conversation.type(f"{QUESTION}\n")
    assert "Tenstorrent is" in conversation.see(" tokens/s)")
    conversation.see("> ")
    conversation.type("And what is vLLM?\n")
    assert "(" in conversation.see(" tokens/s)")
    conversation.see("> ")
    conversation.type("/quit\n")
    assert conversation.child.wait(LIMIT_S) == 0


def test_control_c_stops_an_answer_and_not_the_program(
    conversation: Terminal, still_engine: Stack
) -> None:
    conversation.type(f"{QUESTION}\n")
    until(lambda: is_asked(still_engine))
    conversation.type("\x03")
    conversation.see("(stopped)")
    conversation.see("> ")
    assert conversation.child.poll() is None
    conversation.type("\x04")
    assert conversation.child.wait(LIMIT_S) == 0
