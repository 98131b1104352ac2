# SPDX-License-Identifier: Apache-2.0
"""Does a row of what moved say which entry it is of, and what is another there?"""

from __future__ import annotations

import pytest

from ttctl.cli.diff_text import diff_head, diff_rows
from ttctl.model.catalog import CatalogDiff, EntryMoved, FieldMoved, Moved
from ttctl.model.pins import Origin

ORIGIN = Origin(release="0.20.0", source="built-in", date="2026-08-14", sha256="a" * 64)


def entry(move: Moved, implementation: str, *fields: FieldMoved) -> EntryMoved:
    return EntryMoved(
        move=move,
        model="acme/Small-1B",
        device="galaxy",
        engine="vllm",
        implementation=implementation,
        fields=fields,
    )


def diff(*moved: EntryMoved) -> CatalogDiff:
    return CatalogDiff(before=ORIGIN, after=ORIGIN, moved=moved, same=3)


def test_two_entries_of_one_model_on_one_device_are_told_apart() -> None:
    field = FieldMoved(name="tt-metal", before="555f240", after="")
    found = diff(entry("changed", "one", field), entry("added", "other"))
    assert diff_rows(found) == [
        ("changed", "Small-1B", "galaxy", "vllm one", "tt-metal: 555f240 -> -"),
        ("added", "Small-1B", "galaxy", "vllm other", ""),
    ]
    assert diff_head(found).endswith("1 added, 0 removed, 1 changed, 3 alike")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param("a.io/x/i:1", "a.io/x/i:2", "i:1 -> i:2", id="another tag"),
        pytest.param("a.io/x/i:1", "b.io/x/i:1", "a.io/x/i:1 -> b.io/x/i:1", id="another registry"),
    ],
)
def test_an_image_is_shown_as_short_as_it_can_be_told_apart(
    before: str, after: str, said: str
) -> None:
    field = FieldMoved(name="image", before=before, after=after)
    ((*_, what),) = diff_rows(diff(entry("changed", "one", field)))
    assert what == f"image: {said}"
