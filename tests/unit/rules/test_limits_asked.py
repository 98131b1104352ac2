# SPDX-License-Identifier: Apache-2.0
"""Are limits beyond the validated ones refused, and others told as the user's?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.rules.validated import entry

from ttctl.errors import UsageError
from ttctl.model.spec import Limits, Request
from ttctl.rules.limits_asked import refuse_beyond, yours
from ttctl.rules.resolve import with_settings

SPEC = entry("acme/Llama-8B", "n150")
PLAIN = Request(model="x")


@pytest.mark.parametrize(
    ("asked", "message", "evidence", "meant"),
    [
        ({"max_model_len": 999999}, "--max-model-len 999999", "up to 65536", "65536"),
        ({"max_model_len": 0}, "--max-model-len 0", "up to 65536", "16"),
        ({"max_num_seqs": 64}, "--max-num-seqs 64", "up to 16", "16"),
        ({"max_num_seqs": 0}, "--max-num-seqs 0", "up to 16", "1"),
    ],
)
def test_what_is_beyond_the_validated_limit_is_refused_with_it(
    asked: dict[str, int], message: str, evidence: str, meant: str
) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_beyond(SPEC, replace(PLAIN, **asked))  # type: ignore[arg-type]
    assert caught.value.message == f"{message} is beyond what was validated."
    assert caught.value.evidence == f"Validated for acme/Llama-8B on n150: {evidence}."
    assert caught.value.meant == meant


def test_less_and_the_same_and_what_no_entry_bounds_are_not_refused() -> None:
    refuse_beyond(SPEC, PLAIN)
    refuse_beyond(SPEC, replace(PLAIN, max_model_len=1024, max_num_seqs=16, block_size=128))
    large = replace(PLAIN, max_model_len=999999, max_num_seqs=512)
    refuse_beyond(replace(SPEC, pins=None), large)
    unsaid = Limits(max_model_len=0, max_num_seqs=0, block_size=64)
    refuse_beyond(replace(SPEC, limits=unsaid), large)


def test_a_changed_limit_is_told_with_the_validated_one() -> None:
    asked = replace(PLAIN, max_model_len=1024, max_num_seqs=16, block_size=128)
    assert yours(SPEC, with_settings(SPEC, asked)) == (
        "max-model-len 1024, in place of the validated 65536",
        "block-size 128, in place of the validated 64",
    )
    assert yours(SPEC, SPEC) == ()
