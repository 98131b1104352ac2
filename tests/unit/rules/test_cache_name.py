# SPDX-License-Identifier: Apache-2.0
"""Is a cache shared by those that may share it, and by no other?"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.launching import contract_of, contracts, entries, named
from tests.unit.rules.validated import PINS, entry

from ttctl.rules.cache_name import cache_name

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
