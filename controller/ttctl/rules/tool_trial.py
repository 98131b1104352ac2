# SPDX-License-Identifier: Apache-2.0
"""Does a model call a tool? One question, and what its answer says. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ttctl.model.acceptance_kit import Question
from ttctl.rules.parsers import TOOLS, told_arguments

if TYPE_CHECKING:
    from ttctl.model.acceptance import Outcome
    from ttctl.model.acceptance_kit import Answer
    from ttctl.model.spec import ModelSpec

NAME = "a tool call"
TOOL = "look_up_weather"
CITIES = ("Paris", "Tokyo")
PATH = "/v1/chat/completions"
OK = 200
MOST_TOKENS = 64


def calls_tools(spec: ModelSpec) -> bool:
    """Return whether the entry's engine is told how the model writes its calls."""
    return TOOLS in dict(told_arguments(spec))


def tool_question(spec: ModelSpec) -> Question:
    """Ask for a call. On the processor it is forced; on a card the model may answer in words."""
    call = {"type": "function", "function": {"name": TOOL}}
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": list(CITIES)}},
        "required": ["city"],
        "additionalProperties": False,
    }
    described = {"name": TOOL, "description": "Tell the weather of a city.", "parameters": schema}
    body = {
        "model": spec.model,
        "messages": [{"role": "user", "content": f"What is the weather in {CITIES[0]}?"}],
        "tools": [{"type": "function", "function": described}],
        "tool_choice": "auto" if spec.pins else call,
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
    }
    return Question(path=PATH, body=json.dumps(body).encode())


def judged_call(answer: Answer) -> tuple[Outcome, str]:
    """Return how a call came out, and why where it did not pass."""
    if answer.problem:
        return "failed", answer.problem
    if answer.status != OK:
        return "failed", f"HTTP status {answer.status}"
    try:
        message = json.loads(answer.body)["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        if not calls:
            return "skipped", "the model answered in words"
        function = calls[0]["function"]
        city = json.loads(function["arguments"])["city"]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return "failed", "what came is no call that a program can read"
    if function.get("name") != TOOL or city not in CITIES:
        return "failed", "another tool or another argument than there is was called"
    return "passed", ""
