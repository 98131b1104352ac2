# SPDX-License-Identifier: Apache-2.0
"""Is a long prompt sent only where it is of use, and does it always fit?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import HUB_MODEL
from tests.unit.rules.launching import entries

from ttctl.rules.warm_up import LONGEST, long_prompt, long_tokens


def test_every_entry_is_warmed_up_unless_it_does_so_itself_or_makes_no_text() -> None:
    for spec in entries():
        tokens = long_tokens(spec)
        assert (tokens > 0) is (spec.engine == "vllm" and not spec.warms_up), spec.id
        assert tokens * 4 <= spec.limits.max_model_len or not tokens, spec.id


def test_the_processor_captures_no_traces() -> None:
    assert long_tokens(HUB_MODEL) == 0


@pytest.mark.parametrize(("context", "tokens"), [(2048, 512), (65536, LONGEST), (131072, LONGEST)])
def test_the_long_prompt_takes_a_quarter_of_the_context_at_most(context: int, tokens: int) -> None:
    spec = next(one for one in entries() if one.engine == "vllm" and not one.warms_up)
    limits = replace(spec.limits, max_model_len=context)
    assert long_tokens(replace(spec, limits=limits)) == tokens


def test_the_prompt_has_a_word_for_each_token() -> None:
    assert long_prompt(3) == "a a a"
