# SPDX-License-Identifier: Apache-2.0
"""Does each filter let through what it names, and are models sorted by family?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.fakes import CARD_MODEL, HUB_MODEL

from ttctl.model.match import Finding
from ttctl.model.model_page import Filter
from ttctl.rules.model_filter import by_family, filtered, fits, with_words

LLM = replace(CARD_MODEL, model="meta/Llama-1B", status="COMPLETE", memory_mib=100, disk_mib=50)
IMAGE = replace(LLM, model="acme/flux", aliases=(), type="IMAGE", engine="media", device="t3k")
FORGE = replace(
    IMAGE, model="acme/vit", device="n150", type="CNN", engine="forge", status="EXPERIMENTAL"
)
ALL = (LLM, IMAGE, FORGE, HUB_MODEL)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ALL),
        ({"device": "t3k"}, (IMAGE,)),
        ({"engine": "forge"}, (FORGE,)),
        ({"type": "IMAGE"}, (IMAGE,)),
        ({"status": "COMPLETE"}, (LLM, IMAGE)),
        ({"experimental": True}, (FORGE, HUB_MODEL)),
        ({"task": "image"}, (IMAGE,)),
        ({"task": "chat"}, (LLM, HUB_MODEL)),
        ({"task": "chat", "device": "n150"}, (LLM,)),
        ({"task": "chat", "device": "p100"}, ()),
    ],
)
def test_each_filter_lets_through_what_it_names(
    wanted: dict[str, Any], found: tuple[object, ...]
) -> None:
    assert filtered(ALL, Filter(**wanted)) == found


def test_a_base_model_does_not_chat_even_where_the_filter_hides_its_child() -> None:
    child = replace(LLM, model="meta/Llama-1B-Instruct", device="t3k")
    assert filtered((LLM, child), Filter(task="chat", device="n150")) == ()


@pytest.mark.parametrize(
    ("subject", "verdict", "named", "does"),
    [
        ("firmware", "blocked", False, False),
        ("memory", "unknown", False, True),
        ("disk", "warning", False, True),
        ("boards", "unknown", True, True),
        ("boards", "unknown", False, False),
    ],
)
def test_an_entry_fits_where_nothing_is_in_its_way(
    subject: Any,  # noqa: ANN401
    verdict: Any,  # noqa: ANN401
    *,
    named: bool,
    does: bool,
) -> None:
    found = (Finding(subject=subject, verdict=verdict, summary="x"),)
    assert fits(found, named=named) is does
    assert (LLM in filtered(ALL, Filter(fits=lambda _: does))) is does


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param(["LLAMA"], (LLM, HUB_MODEL), id="any case, a name or an alias"),
        pytest.param(["meta", "complete"], (LLM,), id="two words in two places"),
        pytest.param(["meta", "t3k"], (), id="not all words"),
        pytest.param(["classification"], (FORGE,), id="a task"),
        pytest.param(["media"], (IMAGE,), id="an engine"),
    ],
)
def test_a_search_finds_what_has_all_words(words: list[str], found: tuple[object, ...]) -> None:
    assert with_words(ALL, words) == found


def test_a_part_of_an_engines_name_finds_nothing_by_it() -> None:
    seeing = replace(LLM, model="acme/Llama-VL", type="VLM")
    assert LLM.engine == "vllm"
    assert with_words((LLM, seeing), ["llama vl"]) == (seeing,)
    assert with_words((LLM, seeing), ["vllm"]) == (LLM, seeing)


def test_models_stand_by_family_and_name_with_their_entries_in_order() -> None:
    large = replace(LLM, model="meta/Llama-70B")
    on_t3k = replace(LLM, device="t3k")
    found = by_family([large, IMAGE, LLM, on_t3k])
    assert [(family, [name for name, _ in models]) for family, models in found] == [
        ("flux", ["acme/flux"]),
        ("llama", ["meta/Llama-1B", "meta/Llama-70B"]),
    ]
    assert found[1][1][0][1] == (LLM, on_t3k)
