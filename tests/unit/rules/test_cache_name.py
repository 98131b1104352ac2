# SPDX-License-Identifier: Apache-2.0
"""Is a cache shared by those that may share it, and by no other?"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.launching import contract_of, contracts, entries, named
from tests.unit.rules.validated import PINS, entry

from ttctl.model.engine_files import EngineCache
from ttctl.rules.cache_name import cache_name, caches_of

LEGACY, CURRENT, OWN = (contracts()[name] for name in ("vllm-legacy", "vllm-current", "own"))
SPEC = entry("acme/Llama-8B", "n150", pins=replace(PINS, version="0.9.0"))
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@pytest.mark.parametrize(
    ("contract", "name"),
    [
        pytest.param(LEGACY, "tt_transformers-Llama-8B-v0.9.0", id="a version of its own"),
        pytest.param(CURRENT, "tt_transformers-Llama-8B", id="one for all versions"),
        pytest.param(OWN, "tt_transformers-Llama-8B-own", id="an image of ours"),
    ],
    ids=str,
)
def test_a_cache_is_named_by_implementation_model_and_what_keeps_it_apart(
    contract: object, name: str
) -> None:
    assert cache_name(SPEC, contract) == name  # type: ignore[arg-type]


def test_an_entry_without_an_implementation_has_its_engines_name() -> None:
    assert cache_name(replace(SPEC, implementation=""), CURRENT) == "vllm-Llama-8B"


@given(model=st.text(max_size=40), implementation=st.text(max_size=20))
def test_whatever_a_catalog_says_the_name_is_one_folder(model: str, implementation: str) -> None:
    odd = replace(SPEC, model=f"acme/{model}", implementation=implementation)
    found = cache_name(odd, LEGACY)
    assert PLAIN.fullmatch(found), found


def test_a_checkout_has_a_cache_for_each_of_its_states_and_shares_none_with_a_commit() -> None:
    trees = [PINS.tt_metal, f"local-{'a' * 64}", f"local-{'b' * 64}"]
    names = [
        cache_name(replace(SPEC, pins=replace(PINS, tt_metal=metal, vllm=vllm)), OWN)
        for metal in trees
        for vllm in (PINS.vllm, *trees[1:])
    ]
    assert len(set(names)) == len(names)
    assert names[0] == "tt_transformers-Llama-8B-own"
    assert names[3] == f"tt_transformers-Llama-8B-own-metal-local-{'a' * 16}"
    caches = [EngineCache(name=name, path=Path(name), size_bytes=1) for name in names]
    assert caches_of(caches, SPEC.model) == tuple(caches)


def test_no_two_models_or_implementations_of_the_catalog_share_a_cache() -> None:
    users = defaultdict(set)
    for spec in entries():
        users[cache_name(spec, contract_of(spec))].add((spec.implementation, spec.model))
    assert [pairs for pairs in users.values() if len(pairs) > 1] == []
    assert all(PLAIN.fullmatch(name) for name in users)


def test_a_cache_serves_every_device_of_its_model() -> None:
    first = named("id_tt-transformers_Llama-3.1-8B-Instruct_n150")
    second = named("id_tt-transformers_Llama-3.1-8B-Instruct_n300")
    assert cache_name(first, CURRENT) == cache_name(second, CURRENT)
