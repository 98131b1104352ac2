# SPDX-License-Identifier: Apache-2.0
"""Does hostile text come out byte for byte or not at all, and would an escape be seen?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tools import fuzz_renderings
from tools.fuzz_renderings import dockerfile_escapes, escapes, run
from tools.hostile import TEXTS
from tools.hostile_stacks import FREE, STACK, STRICT
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from ttctl.model.service import Stack

BOTH = {**FREE, **STRICT}


@pytest.mark.parametrize("field", BOTH)
def test_each_hostile_text_in_each_field_is_refused_or_exact(field: str) -> None:
    for text in TEXTS:
        with suppress(TtctlError):
            assert escapes(BOTH[field](text)) == [], (field, text)


@pytest.mark.parametrize("text", [one for one in TEXTS if len(one) < 5000])
def test_a_dockerfile_keeps_its_instructions_and_stages(text: str) -> None:
    with suppress(TtctlError):
        assert dockerfile_escapes(text) == []


@pytest.mark.parametrize("parent", ["x AS y", "--platform=a x", "a b"])
def test_a_parent_that_names_a_stage_is_refused(parent: str) -> None:
    with pytest.raises(TtctlError, match="changed its shape"):
        dockerfile_escapes(parent)


def test_thousands_of_them_leave_no_escape() -> None:
    sums, bad = run(count=1500, seed=7)
    assert bad == []
    assert sums.total() == 1500
    assert min(sums.values()) > 100


def test_the_same_seed_gives_the_same_texts() -> None:
    assert run(count=60, seed=1) == run(count=60, seed=1)


def test_an_escape_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fuzz_renderings.compose_of

    def wrong(stack: Stack) -> dict[str, object]:
        one = stack.services[0]
        return before(replace(stack, services=(replace(one, command=(*one.command, "x")),)))

    monkeypatch.setattr(fuzz_renderings, "compose_of", wrong)
    assert "words is not what was wanted" in escapes(STACK)
