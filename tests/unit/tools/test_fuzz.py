# SPDX-License-Identifier: Apache-2.0
"""Are mutations the same each time, and is a crash seen and told?"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from tests.unit.listed import RAW, nested, raw

from tools.fuzz import BATCH, OUTCOMES, main, run, tried
from tools.fuzz_entries import entries_of, file_of, mutated

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_seed_gives_the_same_entries_and_others_give_others() -> None:
    def some(seed: int) -> bytes:
        chance = Random(seed)  # noqa: S311 - mutations, no secrets
        return file_of([mutated(RAW, chance) for _ in range(BATCH)], chance)

    assert some(1) == some(1)
    assert some(1) != some(2)
    assert raw() == RAW


def test_every_entry_comes_out_as_read_as_set_aside_or_with_a_refused_file() -> None:
    sums, crashes = run(entries_of(None), count=400, seed=3)
    assert crashes == []
    assert sum(sums[name] for name in OUTCOMES[:3]) == 400
    assert all(sums[name] for name in OUTCOMES[:2])


def test_a_crash_is_kept_with_its_traceback() -> None:
    def broken(data: bytes) -> Counter[str]:
        raise KeyError(len(data))

    _, crashes = run([raw()], count=3 * BATCH, seed=1, reader=broken)
    assert len(crashes) == 3
    assert "KeyError" in crashes[0]


def test_a_refused_file_is_no_crash() -> None:
    assert tried(b"{}") == Counter({"files refused": 1, "entries in refused files": BATCH})


def test_the_page_names_day_commit_seed_and_what_came_out(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "release_model_spec.json").write_bytes(nested(raw()))
    page = tmp_path / "fuzz.md"
    words = [
        "--entries",
        "40",
        "--texts",
        "50",
        "--seed",
        "5",
        "--page",
        str(page),
        "--exports",
        str(folder),
    ]
    assert main(words) == 0
    text = page.read_text(encoding="utf-8")
    assert "| mutated entries | 40 |" in text
    assert "| seed | 5 |" in text
    assert "| crashes | 0 |" in text
    assert "upstream's exports" in text
    assert "| hostile texts | 50 |" in text
    assert "| escapes | 0 |" in text
    assert "`${X}`, `{{`" in text
