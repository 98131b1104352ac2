# SPDX-License-Identifier: Apache-2.0
"""Is only tried what has a reason, and with smaller limits?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.rules.validated import asked, built_in, entry

from ttctl.errors import NothingFitsError
from ttctl.model.match import Place
from ttctl.rules.experimental import experimental, fewer, shorter
from ttctl.rules.model_families import parameters_of

ON_N300 = entry(
    "acme/Llama-8B-Instruct", "n300",
    environment=(("MESH_DEVICE", "N300"), ("TT_MESH_GRAPH_DESC_PATH", "/n300.textproto")),
)  # fmt: skip
OTHER_ON_T3K = entry("acme/Qwen-32B", "t3k", parameters=32)
SAME_ON_T3K = entry("acme/Llama-70B-Instruct", "t3k", parameters=70)


@pytest.mark.parametrize(
    ("before", "after"), [(65536, 43008), (131072, 87040), (1024, 686), (16, 10), (0, 0)]
)
def test_a_context_loses_a_third_in_whole_steps(before: int, after: int) -> None:
    assert shorter(before) == after


@pytest.mark.parametrize(("before", "after"), [(16, 10), (32, 21), (1, 1), (0, 0)])
def test_a_number_of_requests_loses_a_third_and_one_stays(before: int, after: int) -> None:
    assert fewer(before) == after


@pytest.mark.parametrize(
    ("before", "replicas", "after"), [(128, 4, 84), (32, 4, 20), (4, 4, 4), (2, 4, 1), (0, 4, 0)]
)
def test_requests_divide_by_the_replicas_that_share_them(
    before: int, replicas: int, after: int
) -> None:
    assert fewer(before, replicas=replicas) == after


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(("override_tt_config", '{"data_parallel": 4}'), id="an option"),
        pytest.param(("additional_config", '{"tt": {"data_parallel": 4}}'), id="a wrapped one"),
        pytest.param(("data_parallel_size", "4"), id="an argument"),
    ],
)
def test_every_limit_of_requests_divides_by_the_replicas(said: tuple[str, str]) -> None:
    one = replace(
        ON_N300,
        limits=replace(ON_N300.limits, max_num_seqs=128),
        engine_args=(("max-num-seqs", "128"), said),
        environment=(("MAX_BATCH_SIZE", "128"),),
    )
    [spec] = experimental([one], [one, OTHER_ON_T3K], device="t3k")
    assert spec.limits.max_num_seqs == 84
    assert dict(spec.engine_args)["max-num-seqs"] == "84"
    assert dict(spec.environment)["MAX_BATCH_SIZE"] == "84"


def test_a_model_of_a_smaller_device_runs_on_a_larger_one_with_its_own_pins() -> None:
    found = asked("acme/Llama-8B-Instruct", "t3k", ON_N300, OTHER_ON_T3K, experimental=True)
    spec = found.spec
    assert (spec.device, spec.status, spec.pins) == ("t3k", "EXPERIMENTAL", ON_N300.pins)
    assert "validated on n300, not on t3k" in spec.experimental
    assert (spec.limits.max_model_len, spec.limits.max_num_seqs) == (43008, 10)
    assert dict(spec.engine_args) == {
        "model": "acme/Llama-8B-Instruct", "max_model_len": "43008", "max-num-seqs": "10",
    }  # fmt: skip
    assert dict(spec.environment) == {"MESH_DEVICE": "T3K"}
    assert any(text.startswith("experimental:") for text in found.warnings)


def test_a_model_of_the_same_architecture_takes_the_pins_of_what_is_validated_there() -> None:
    found = asked("acme/Llama-8B-Instruct", "t3k", ON_N300, SAME_ON_T3K, experimental=True)
    assert "acme/Llama-70B-Instruct of the same architecture" in found.spec.experimental
    assert found.spec.weights == ON_N300.weights
    assert dict(found.spec.engine_args)["model"] == "acme/Llama-8B-Instruct"


def test_memory_disk_and_the_longest_context_are_the_models_own() -> None:
    short = replace(
        ON_N300, memory_mib=500, disk_mib=600, limits=replace(ON_N300.limits, max_model_len=4096)
    )
    large = replace(
        SAME_ON_T3K,
        environment=(("VLLM__MAX_MODEL_LENGTH", "65536"), ("VLLM__MAX_NUM_BATCHED_TOKENS", "8192"),
                     ("MAX_BATCH_SIZE", "16")),
    )  # fmt: skip
    [spec] = experimental([short], [short, large], device="t3k")
    assert (spec.memory_mib, spec.disk_mib, spec.limits.max_model_len) == (500, 600, 4096)
    assert dict(spec.engine_args)["max_model_len"] == "4096"
    assert dict(spec.environment) == {
        "VLLM__MAX_MODEL_LENGTH": "4096",
        "VLLM__MAX_NUM_BATCHED_TOKENS": "5120",
        "MAX_BATCH_SIZE": "10",
    }


def test_another_generation_is_not_called_the_same_architecture() -> None:
    wanted = replace(ON_N300, model="acme/Qwen2.5-7B-Instruct", device="p300", parameters=7)
    there = replace(SAME_ON_T3K, model="acme/Qwen3-8B", parameters=8)
    assert experimental([wanted], [wanted, there], device="t3k") == ()
    of_the_same = replace(there, model="acme/Qwen2.5-72B-Instruct", parameters=72)
    [found] = experimental([wanted], [wanted, there, of_the_same], device="t3k")
    assert "acme/Qwen2.5-72B-Instruct of the same architecture" in found.experimental


def test_what_makes_vectors_is_no_proof_for_what_answers() -> None:
    vectors = entry("acme/Vectors-70B", "t3k", type="EMBEDDING", parameters=70)
    assert experimental([ON_N300], [ON_N300, vectors], device="t3k") == ()


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        pytest.param(replace(ON_N300, parameters=0, model="acme/Llama"), SAME_ON_T3K, id="unknown"),
        pytest.param(replace(ON_N300, parameters=90), SAME_ON_T3K, id="larger"),
        pytest.param(replace(ON_N300, device="p300"), OTHER_ON_T3K, id="other chips"),
        pytest.param(replace(ON_N300, device="galaxy"), OTHER_ON_T3K, id="a larger device"),
        pytest.param(replace(ON_N300, engine="forge"), SAME_ON_T3K, id="another engine"),
        pytest.param(
            ON_N300, replace(OTHER_ON_T3K, parameters=0, model="acme/Qwen"), id="nothing to compare"
        ),
    ],
)
def test_what_has_no_reason_is_not_tried(wanted: object, there: object) -> None:
    assert experimental([wanted], [wanted, there], device="t3k") == ()  # type: ignore[list-item]


def test_without_the_flag_it_is_offered_and_not_taken() -> None:
    place = Place(devices=("t3k",))
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Llama-8B-Instruct", "t3k", ON_N300, OTHER_ON_T3K, place=place)
    step = "ttctl plan acme/Llama-8B-Instruct --device t3k --experimental"
    assert caught.value.next_step == step


@pytest.mark.parametrize("device", ["n300", "t3k", "p150x4", "p300", "galaxy"])
def test_in_the_catalog_nothing_of_unknown_size_and_nothing_validated_is_tried(device: str) -> None:
    specs = built_in().specs
    validated = {one.model for one in specs if one.device == device}
    others = [one for one in specs if one.model not in validated]
    tried = experimental(others, specs, device=device)
    assert tried
    for one in tried:
        assert one.experimental
        assert one.device == device
        assert parameters_of(one) > 0
        own = {s.limits.max_model_len for s in specs if s.model == one.model}
        assert one.limits.max_model_len <= max(own)
        assert one.memory_mib in {s.memory_mib for s in specs if s.model == one.model}
