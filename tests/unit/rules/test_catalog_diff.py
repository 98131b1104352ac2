# SPDX-License-Identifier: Apache-2.0
"""Is what moved between two catalogs said, and nothing else?"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.adapters.test_catalogs import PINS
from tests.unit.fakes import CARD_MODEL

from ttctl.model.catalog import FieldMoved
from ttctl.model.pins import Origin, Requirement
from ttctl.rules.catalog_diff import compare

OLD = Origin(release="0.19.0", source="a", date="2026-07-24", sha256="a" * 64)
NEW = Origin(release="0.20.0", source="b", date="2026-08-14", sha256="b" * 64)
SPEC = replace(CARD_MODEL, pins=PINS)


def moved(before: list, after: list) -> list[tuple]:  # type: ignore[type-arg]
    found = compare(before, after, before_origin=OLD, after_origin=NEW)
    return [(one.move, one.model, one.device, one.fields) for one in found.moved]


def test_equal_catalogs_have_nothing_that_moved() -> None:
    found = compare([SPEC], [SPEC], before_origin=OLD, after_origin=NEW)
    assert (found.moved, found.same, found.before, found.after) == ((), 1, OLD, NEW)


def test_entries_that_came_and_went_are_named() -> None:
    other = replace(SPEC, model="acme/Other")
    assert moved([SPEC], [other]) == [
        ("added", "acme/Other", "n150", ()),
        ("removed", "acme/Small-1B", "n150", ()),
    ]


def test_pins_limits_status_and_requirements_that_moved_are_said_with_both_values() -> None:
    after = replace(
        SPEC,
        status="COMPLETE",
        limits=replace(SPEC.limits, max_model_len=8192),
        pins=replace(PINS, tt_metal="555f240"),
        requirements=(Requirement(what="firmware", specifier=">=19.2.0", strict=True),),
    )
    ((_, _, _, fields),) = moved([SPEC], [after])
    assert fields == (
        FieldMoved(name="tt-metal", before="c49bb76", after="555f240"),
        FieldMoved(name="status", before="EXPERIMENTAL", after="COMPLETE"),
        FieldMoved(name="max-model-len", before="4096", after="8192"),
        FieldMoved(name="firmware", before="", after=">=19.2.0 STRICT"),
    )


def test_the_same_model_with_two_implementations_is_two_entries() -> None:
    second = replace(SPEC, implementation="other")
    assert moved([SPEC, second], [SPEC]) == [("removed", "acme/Small-1B", "n150", ())]


def test_an_entry_that_stands_twice_is_not_lost() -> None:
    twice = replace(SPEC, status="COMPLETE")
    found = compare([SPEC, twice], [SPEC, twice], before_origin=OLD, after_origin=NEW)
    assert found.same == 2
    assert moved([SPEC, twice], [SPEC])[0][0] == "removed"
