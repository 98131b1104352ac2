# SPDX-License-Identifier: Apache-2.0
"""Is an archive laid out in one order, under safe names, and never larger than it may be?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.model.report import FailedPart, Piece, ReportPart
from ttctl.rules import report_parts as rules


def piece(name: str, text: str, *, tail: bool = False) -> Piece:
    return Piece(name=name, why="a test", text=text, tail=tail)


@dataclass(frozen=True, kw_only=True)
class Value:
    path: Path
    words: frozenset[str]


def test_a_value_is_json_whatever_it_is_made_of() -> None:
    value = {"a": Value(path=Path("/x"), words=frozenset({"b", "a"})), "n": (1, None)}
    found = json.loads(rules.json_text(rules.plain(value)))
    assert found == {"a": {"path": "/x", "words": ["a", "b"]}, "n": [1, None]}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("stacks/llama/logs/vllm.log", "stacks/llama/logs/vllm.log"),
        ("/etc/passwd", "etc/passwd"),
        ("../../x", "x"),
        ("a b\n/c", "a_b_/c"),
        ("rendered/.env", "rendered/.env"),
        ("..", "_"),
    ],
)
def test_a_name_unpacks_below_the_folder(name: str, safe: str) -> None:
    assert rules.safe_name(name) == safe


def test_files_are_in_the_order_of_their_names_and_each_name_is_used_once() -> None:
    found = rules.laid_out([piece("b", "1"), piece("a b", "2"), piece("a_b", "3")])
    assert [(one.name, one.text) for one in found] == [("a_b", "2"), ("a_b.2", "3"), ("b", "1")]
    assert rules.laid_out(reversed(found)) == found


def test_small_files_stay_whole_and_the_largest_are_cut_to_one_size() -> None:
    found = rules.bounded([piece("a", "1" * 10), piece("b", "2" * 90), piece("c", "3" * 80)],
                          most_bytes=110)  # fmt: skip
    assert [len(one.text) for one in found] == [10, 50, 50]
    assert [one.cut_bytes for one in found] == [0, 40, 30]


@given(st.lists(st.tuples(st.text(max_size=60), st.booleans()), max_size=8), st.integers(0, 200))
def test_no_archive_is_larger_than_it_may_be(texts: list[tuple[str, bool]], most: int) -> None:
    pieces = [piece(str(at), text, tail=tail) for at, (text, tail) in enumerate(texts)]
    found = rules.bounded(pieces, most_bytes=most)
    assert sum(len(one.text.encode()) for one in found) <= most or found == tuple(pieces)
    for before, after in zip(pieces, found, strict=True):
        size = len(before.text.encode())
        assert size == len(after.text.encode()) + after.cut_bytes


def test_of_a_log_the_end_is_kept_from_a_whole_line_on() -> None:
    found = rules.cut(piece("a.log", "first\nsecond\nthird\n", tail=True), 10)
    assert (found.text, found.cut_bytes) == ("third\n", 13)
    assert rules.cut(piece("a.json", "first\nsecond\n"), 8).text == "first\n"


def test_a_log_without_an_end_is_its_last_lines_each_with_an_end() -> None:
    text = rules.log_text(["x" * 100_000] * 1_005)
    assert text.count("\n") == rules.MOST_LINES
    assert len(text) == rules.MOST_LINES * (rules.RAW_LINE + 1)
    assert rules.log_text([]) == ""


def test_the_page_says_what_is_in_it_what_was_cut_and_what_could_not_be_had() -> None:
    parts = [
        ReportPart(name="a.json", size_bytes=12, why="One."),
        ReportPart(name="b.log", size_bytes=3 << 20, why="Two.", cut_bytes=2048),
    ]
    page = rules.readme(parts, [FailedPart(name="ps.json", why="No engine answers.")])
    assert "  a.json  12 B  One.\n" in page.text
    assert "  b.log  3.0 MiB  Two. (cut: 2.0 KiB left out)\n" in page.text
    assert page.text.endswith("Not had:\n  ps.json: No engine answers.\n")
