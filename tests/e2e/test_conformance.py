# SPDX-License-Identifier: Apache-2.0
"""Two public checkers of OpenAI's chat API on vLLM: what fails is named, and is the model's.

llm-comply asks twice: through the gateway, and vLLM alone from inside its own network.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.driver import Stack

pytestmark = pytest.mark.docker

MODEL = "demo-llama"
CANARY = "compatcanary@0.2.2"
LIMIT_S = 900
PROBE_S = 300
"""demo-llama fills its context of 2048 tokens in the calls of tools; a busy machine takes long."""

UNENDED = (
    "choices[0].message.tool_calls is missing or empty",
    "finish_reason: expected 'tool_calls', got 'length'",
)
"""The demonstration model was trained on no quote, so that no string that it begins ends."""
NO_PICTURES = "HTTP 400 (expected [200])"
"""demo-llama reads text alone, and vLLM refuses pictures for such a model."""
FAILING = {"chat-tool-calling": UNENDED, "chat-image-input": (NO_PICTURES,)}
PASSING = {
    "chat-basic-response",
    "chat-system-prompt",
    "chat-multi-turn",
    "chat-streaming-response",
    "chat-streaming-usage",
    "chat-error-handling",
}
SKIPPED = {"chat-reasoning-summary"}
"""The checker asks this of models alone whose names it knows as reasoning ones."""

Report = dict[str, Any]


def comply_words(url: str) -> tuple[str, ...]:
    asked = ("--base-url", url, "--model", MODEL, "--format", "openai-chat")
    return (*asked, "--timeout", str(PROBE_S), "--json")


def read(command: list[str], key: str = "") -> Report:
    keys = {"OPENRESPONSES_API_KEY": key, "OPENAI_API_KEY": key}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env={**os.environ, **keys},
    )
    assert done.stdout, done.stderr
    found: Report = json.loads(done.stdout)
    return found


def through_the_gateway(stack: Stack) -> Report:
    program = Path(sys.executable).with_name("llm-comply")
    return read([str(program), *comply_words(f"http://127.0.0.1:{stack.port}/v1")], stack.key)


def alone(stack: Stack) -> Report:
    """Return what the checker says of vLLM without a gateway, from a container beside it."""
    vllm = stack.inspect()["vllm"]
    found = importlib.util.find_spec("llm_comply")
    assert found
    assert found.origin
    return read(
        [
            "docker", "run", "--rm", "--network", f"container:{vllm['Id']}",
            "--volume", f"{Path(found.origin).parent}:/checker/llm_comply:ro",
            "--env", "PYTHONPATH=/checker:/opt/vllm", "--env", "OPENRESPONSES_API_KEY=none",
            "--entrypoint", "python",
            vllm["Config"]["Image"], "-c", "from llm_comply.cli import main; main()",
            *comply_words("http://127.0.0.1:8000/v1"),
        ]
    )  # fmt: skip


def faults(report: Report) -> dict[str, set[str]]:
    return {one["id"]: set(one["errors"]) for one in report["results"] if one["status"] == "failed"}


def ids(report: Report, status: str) -> set[str]:
    return {one["id"] for one in report["results"] if one["status"] == status}


def test_llm_comply_finds_what_is_known_of_vllm_and_nothing_else(stack: Stack) -> None:
    report = through_the_gateway(stack)
    found = faults(report)
    assert found.keys() == FAILING.keys()
    pictures = found.pop("chat-image-input")
    assert NO_PICTURES in pictures
    assert found == {name: set(FAILING[name]) for name in found}
    assert ids(report, "passed") == PASSING
    assert ids(report, "skipped") == SKIPPED


def test_llm_comply_finds_the_same_in_vllm_without_the_gateway(stack: Stack) -> None:
    assert faults(alone(stack)) == faults(through_the_gateway(stack))


def test_a_call_that_a_request_forces_is_made_where_its_strings_have_an_end(stack: Stack) -> None:
    parameters: dict[str, object] = {
        "type": "object",
        "properties": {
            "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
            "city": {"type": "string", "maxLength": 12},
        },
        "required": ["unit", "city"],
        "additionalProperties": False,
    }
    with stack.openai() as client:
        answer = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "What is the weather in Paris?"}],
            tools=[{"type": "function", "function": {"name": "weather", "parameters": parameters}}],
            tool_choice={"type": "function", "function": {"name": "weather"}},
            temperature=0,
        )
    calls = answer.choices[0].message.tool_calls or []
    assert len(calls) == 1
    call = calls[0]
    assert call.type == "function"
    assert call.function.name == "weather"
    told = json.loads(call.function.arguments)
    assert told["unit"] in {"celsius", "kelvin"}
    assert len(told["city"]) <= 12


def test_tools_that_the_model_may_leave_alone_change_no_answer(stack: Stack) -> None:
    tool: Any = {"type": "function", "function": {"name": "clock", "parameters": {}}}
    more: list[dict[str, Any]] = [{}, {"tools": [tool]}]
    with stack.openai() as client:
        answers = [
            client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": "What is Tenstorrent?"}],
                temperature=0,
                **one,
            )
            .choices[0]
            .message.content
            for one in more
        ]
    assert answers[0]
    assert answers[0] == answers[1]


@pytest.mark.skipif(not shutil.which("npm"), reason="compatcanary is a program of Node's")
def test_compatcanary_finds_that_demo_llama_ends_no_string_and_nothing_else(
    stack: Stack, tmp_path: Path
) -> None:
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(tmp_path)]
    subprocess.run([*install, CANARY], check=True, capture_output=True, timeout=LIMIT_S)
    url = f"http://127.0.0.1:{stack.port}/v1"
    report = read(
        [
            str(tmp_path / "node_modules" / ".bin" / "compatcanary"), "scan", "--base-url", url,
            "--model", MODEL, "--profile", "chat", "--format", "json",
            "--timeout", str(PROBE_S),
        ],
        stack.key,
    )  # fmt: skip
    assert {one["id"]: one["status"] for one in report["results"]} == {
        "models.list": "pass",
        "chat.basic": "pass",
        "chat.streaming": "pass",
        "chat.tool_call": "fail",
        "chat.structured_output": "pass",
    }
    (failed,) = (one for one in report["results"] if one["status"] == "fail")
    assert failed["summary"] == "Tool arguments were not valid JSON"
