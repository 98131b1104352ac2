# SPDX-License-Identifier: Apache-2.0
"""Does the page of faults keep what earlier runs measured, each with its day and its commit?"""

from __future__ import annotations

from dataclasses import replace

from tools.faults_page import Figure, Page, Run, page, read

RUN = Run(
    file="kills", result="2 passed, 0 failed, 0 skipped", rounds="all", minutes="40.0",
    date="2026-01-02", commit="0123456789ab",
)  # fmt: skip
ROW = Figure(scenario="R1", what="kills", value="200 of 200", result="passed", file="kills")
PORTS = replace(RUN, file="ports", rounds="at most 40", commit="0123456789ab + changes")
WHOLE = Page(
    runs=(RUN, PORTS),
    figures=(
        ROW,
        replace(ROW, scenario="R10", what="a|b", value="", file="ports"),
        replace(ROW, scenario="leaks", value="4 words, 0", file="ports"),
        replace(ROW, scenario="", what="`test_x`", value="", result="failed", file="ports"),
    ),
)


def test_a_page_is_read_as_it_was_written_in_the_order_of_the_scenarios() -> None:
    text = page(WHOLE)
    assert read(text) == WHOLE
    assert page(Page(runs=WHOLE.runs[::-1], figures=WHOLE.figures[::-1])) == text
    assert (
        "| kills | 2 passed, 0 failed, 0 skipped | all | 40.0 | 2026-01-02 | 0123456789ab |" in text
    )
    assert "| R10 | a\\|b |  | passed | ports |" in text
    assert read("") == Page()


def test_files_without_a_run_are_named() -> None:
    text = page(WHOLE, {"kills", "ports", "races", "clock"})
    assert "\nNot yet run in whole: clock, races.\n" in text
    assert read(text) == WHOLE
    assert "Not yet" not in page(WHOLE, {"kills", "ports"})


def test_a_newer_run_takes_the_place_of_its_files_rows_alone() -> None:
    newer = Page(runs=(replace(RUN, commit="ba9876543210"),), figures=(replace(ROW, value="1"),))
    found = WHOLE.having(newer)
    assert {one.commit for one in found.runs} == {"ba9876543210", "0123456789ab + changes"}
    assert [one.value for one in found.figures if one.file == "kills"] == ["1"]
    assert found.only({"ports"}) == WHOLE.only({"ports"})


def test_a_file_that_is_gone_is_forgotten() -> None:
    assert WHOLE.only({"kills"}) == Page(runs=(RUN,), figures=(ROW,))
