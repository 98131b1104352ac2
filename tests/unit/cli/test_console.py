# SPDX-License-Identifier: Apache-2.0
"""Is stdout the answer and stderr the progress, and is the log whole and private?"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from ttctl.cli.console import Console
from ttctl.cli.reporters import PlainReporter, TerminalReporter
from ttctl.cli.table import table
from ttctl.errors import TtctlError, UsageError


@dataclass(frozen=True)
class Value:
    path: Path
    names: frozenset[str]
    inner: tuple[tuple[str, int], ...] = ()


def console(*, as_json: bool = False, quiet: bool = False, verbose: bool = False) -> Console:
    return Console(as_json=as_json, quiet=quiet, verbose=verbose)


def test_an_answer_for_people_is_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    console().answer("ps", [1], "a table")
    assert capsys.readouterr() == ("a table\n", "")


def test_an_answer_for_programs_is_a_versioned_envelope(
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = Value(path=Path("/x"), names=frozenset("zyxabc"), inner=(("a", 1),))
    console(as_json=True).answer("thing", value, "a table")
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "schema": "ttctl.thing/1",
        "data": {"path": "/x", "names": list("abcxyz"), "inner": [["a", 1]]},
    }


def test_the_pieces_of_an_answer_are_not_mixed_with_an_envelope(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console().piece("a")
    console(as_json=True).piece("b")
    assert capsys.readouterr().out == "a"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(TtctlError("What."), "error:    What.\n", id="only what"),
        pytest.param(
            TtctlError("What.", evidence="a\n\nb", next_step="ttctl ps"),
            "error:    What.\nevidence: a\n          \n          b\nnext:     ttctl ps\n",
            id="several lines",
        ),
    ],
)
def test_parts_that_are_empty_are_not_shown(
    capsys: pytest.CaptureFixture[str], error: TtctlError, expected: str
) -> None:
    console().error(error)
    assert capsys.readouterr() == ("", expected)


ADDRESSES = [
    pytest.param("http://me:canary@proxy.example.org:3128", id="proxy"),
    pytest.param("https://me:canary@index.example.org/simple", id="index"),
    pytest.param("https://mirror.example.org/debian?token=canary", id="mirror"),
    pytest.param("me:canary@proxy.example.org:3128", id="proxy without a scheme"),
]


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("part", ["message", "why", "evidence", "next_step"])
def test_no_part_of_a_refusal_shows_a_password(
    capsys: pytest.CaptureFixture[str], url: str, part: str, *, as_json: bool
) -> None:
    text = f"{url}: no answer within 5 s"
    parts = {"message": "What.", part: text}
    console(as_json=as_json).error(TtctlError(parts.pop("message"), **parts))
    out, err = capsys.readouterr()
    assert "canary" not in out + err
    assert "no answer within 5 s" in out + err
    assert "example.org" in out + err


@pytest.mark.parametrize("url", ADDRESSES)
def test_neither_the_log_nor_the_screen_gets_a_password(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, url: str
) -> None:
    reporter = PlainReporter(console(verbose=True), tmp_path / "log")
    with reporter.step(f"Pull {url}"):
        reporter.note(f"asking {url}")
        reporter.detail(f"#6 0.5 Looking in indexes: {url}")
    out, err = capsys.readouterr()
    kept = (tmp_path / "log").read_text(encoding="utf-8")
    assert "canary" not in out + err + kept
    assert "Looking in indexes" in kept


def test_a_step_ends_in_a_mark_and_seconds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reporter = PlainReporter(console(), tmp_path / "log")
    with reporter.step("Build x"):
        pass
    with pytest.raises(ZeroDivisionError), reporter.step("Start y"):
        raise ZeroDivisionError
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"  \+ Build x  \d+\.\d s\n  x Start y  \d+\.\d s\n", err)


def test_quiet_says_nothing_but_still_keeps_the_log(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reporter = PlainReporter(console(quiet=True), tmp_path / "log")
    with reporter.step("Build x"):
        reporter.note("a note")
        reporter.detail("a line")
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "--- Build x\na line\n"


def test_a_childs_lines_go_to_the_log_and_on_verbose_to_the_screen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    PlainReporter(console(), tmp_path / "a").detail("first")
    PlainReporter(console(verbose=True), tmp_path / "b").detail("second")
    assert capsys.readouterr().err == "    | second\n"
    assert (tmp_path / "a").read_text(encoding="utf-8") == "first\n"


def test_the_log_is_the_users_alone_and_made_with_its_first_line(tmp_path: Path) -> None:
    reporter = PlainReporter(console(), tmp_path / "logs/log")
    assert not (tmp_path / "logs").exists()
    reporter.detail("x")
    assert (tmp_path / "logs/log").stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    reporter = PlainReporter(console(), tmp_path / "file/log")
    for number in range(3):
        reporter.detail(f"line {number}")
    assert capsys.readouterr().err.count("no log") == 1


def test_progress_off_a_terminal_is_rare(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter = PlainReporter(console(), tmp_path / "log")
    with reporter.step("Fetch x"):
        for number in range(1000):
            reporter.progress(number, 1000, "bytes")
        monkeypatch.setattr("ttctl.cli.reporters.PLAIN_EVERY_S", 0)
        reporter.progress(1_500_000, 3_000_000, "bytes")
        reporter.progress(1, 3, "steps")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["    Fetch x: 1.5 of 3.0 MB", "    Fetch x: 1 of 3 steps"]
    assert len(lines) == 3


def test_a_terminal_gets_one_live_line_and_the_same_ends(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reporter = TerminalReporter(console(), tmp_path / "log")
    with reporter.step("Build [x]"):
        reporter.progress(1, 2, "steps")
        reporter.note("a note")
    err = capsys.readouterr().err
    assert re.search(r"  \+ Build \[x\]  \d+\.\d s\n", err)
    assert "    a note\n" in err


def test_what_goes_on_is_a_line_off_a_terminal_and_outside_of_a_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    PlainReporter(console(), tmp_path / "log").status("loading weights", phase="weights")
    terminal = TerminalReporter(console(), tmp_path / "log")
    terminal.status("capturing traces", phase="traces")
    assert capsys.readouterr().err == "    loading weights\n    capturing traces\n"
    with terminal.step("Start vllm"):
        terminal.status("opening the boards", phase="device")
    assert "    opening the boards\n" not in capsys.readouterr().err


def test_a_table_is_as_wide_as_it_must_be_without_trailing_blanks() -> None:
    assert table(("A", "BB"), [("x", "y"), ("long", "")]) == "A     BB\nx     y\nlong"


QUESTION = "Remove 1 snapshot(s) of demo, 4.1 MB?"
ASKED = "ttctl models rm demo --yes"


class Typed(io.StringIO):
    """A terminal on which something was typed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False), ("yea\n", False)],
)
def test_only_a_clear_yes_is_consent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, *, agreed: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Typed(typed))
    assert console().agrees(QUESTION, next_step=ASKED) is agreed
    assert capsys.readouterr() == ("", f"{QUESTION} [y/N] ")


def test_consent_that_was_given_beforehand_is_not_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert Console(yes=True, as_json=True).agrees(QUESTION, next_step=ASKED)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("as_json", [False, True])
def test_where_nobody_can_be_asked_the_flag_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Typed("y\n") if as_json else io.StringIO("y\n"))
    with pytest.raises(UsageError) as caught:
        console(as_json=as_json).agrees(QUESTION, next_step=ASKED)
    assert caught.value.next_step == ASKED
    assert capsys.readouterr() == ("", "")
