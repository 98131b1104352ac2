# SPDX-License-Identifier: Apache-2.0
"""Is the page of what ran on cards the one of the results that are kept, and are those signed?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.accepted import RAN, ran

from tools.hardware import HEAD, NONE, PAGE, text
from ttctl.adapters import places, signing
from ttctl.adapters.hardware import FOLDER, KeptResults, read_result, told, write_result
from ttctl.rules.acceptance_private import leaks
from ttctl.rules.acceptance_text import is_named_for, signed_text

if TYPE_CHECKING:
    from ttctl.model.acceptance import Ran, Verdict

ROOT = Path(__file__).parents[3]


def kept(folder: Path, run: Ran = RAN) -> Path:
    key = signing.own_key(folder / "key")
    return write_result(folder / "kept", run, signing.sign(signed_text(run), key=key))


def test_the_page_is_the_one_of_the_kept_results() -> None:
    runs = KeptResults(places.catalog() / FOLDER).all()
    assert {one.signature for one in runs} <= {"good"}
    assert (ROOT / PAGE).read_text(encoding="utf-8") == text(runs), "run `make docs`"


def named_wrong(folder: Path) -> list[str]:
    """Return the files that name somebody, or are not named by what they hold."""
    return [
        one.path.name
        for one in KeptResults(folder).kept()
        if leaks(one.ran, [])
        or not is_named_for(one.path.name, entry=one.ran.entry, device=one.ran.device)
    ]


def test_the_kept_results_name_nobody_and_are_named_by_what_they_hold(tmp_path: Path) -> None:
    assert named_wrong(places.catalog() / FOLDER) == []
    path = kept(tmp_path)
    assert kept(tmp_path).stem == f"{path.stem}-2"
    assert named_wrong(path.parent) == []
    path.rename(path.with_name("2026-01-31-n300-other.json"))
    shown = kept(tmp_path, ran(model="of 10.1.2.3"))
    assert named_wrong(path.parent) == [shown.name, "2026-01-31-n300-other.json"]


def test_an_empty_table_says_so() -> None:
    assert text(()) == HEAD + NONE
    assert "Nothing of this project was run on a card yet" in text(())


def test_a_result_is_a_row_with_its_signer_and_its_file(tmp_path: Path) -> None:
    run = told(read_result(kept(tmp_path)))
    rows = [line for line in text([run]).splitlines() if "n150" in line]
    assert len(rows) == 1
    assert f"`{run.signer}`" in rows[0]
    assert f"controller/catalog/hardware/{run.file}" in rows[0]
    assert "| passed | target |" in rows[0]


def test_a_run_of_a_modified_ttctl_is_never_shown_as_just_passed(tmp_path: Path) -> None:
    kept(tmp_path, ran(build=replace(RAN.build, modified=True)))
    page = text(KeptResults(tmp_path / "kept").all())
    assert "| passed (by a modified ttctl) | target |" in page


@pytest.mark.parametrize("verdict", ["failed", "incomplete"])
def test_a_run_that_did_not_pass_claims_no_tier(tmp_path: Path, verdict: Verdict) -> None:
    run = told(read_result(kept(tmp_path, ran(verdict=verdict))))
    assert run.reached == ""
    assert f"| {verdict} | none |" in text([run])


def test_a_run_of_a_day_that_is_still_to_come_is_last_and_marked(tmp_path: Path) -> None:
    for day in ("2026-01-30", "2026-02-01", "2026-01-31"):
        kept(tmp_path, ran(date=day))
    runs = KeptResults(tmp_path / "kept", today=lambda: "2026-01-31").all()
    assert [(one.date, one.ahead) for one in runs] == [
        ("2026-01-31", False), ("2026-01-30", False), ("2026-02-01", True)
    ]  # fmt: skip
    assert text(runs).count("passed (dated in the future)") == 1
