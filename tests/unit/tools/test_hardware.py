# SPDX-License-Identifier: Apache-2.0
"""Is the page of what ran on cards the one of the results that are kept, and are those signed?"""

from __future__ import annotations

from pathlib import Path

from tests.unit.accepted import RAN

from tools.hardware import HEAD, NONE, PAGE, text
from ttctl.adapters import places, signing
from ttctl.adapters.hardware import FOLDER, KeptResults, read_result, told, write_result
from ttctl.rules.acceptance_private import leaks
from ttctl.rules.acceptance_text import file_name, signed_text

ROOT = Path(__file__).parents[3]


def test_the_page_is_the_one_of_the_kept_results_whose_signatures_are_good() -> None:
    runs = KeptResults(places.catalog() / FOLDER).all()
    assert all(one.signature == "good" for one in runs)
    assert (ROOT / PAGE).read_text(encoding="utf-8") == text(runs), "run `make docs`"


def test_the_kept_results_name_nobody_and_are_named_by_what_they_hold() -> None:
    for kept in KeptResults(places.catalog() / FOLDER).kept():
        assert leaks(kept.ran, []) == ()
        assert kept.path.name.startswith(file_name(kept.ran).removesuffix(".json"))


def test_an_empty_table_says_so() -> None:
    assert text(()) == HEAD + NONE
    assert "Nothing of this project was run on a card yet" in text(())


def test_a_result_is_a_row_with_its_signer_and_its_file(tmp_path: Path) -> None:
    key = signing.own_key(tmp_path / "key")
    signed = signing.sign(signed_text(RAN), key=key)
    run = told(read_result(write_result(tmp_path, RAN, signed)))
    rows = [line for line in text([run]).splitlines() if "n150" in line]
    assert len(rows) == 1
    assert f"`{run.signer}`" in rows[0]
    assert f"controller/catalog/hardware/{run.file}" in rows[0]
