# SPDX-License-Identifier: Apache-2.0
"""Is the page of what containers may do the one of the contracts that launch them?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.rules.launching import contracts

from tools.exceptions import PAGE, failing, text
from ttctl.model.service import Exemption

ROOT = Path(__file__).parents[3]


def of(what: str, value: str = "") -> Exemption:
    return Exemption(what=what, value=value, reason="because a test says so")  # type: ignore[arg-type]


def test_the_page_is_the_one_of_the_contracts() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == text(contracts().values()), (
        "run `make docs`"
    )


def test_every_exception_of_every_contract_stands_there_with_its_reason() -> None:
    page = text(contracts().values())
    for contract in contracts().values():
        section = page.partition(f"\n## {contract.name}\n")[2].partition("\n## ")[0]
        assert section.count("\n| ") == 2 + len(contract.exemptions) + len(contract.writable)
        for one in contract.exemptions:
            assert one.reason.replace("|", "\\|") in section


def test_a_contract_that_gets_an_exception_more_is_another_page() -> None:
    (first, *_) = contracts().values()
    more = replace(first, exemptions=(*first.exemptions, of("capability", "SYS_NICE")))
    assert "| capability | SYS_NICE | 5.3 | because a test says so |" in text([more])
    assert "SYS_NICE" not in text([first])


@pytest.mark.parametrize(
    ("exemption", "numbers"),
    [
        pytest.param(of("user", "0:0"), {"4.1"}, id="root"),
        pytest.param(of("user", "15863:15863"), set(), id="another user"),
        pytest.param(of("capability", "CHOWN"), {"5.3"}, id="capability"),
        pytest.param(of("host ipc"), {"5.16"}, id="shared memory of the host"),
        pytest.param(of("shared memory", "32768"), set(), id="more shared memory"),
        pytest.param(of("writable root"), {"5.12"}, id="writable root"),
    ],
)
def test_an_exception_fails_the_check_that_asks_for_it(
    exemption: Exemption, numbers: set[str]
) -> None:
    assert failing([exemption]) - failing([]) == numbers


@pytest.mark.parametrize("name", ["own", "direct", "sd"])
def test_images_of_our_own_have_three_written_exceptions_at_most(name: str) -> None:
    assert len(contracts()[name].exemptions) <= 3
