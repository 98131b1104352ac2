# SPDX-License-Identifier: Apache-2.0
"""Is vLLM told the parsers of tool calls and of thoughts that the entries name?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.launching import contract_of, contracts, entries, files_of, named, service_of

from ttctl.rules.launch import refusal
from ttctl.rules.parsers import told_arguments

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

NAMED = {
    ("", ""): 120,
    ("llama3_json", ""): 54,
    ("hermes", ""): 18,
    ("hermes", "qwen3"): 12,
    ("deepseek_v3", "deepseek_r1"): 9,
    ("openai", "openai_gptoss"): 6,
    ("hermes", "deepseek_r1"): 3,
    ("qwen3_coder", "qwen3"): 2,
    ("gemma4", "gemma4"): 1,
}
"""(tool parser, reasoning parser) to entries.

Source: tenstorrent/tt-inference-server, release_model_spec.json@v0.20.0, metadata
"""
STARTED = [
    pytest.param(spec, id=spec.id)
    for spec in entries()
    if spec.engine == "vllm" and not refusal(spec, contract_of(spec))
]


def said(spec: ModelSpec) -> dict[str, str | bool]:
    """Return the arguments of the file that the server reads, by one spelling."""
    told = json.loads(files_of(spec)["launch/model_spec.json"])
    found = told["device_model_spec"]["vllm_args"]
    return {name.replace("_", "-"): value for name, value in found.items()}


def test_as_many_entries_are_told_each_parser_as_upstreams_export_names_it_for() -> None:
    told = [
        {name.replace("_", "-"): value for name, value in told_arguments(spec)}
        for spec in entries()
    ]
    pairs = ((one.get("tool-call-parser", ""), one.get("reasoning-parser", "")) for one in told)
    assert Counter(pairs) == NAMED


@pytest.mark.parametrize("spec", STARTED)
def test_the_file_of_the_server_names_the_entrys_parsers(spec: ModelSpec) -> None:
    told = said(spec)
    assert told.get("tool-call-parser", "") == spec.tool_parser
    assert told.get("reasoning-parser", "") == spec.reasoning_parser
    assert told.get("enable-auto-tool-choice", False) is bool(spec.tool_parser)


def test_an_engine_that_ttctl_builds_is_told_them_on_its_command_line() -> None:
    spec = named("id_tt-transformers_Qwen3-8B_n150")
    words = service_of(spec, contract=contracts()["own"]).command
    assert words[words.index("--tool-call-parser") + 1] == "hermes"
    assert words[words.index("--reasoning-parser") + 1] == "qwen3"
    assert "--enable-auto-tool-choice" in words


def test_what_an_entry_or_the_user_says_wins_in_whatever_spelling() -> None:
    spec = replace(
        named("id_tt-transformers_Qwen3-8B_n150"),
        engine_args=(("tool_call_parser", "xlam"), ("reasoning-parser", "deepseek_r1")),
    )
    assert told_arguments(spec) == (
        ("tool_call_parser", "xlam"),
        ("reasoning-parser", "deepseek_r1"),
        ("enable-auto-tool-choice", ""),
    )


def test_another_engine_than_vllm_is_told_none() -> None:
    spec = replace(named("id_tt-transformers_Qwen3-8B_n150"), engine="direct", engine_args=())
    assert told_arguments(spec) == ()
