# SPDX-License-Identifier: Apache-2.0
"""The one line on a terminal that is written over."""

from __future__ import annotations

import io
import time

import pytest

from ttctl.cli.live_line import BAR, CLEAR, LiveLine, cut
from ttctl.cli.palette import Palette


def drawn(stream: io.StringIO, wanted: str) -> str:
    """Wait until the line shows `wanted`, and return it."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if wanted in (last := stream.getvalue().rpartition(CLEAR)[2]):
            return last
        time.sleep(0.01)
    raise AssertionError(stream.getvalue())


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_it_shows_title_and_time_and_is_taken_away() -> None:
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Fetch x")
    assert drawn(stream, "Fetch x").endswith("Fetch x  0:00")
    live.stop()
    assert stream.getvalue().endswith(CLEAR)
    assert "\n" not in stream.getvalue()


@pytest.mark.parametrize(("done", "full"), [(0, 0), (50, BAR // 2), (100, BAR), (200, BAR)])
def test_the_bar_is_as_long_as_what_is_done(done: int, full: int) -> None:
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Fetch")
    live.update(done, 100, "so much")
    line = drawn(stream, "so much")
    live.stop()
    assert line.count("━") == full


def test_without_a_total_there_is_no_bar() -> None:
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Fetch")
    live.update(5, 0, "5 steps")
    assert "━" not in drawn(stream, "5 steps")
    live.stop()


def test_what_is_written_above_stays_on_a_line_of_its_own() -> None:
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Build")
    live.above("a note")
    live.stop()
    assert f"{CLEAR}a note\n" in stream.getvalue()


@pytest.mark.parametrize("columns", ["20", "40", "80"])
def test_the_line_never_wraps(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("a title of many words " * 9)
    live.update(1, 2, "1 of 2")
    line = drawn(stream, "1 of 2")
    live.stop()
    assert len(line) < int(columns)


@pytest.mark.parametrize("columns", ["20", "40", "80"])
def test_what_goes_on_is_cut_where_it_is_longer_than_the_line(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Start vllm")
    live.update(0, 0, "loading weights; " * 9)
    line = drawn(stream, "loading")
    live.stop()
    assert len(line) < int(columns)


@pytest.mark.parametrize(
    ("text", "columns", "fits"), [("abc", 2, "ab"), ("abc", 3, "abc"), ("日本語", 5, "日本")]
)
def test_a_wide_letter_takes_two_columns(text: str, columns: int, fits: str) -> None:
    assert cut(text, columns) == fits


def test_each_part_has_a_bar_below_the_line_until_it_is_done() -> None:
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Fetch")
    live.part("one.safetensors", 50, 100, "50 of 100")
    live.part("two.safetensors", 100, 100, "100 of 100")
    drawn(stream, "one.safetensors")
    live.part("one.safetensors", 100, 100, "100 of 100")
    live.stop()
    shown = stream.getvalue()
    (line,) = {one.partition("\r")[0] for one in shown.split("\n") if "one.safe" in one}
    assert line.count("━") == BAR // 2
    assert len(line) < 80
    assert "\r\x1b[1A" in shown
    assert "two.safetensors" not in shown
    assert shown.endswith(("\r\x1b[J", CLEAR))


def test_no_more_parts_are_drawn_than_the_terminal_has_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LINES", "5")
    stream = io.StringIO()
    live = LiveLine(stream, Palette(0))
    live.start("Fetch")
    for number in range(9):
        live.part(f"part{number}", 1, 100, "1 of 100")
    drawn(stream, "part2")
    live.stop()
    assert "part3" not in stream.getvalue()
