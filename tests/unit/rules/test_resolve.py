# SPDX-License-Identifier: Apache-2.0
"""Does a word find the entry that is meant, and a wrong one a near name?"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.fakes import CARD_MODEL, DEMO_MODEL, HUB_MODEL

from ttctl.errors import NothingFitsError, UsageError
from ttctl.model.spec import Request
from ttctl.rules.find import nearest
from ttctl.rules.resolve import resolve, with_settings

OTHER = replace(HUB_MODEL, model="acme/Other-2B", aliases=("llama", "other"), default=False)
SPECS = (OTHER, HUB_MODEL, CARD_MODEL, DEMO_MODEL)


@pytest.mark.parametrize(
    ("word", "model"),
    [
        pytest.param("acme/Small-1B", "acme/Small-1B", id="whole name"),
        pytest.param("Small-1B", "acme/Small-1B", id="last part"),
        pytest.param("small-1b", "acme/Small-1B", id="in any case"),
        pytest.param("small", "acme/Small-1B", id="alias"),
        pytest.param("llama", "acme/Small-1B", id="shared alias: the default"),
        pytest.param("other", "acme/Other-2B", id="alias of its own"),
        pytest.param("demo-llama", "demo-llama", id="without an owner"),
    ],
)
def test_a_word_finds_its_model_in_whatever_order_the_catalog_is(word: str, model: str) -> None:
    for order in permutations(SPECS):
        assert resolve(order, model=word, device="cpu").model == model


def test_an_exact_name_wins_over_an_alias_and_a_default() -> None:
    named = replace(OTHER, model="llama", aliases=())
    assert resolve((HUB_MODEL, named), model="llama", device="cpu") is named


def test_a_name_that_is_nearly_right_is_told_which_one_is_near() -> None:
    with pytest.raises(UsageError, match="no model 'lama'") as caught:
        resolve(SPECS, model="lama", device="cpu")
    assert caught.value.evidence.startswith("Nearest: llama")
    assert (caught.value.mistyped, caught.value.meant) == ("lama", "llama")


def test_a_name_that_is_near_to_nothing_is_sent_to_the_list() -> None:
    with pytest.raises(UsageError) as caught:
        resolve(SPECS, model="zzz", device="cpu")
    assert caught.value.next_step == "ttctl models ls"


def test_a_device_without_a_validated_spec_is_refused_with_the_devices_that_have_one() -> None:
    with pytest.raises(NothingFitsError, match="'llama' is validated on 'p150'") as caught:
        resolve(SPECS, model="llama", device="p150")
    assert caught.value.evidence == "Validated on: cpu, n150."
    assert caught.value.next_step == "ttctl up llama --device cpu"


@given(st.text(max_size=40))
def test_any_word_finds_a_model_or_is_refused(word: str) -> None:
    try:
        assert resolve(SPECS, model=word, device="cpu") in SPECS
    except UsageError:
        assert len(nearest(SPECS, word)) <= 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("max_model_len", 16, id="shortest"),
        pytest.param("max_model_len", 1 << 20, id="longest"),
        pytest.param("max_num_seqs", 1, id="one request"),
        pytest.param("max_num_seqs", 1024, id="most requests"),
        pytest.param("block_size", 16, id="smallest block"),
        pytest.param("block_size", 128, id="largest block"),
    ],
)
def test_a_limit_in_its_range_replaces_the_catalogs(name: str, value: int) -> None:
    spec = with_settings(HUB_MODEL, replace(Request(model="x"), **{name: value}))  # type: ignore[arg-type]
    assert getattr(spec.limits, name) == value
    assert replace(spec, limits=HUB_MODEL.limits) == HUB_MODEL


@pytest.mark.parametrize(
    ("name", "value", "evidence"),
    [
        pytest.param("max_model_len", 15, "Allowed: 16 to 1048576.", id="too short"),
        pytest.param("max_model_len", (1 << 20) + 1, "Allowed: 16 to 1048576.", id="too long"),
        pytest.param("max_num_seqs", 0, "Allowed: 1 to 1024.", id="none"),
        pytest.param("max_num_seqs", 1025, "Allowed: 1 to 1024.", id="too many"),
        pytest.param("max_num_seqs", -1, "Allowed: 1 to 1024.", id="negative"),
        pytest.param("block_size", 0, "Allowed: 16, 32, 64, 128.", id="no block"),
        pytest.param("block_size", 48, "Allowed: 16, 32, 64, 128.", id="odd block"),
    ],
)
def test_a_limit_out_of_its_range_is_refused_with_the_flag_and_the_range(
    name: str, value: int, evidence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        with_settings(HUB_MODEL, replace(Request(model="x"), **{name: value}))  # type: ignore[arg-type]
    assert caught.value.message == f"--{name.replace('_', '-')} {value} is out of range."
    assert caught.value.evidence == evidence


def test_what_is_not_named_stays_as_the_catalog_says() -> None:
    assert with_settings(HUB_MODEL, Request(model="x")) == HUB_MODEL
