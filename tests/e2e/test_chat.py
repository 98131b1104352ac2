# SPDX-License-Identifier: Apache-2.0
"""A conversation with the real engine, and other programs that were told of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.e2e.driver import LIMIT_S, Stack, docker, until
from tests.standins.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

QUESTION = "What is Tenstorrent?"
ASK = (
    "import os, openai; client = openai.OpenAI(max_retries=0); "
    "answer = client.chat.completions.create(model=os.environ['OPENAI_MODEL'], temperature=0, "
    f"messages=[{{'role': 'user', 'content': '{QUESTION}'}}]); "
    "print(answer.choices[0].message.content)"
)


@pytest.fixture
def screen(stack: Stack) -> Iterator[Terminal]:
    command = [str(stack.ttctl.program), "chat", "--stack", stack.name, "--max-tokens", "2000"]
    with Terminal(command, cwd=stack.ttctl.home, environ=stack.ttctl.environ) as one:
        one.see("> ")
        yield one


@pytest.fixture
def slow_engine(stack: Stack) -> Iterator[Stack]:
    """Let the engine compute so slowly that an answer can be stopped in its middle."""
    engine = stack.inspect()["vllm"]["Id"]
    docker("update", "--cpu-period=100000", "--cpu-quota=5000", engine)
    try:
        yield stack
    finally:
        docker("update", "--cpu-quota=-1", engine)


def computing(stack: Stack) -> float:
    """Return how many requests vLLM computes at this moment."""
    _, text = stack.ask("/metrics")
    found = re.search(r"^vllm:num_requests_running\{.*\} ([0-9.]+)$", text, re.MULTILINE)
    assert found
    return float(found[1])


def test_an_answer_that_is_stopped_is_no_longer_computed_and_stays_in_the_conversation(
    slow_engine: Stack, screen: Terminal
) -> None:
    screen.type(f"{QUESTION}\n")
    screen.see("Tenstorrent is")
    assert computing(slow_engine) == 1
    screen.type("\x03")
    screen.see("(stopped)")
    screen.see("tokens/s)")
    until(lambda: computing(slow_engine) == 0)
    screen.type("/save stopped\n")
    screen.see("saved as stopped")
    kept = slow_engine.ttctl.stacks.parent / "talks" / "stopped.json"
    said = json.loads(kept.read_text())["messages"]
    assert [one["role"] for one in said] == ["user", "assistant"]
    assert said[1]["stopped"] is True
    assert said[1]["text"].startswith("Tenstorrent is")


def test_what_the_real_engine_refuses_as_too_long_is_told_with_what_to_do(
    stack: Stack, screen: Terminal
) -> None:
    screen.type(f"{QUESTION}\n")
    screen.see("tokens/s)")
    screen.see("> ")
    screen.type("/save long\n")
    screen.see("saved as long")
    kept = stack.ttctl.stacks.parent / "talks" / "long.json"
    talk = json.loads(kept.read_text())
    talk["messages"][0]["text"] = "word " * 3000
    kept.write_text(json.dumps(talk))
    screen.type("/load long\n")
    screen.see("word ...")
    screen.see("> ")
    screen.type(f"{QUESTION}\n")
    screen.see("The conversation has become too long for this model.")
    screen.see("/drop 1")
    screen.type("/drop 1\n")
    screen.see("dropped 1, 0 left")
    screen.type(f"{QUESTION}\n")
    screen.see("Tenstorrent is")


def test_what_is_printed_for_the_shell_works_with_openais_client(stack: Stack) -> None:
    printed = stack.ttctl.run("connect", "env", stack.name).out
    assert stack.key not in printed
    done = subprocess.run(
        ["sh", "-c", f'{printed}\nexec "$@"', "sh", sys.executable, "-c", ASK],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    assert "Tenstorrent is" in done.stdout, done.stderr


def test_every_tool_of_the_wheel_has_settings_for_the_running_stack(stack: Stack) -> None:
    tools = stack.ttctl.run("connect", "--json").data
    assert len(tools) >= 7
    for tool in tools:
        data = stack.ttctl.run("connect", tool["name"], stack.name, "--json").data
        assert f"127.0.0.1:{stack.port}" in data["settings"]
        if tool["form"] == "yaml":
            assert yaml.safe_load(data["settings"])


def test_the_roles_of_the_wheel_are_there(stack: Stack) -> None:
    words = ("chat", "--stack", stack.name, "--role", "brief", QUESTION)
    assert stack.ttctl.run(*words).out.strip()
    refused = stack.ttctl.run("chat", "--stack", stack.name, "--role", "breif", "x", exits=2)
    assert "Nearest: brief." in refused.err
