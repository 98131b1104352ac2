# SPDX-License-Identifier: Apache-2.0
"""Do strict demands fail and suggested ones warn, and does nothing that is unread pass?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import CARD_MODEL, GOLDEN

from ttctl.model.pins import Requirement
from ttctl.rules.host_demands import (
    demand_checks,
    demands_of,
    golden_checks,
    requirements_of,
    satisfied,
    wanted,
)

if TYPE_CHECKING:
    from ttctl.model.health import Check
    from ttctl.model.spec import ModelSpec


def asks(specifier: str, *, what: str = "firmware", strict: bool = True) -> ModelSpec:
    one = Requirement(what=what, specifier=specifier, strict=strict)  # type: ignore[arg-type]
    return replace(CARD_MODEL, requirements=(one,))


def judged(*specs: ModelSpec, firmware: tuple[str, ...] = ("19.13.1.0",)) -> Check:
    uses = [(f"stack s{at}", spec) for at, spec in enumerate(specs)]
    demands = demands_of(uses, driver="2.10.0", firmware=firmware)
    return demand_checks(demands, driver="2.10.0", firmware=firmware)[1]


@pytest.mark.parametrize(
    ("specifier", "strict", "verdict"),
    [
        (">=19.2.0", True, "ok"),
        (">=19.20.0", True, "failed"),
        (">=19.20.0", False, "warning"),
        ("newest", True, "failed"),
        ("newest", False, "warning"),
    ],
)
def test_strict_fails_suggested_warns_and_the_unread_is_unmet(
    specifier: str,
    strict: bool,  # noqa: FBT001
    verdict: str,
) -> None:
    check = judged(asks(specifier, strict=strict))
    assert check.verdict == verdict
    assert verdict == "ok" or specifier in check.evidence
    assert bool(check.fix) == (verdict != "ok")


def test_every_running_stack_counts_and_one_set_satisfies_all() -> None:
    check = judged(asks(">=18.6.0"), asks(">=19.2.0,<20"), asks("!=19.7.0"))
    assert check.verdict == "ok"
    assert check.summary == "19.13.1.0 satisfies >=19.2.0,!=19.7.0,<20"


def test_stacks_that_no_version_satisfies_are_named() -> None:
    check = judged(asks("<19"), asks(">=19.2.0"))
    assert check.verdict == "failed"
    assert check.summary == "no version satisfies every pin in use"
    assert "stack s0: <19; stack s1: >=19.2.0" in check.evidence


@pytest.mark.parametrize("firmware", [(), ("",), ("19.13.1.0", "18.0")])
def test_no_version_or_one_wrong_board_does_not_pass(firmware: tuple[str, ...]) -> None:
    assert judged(asks(">=19"), firmware=firmware).verdict == "failed"


def test_nothing_asked_is_skipped() -> None:
    assert judged(CARD_MODEL).verdict == "skipped"


def test_what_is_wanted_is_by_subject() -> None:
    uses = [("a", asks(">=2.5.0", what="driver")), ("b", asks(">=19.2.0"))]
    demands = demands_of(uses, driver="2.4.0", firmware=("19.2.0",))
    assert [one.met for one in demands] == [False, True]
    assert (wanted(demands, "driver"), wanted(demands, "firmware")) == (">=2.5.0", ">=19.2.0")


def test_a_device_has_the_demands_of_its_entries_once() -> None:
    spec = asks(">=19.2.0")
    assert requirements_of([spec, spec], spec.device) == spec.requirements
    assert requirements_of([spec], "t3k") == ()


def test_an_unread_version_is_neither_met_nor_unmet() -> None:
    [one] = asks(">=19").requirements
    assert satisfied(one, "N/A") is None


@pytest.mark.parametrize(
    ("firmware", "verdict", "said"),
    [
        (("19.13.1.0",), "ok", "as validated together"),
        (("19.15.0.0",), "ok", "is newer; 19.13.1 was validated (a test, 2026-08-07)"),
        (("19.2.0",), "warning", "is not what was validated"),
        (("80.17.0.0",), "warning", "80.17.0.0 is not what was validated"),
        (("80.18.1.0", "19.15.0.0"), "warning", "is not what was validated"),
        (("19.13.1", "19.2.0"), "warning", "is not what was validated"),
        ((), "warning", "none is not what was validated"),
        (("N/A",), "warning", "not understood"),
    ],
)
def test_the_golden_set_warns_and_never_fails(
    firmware: tuple[str, ...], verdict: str, said: str
) -> None:
    driver, found = golden_checks(GOLDEN, driver="2.10.0", firmware=firmware)
    assert (driver.verdict, found.verdict) == ("ok", verdict)
    assert said in found.summary


def test_firmware_of_the_old_numbering_is_told_to_be_old() -> None:
    _, found = golden_checks(GOLDEN, driver="2.10.0", firmware=("80.17.0.0", "19.2.0"))
    assert found.evidence.endswith("Bundles 80.* (80.17.0.0) came before 18.2.0.")
