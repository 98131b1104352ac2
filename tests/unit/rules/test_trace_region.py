# SPDX-License-Identifier: Apache-2.0
"""Is a trace region made larger in the pin's own words, and only where there is one?"""

from __future__ import annotations

import json

import pytest
from tests.unit.fakes import HUB_MODEL
from tests.unit.rules.launching import entries, named, pins_of

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.rules.engine_flags import with_engine_words
from ttctl.rules.resolve import with_settings
from ttctl.rules.trace_region import FLAG, way_out, with_trace_region
from ttctl.rules.tt_options import options_of

SMALL = "id_tt-transformers_Qwen2.5-72B_t3k"
"""Its first release set 30712832, the newest one sets 66000000."""
ASKED = ((FLAG, "77000000"),)


def test_the_size_becomes_an_option_and_the_others_stay() -> None:
    for spec in (one for one in entries() if pins_of(one).flag):
        flag = pins_of(spec).flag
        made = with_trace_region((*spec.engine_args, *ASKED), flag, model=spec.model)
        before, after = options_of(spec.engine_args), options_of(made)
        assert after == before | {"trace_region_size": 77000000}, spec.id
        assert FLAG not in dict(made)
        (spelled,) = (name for name, _ in made if name == flag.lstrip("-").replace("-", "_"))
        assert json.loads(dict(made)[spelled])


def test_it_is_typed_behind_two_dashes() -> None:
    request = with_engine_words(Request(model="x"), ["--trace-region-size", "77000000"])
    spec = with_settings(named(SMALL), request)
    assert options_of(spec.engine_args)["trace_region_size"] == 77000000


def test_nothing_changes_where_nobody_asks() -> None:
    spec = named(SMALL)
    assert with_settings(spec, Request(model="x")).engine_args == spec.engine_args


def test_the_processor_has_none() -> None:
    with pytest.raises(UsageError, match="no trace region"):
        with_settings(HUB_MODEL, Request(model="x", engine_args=ASKED))


def test_the_way_out_is_the_newest_releases_value_where_that_is_enough() -> None:
    known, step = way_out(named(SMALL), needed=60_000_000, up="ttctl up Qwen2.5-72B")
    assert known == "the newest release sets 66000000 for this entry"
    assert step == "ttctl up Qwen2.5-72B --values latest"


def test_else_it_is_the_exact_size() -> None:
    known, step = way_out(named(SMALL), needed=70_000_000, up="ttctl up Qwen2.5-72B")
    assert known == "the newest release sets 66000000, which is too small, too"
    assert step == "ttctl up Qwen2.5-72B -- --trace-region-size 70000000"
    assert way_out(HUB_MODEL, needed=1, up="x")[0] == ""
