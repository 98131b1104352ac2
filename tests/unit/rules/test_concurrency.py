# SPDX-License-Identifier: Apache-2.0
"""Are the requests of all replicas told, where an entry has several?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.validated import built_in, entry

from ttctl.cli.match_text import match_lines
from ttctl.cli.palette import Palette
from ttctl.model.match import Match
from ttctl.model.pins import Origin
from ttctl.rules.catalog_diff import compare
from ttctl.rules.concurrency import replicas, requests_text

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

PLAIN = entry("acme/Llama-8B", "p150x8")


def with_replicas(name: str, value: str) -> ModelSpec:
    return replace(PLAIN, engine_args=(*PLAIN.engine_args, (name, value)))


@pytest.mark.parametrize("name", ["data_parallel_size", "data-parallel-size"])
def test_each_replica_has_requests_of_its_own(name: str) -> None:
    spec = with_replicas(name, "8")
    assert replicas(spec) == 8
    assert requests_text(spec) == "16 for each of 8 replicas"


@pytest.mark.parametrize("value", ["", "1", "0", "eight", "9999999", "-2"])
def test_what_is_no_number_of_replicas_is_one(value: str) -> None:
    spec = with_replicas("data_parallel_size", value)
    assert (replicas(spec), requests_text(spec)) == (1, "16")


def test_an_option_of_the_chips_leaves_one_engine() -> None:
    assert replicas(with_replicas("override_tt_config", '{"data_parallel": 4}')) == 1


def test_the_built_in_entry_says_what_upstream_says() -> None:
    [told] = [
        requests_text(one)
        for one in built_in().specs
        if (one.model, one.device) == ("meta-llama/Llama-3.1-8B-Instruct", "p150x8")
    ]
    assert told == "32 for each of 8 replicas"


def test_a_plan_says_the_requests_of_all_replicas() -> None:
    spec = with_replicas("data_parallel_size", "8")
    found = Match(spec=spec, how="name", score=100, reasons=(), deciding="it is the only one")
    lines = match_lines(found, Palette(0, "dark"))
    assert "limits    65536 tokens, 16 requests at a time for each of 8 replicas" in lines


def test_two_catalogs_are_compared_by_the_requests_of_all_replicas() -> None:
    origin = Origin(release="1", source="a test", date="2026-01-31", sha256="a" * 64)
    after = [with_replicas("data_parallel_size", "8")]
    found = compare([PLAIN], after, before_origin=origin, after_origin=origin)
    assert "16 for each of 8 replicas" in str(found.moved)
