# SPDX-License-Identifier: Apache-2.0
"""Is a model that is listed, and not used, told from one that nobody knows?"""

from __future__ import annotations

import pytest
from tests.unit.rules.validated import entry

from ttctl.errors import NothingFitsError
from ttctl.model.pins import Quarantined
from ttctl.rules.set_aside import refuse_set_aside, set_aside

FLAT = Quarantined(id="id_tt-transformers_Small-1B_n150", reason="argument api-key could do harm")
NESTED = Quarantined(id="acme/Small-1B N300 vLLM x", reason="it names no image")
OTHER = Quarantined(id="id_tt-transformers_Small-1B-Instruct_n150", reason="x")
ALL = (FLAT, NESTED, OTHER)


@pytest.mark.parametrize("word", ["Small-1B", "small-1b", "acme/Small-1B"])
def test_an_entry_is_known_by_its_id_whatever_its_shape(word: str) -> None:
    assert set_aside(ALL, word) == (FLAT, NESTED)
    assert set_aside(ALL, word, "n300") == (NESTED,)


@pytest.mark.parametrize("word", ["", "small", "1B", "chat"])
def test_a_part_of_a_name_is_no_name(word: str) -> None:
    assert set_aside(ALL, word) == ()


def test_a_model_of_which_every_entry_is_set_aside_is_refused_with_the_reasons() -> None:
    with pytest.raises(NothingFitsError, match="Every entry of 'Small-1B'") as caught:
        refuse_set_aside([entry("acme/Small-1B-Instruct", "n150")], ALL, "Small-1B")
    assert "api-key could do harm" in caught.value.evidence
    assert "names no image" in caught.value.evidence
    assert caught.value.next_step == "ttctl models refresh --built-in"


def test_a_model_with_an_entry_that_is_used_is_not_refused() -> None:
    refuse_set_aside([entry("acme/Small-1B", "t3k")], ALL, "Small-1B")
    refuse_set_aside([], ALL, "unknown")
