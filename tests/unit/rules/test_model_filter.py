# SPDX-License-Identifier: Apache-2.0
"""Does each filter let through what it names, and are models sorted by family?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.fakes import CARD_MODEL, HUB_MODEL

from ttctl.model.model_page import Filter, Room
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
    ("devices", "memory_mib", "disk_mib", "does"),
    [
        (("n150", "cpu"), 100, 50, True),
        (("cpu",), 100, 50, False),
        (("n150",), 99, 50, False),
        (("n150",), 100, 49, False),
    ],
)
def test_an_entry_fits_where_device_memory_and_disk_are_enough(
    devices: tuple[str, ...], memory_mib: int, disk_mib: int, *, does: bool
) -> None:
    room = Room(devices=devices, memory_mib=memory_mib, disk_mib=disk_mib)
    assert fits(LLM, room) is does
    assert (LLM in filtered(ALL, Filter(room=room))) is does


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
