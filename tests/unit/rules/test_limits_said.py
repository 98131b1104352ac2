# SPDX-License-Identifier: Apache-2.0
"""Does the engine's container really get what the user changes, and each flag once?"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.launching import (
    contract_of,
    contracts,
    entries,
    files_of,
    named,
    pins_of,
    service_of,
)

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.rules.engine_flags import with_engine_words
from ttctl.rules.launch import GPU
from ttctl.rules.limits_said import READS_ARGUMENTS, VARIABLES
from ttctl.rules.resolve import with_settings

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

LIMITS = Request(model="x", max_model_len=1024, max_num_seqs=3, block_size=128)
WANTED = {"max-model-len": "1024", "max-num-seqs": "3", "block-size": "128"}
LAUNCHED = [one for one in entries() if one.device != GPU]
OF_VLLM = [one for one in LAUNCHED if pins_of(one).contract in READS_ARGUMENTS]
OF_SERVERS = [one for one in LAUNCHED if pins_of(one).contract not in READS_ARGUMENTS]


def dashed(name: str) -> str:
    return name.removeprefix("--").replace("_", "-")


def of_the_spec_file(spec: ModelSpec) -> dict[str, object]:
    found = json.loads(files_of(spec)["launch/model_spec.json"])["device_model_spec"]
    assert found["max_context"] == spec.limits.max_model_len
    assert found["max_concurrency"] == spec.limits.max_num_seqs
    arguments = found["vllm_args"]
    assert isinstance(arguments, dict)
    return arguments


def of_the_command(spec: ModelSpec) -> list[str]:
    command = service_of(spec, contract=contracts()["own"]).command
    return [dashed(word) for word in command if word.startswith("--")]


@pytest.mark.parametrize("spec", [pytest.param(one, id=one.id) for one in OF_VLLM])
def test_limits_are_what_vllm_gets_in_its_file_and_in_its_words_and_once(spec: ModelSpec) -> None:
    changed = with_settings(spec, LIMITS)
    arguments = of_the_spec_file(changed)
    assert {dashed(name): arguments[name] for name in arguments if dashed(name) in WANTED} == WANTED
    assert Counter(map(dashed, arguments)).most_common(1)[0][1] == 1
    assert len(arguments) == len(of_the_spec_file(spec))
    if contract_of(spec).name != "multihost":
        command = service_of(changed, contract=contracts()["own"]).command
        assert Counter(of_the_command(changed)).most_common(1)[0][1] == 1
        words = {dashed(name): value for name, value in pairwise(command)}
        assert {name: words[name] for name in WANTED} == WANTED


def test_flags_behind_the_dashes_take_the_place_of_upstreams_own_spelling() -> None:
    spec = named("id_tt-transformers_Llama-3.1-8B-Instruct_n150")
    before = of_the_spec_file(spec)
    assert {"max_num_batched_tokens", "max-log-len", "seed"} <= set(before)
    typed = ["--max-num-batched-tokens", "2048", "--max_log_len=8", "--enforce-eager"]
    changed = with_settings(spec, with_engine_words(Request(model="x"), typed))
    told = {"max_num_batched_tokens": "2048", "max-log-len": "8", "enforce-eager": True}
    assert of_the_spec_file(changed) == {**before, **told}


FLAGS = st.sampled_from(["max_log_len", "max-log-len", "seed", "max-num-seqs", "max_num_seqs"])


@given(st.lists(st.tuples(FLAGS, st.integers(1, 999)), max_size=5))
def test_whatever_is_typed_no_flag_is_given_twice_and_the_last_one_holds(
    typed: list[tuple[str, int]],
) -> None:
    spec = named("id_tt-transformers_Llama-3.1-8B-Instruct_n150")
    words = [f"--{name}={value}" for name, value in typed]
    changed = with_settings(spec, with_engine_words(Request(model="x"), words))
    told = {dashed(name): str(value) for name, value in typed}
    before = {dashed(name): value for name, value in spec.engine_args}
    assert {dashed(name): value for name, value in changed.engine_args} == before | told
    assert len(changed.engine_args) == len(spec.engine_args)


@pytest.mark.parametrize("spec", [pytest.param(one, id=one.id) for one in entries()])
def test_what_an_entry_says_itself_changes_nothing(spec: ModelSpec) -> None:
    same = Request(
        model="x",
        max_model_len=spec.limits.max_model_len,
        max_num_seqs=spec.limits.max_num_seqs,
        block_size=spec.limits.block_size,
    )
    assert with_settings(spec, same) == spec


@pytest.mark.parametrize("spec", [pytest.param(one, id=one.id) for one in OF_SERVERS])
@pytest.mark.parametrize(("name", "value"), [("max_model_len", 1024), ("max_num_seqs", 3)])
def test_a_server_that_reads_variables_gets_a_limit_there_or_it_is_refused(
    spec: ModelSpec, name: str, value: int
) -> None:
    known = set(VARIABLES[name]) & {variable for variable, _ in spec.environment}
    request = Request(model="x", **{name: value})  # type: ignore[arg-type]
    if not known:
        with pytest.raises(UsageError, match="would change nothing") as caught:
            with_settings(spec, request)
        assert caught.value.next_step.startswith(f"ttctl plan {spec.model} --device")
        return
    got = dict(service_of(with_settings(spec, request)).environment)
    assert {got[variable] for variable in known} == {str(value)}


def test_a_server_that_reads_no_arguments_takes_no_flags_and_no_block_size() -> None:
    spec = OF_SERVERS[0]
    for request in (
        Request(model="x", engine_args=(("seed", "1"),)),
        Request(model="x", block_size=128),
    ):
        with pytest.raises(UsageError, match="would change nothing"):
            with_settings(spec, request)
