# SPDX-License-Identifier: Apache-2.0
"""Are the published schemas those of the types, and does every leaf have one?"""

from __future__ import annotations

import ast
import json
import re
import runpy
from pathlib import Path

import jsonschema
import pytest

from ttctl.cli.answers import ANSWERS, EVENTS, LINES
from ttctl.cli.console import Console
from ttctl.cli.reporters import EventReporter
from ttctl.errors import BadFileError

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "schemas"
CLI = ROOT / "controller" / "ttctl" / "cli"
TEXTS: dict[str, str] = runpy.run_path(str(ROOT / "controller" / "tools" / "schemas.py"))["texts"]()


def schema(kind: str) -> dict[str, object]:
    value: dict[str, object] = json.loads((PUBLISHED / f"{kind}-1.json").read_text())
    return value


def test_the_published_schemas_are_those_of_the_types() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.glob("*.json")}
    assert published == TEXTS, "run `make docs`"


@pytest.mark.parametrize("name", TEXTS)
def test_every_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(TEXTS[name]))


def test_every_answer_that_a_verb_shows_has_a_schema_and_no_other_is_published() -> None:
    shown = set()
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="show" | "line"),
                    args=[ast.Constant(value=str(kind)), *_],
                ):
                    shown.add(kind)
    assert shown == ANSWERS.keys() | LINES.keys()


def test_a_refusal_is_as_its_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    Console(as_json=True).error(BadFileError("What.", why="Why.", evidence="E", next_step="ttctl"))
    printed = json.loads(capsys.readouterr().out)
    jsonschema.validate(printed, schema("error"))
    del printed["error"]["next_step"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(printed, schema("error"))


def test_every_event_is_one_line_on_stderr_and_as_its_schema_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reporter = EventReporter(Console(as_json=True, verbose=True), tmp_path / "log")
    with reporter.step("Build x"):
        reporter.progress(1, 2, "steps")
        reporter.progress(2, 2, "steps")
        reporter.status(
            "loading weights", phase="weights", seconds=15.0, limit_s=3600, cache_bytes=7,
            bytes_per_s=0.5,
        )  # fmt: skip
        reporter.note("by the way")
        reporter.detail("a line of a child")
    with pytest.raises(ZeroDivisionError), reporter.step("Start y"):
        raise ZeroDivisionError
    out, err = capsys.readouterr()
    assert out == ""
    events = [json.loads(line) for line in err.splitlines()]
    for event in events:
        jsonschema.validate(event, schema("event"))
    assert {event["event"] for event in events} == EVENTS.keys()
    steps = [(one["title"], one["state"]) for one in events if one["event"] == "step"]
    assert steps == [
        ("Build x", "started"), ("Build x", "done"), ("Start y", "started"), ("Start y", "failed")
    ]  # fmt: skip
    assert all(re.fullmatch(r"[0-9TZ:-]{20}", event["time"]) for event in events)


def test_quiet_programs_get_no_events(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    reporter = EventReporter(Console(as_json=True, quiet=True), tmp_path / "log")
    with reporter.step("Build x"):
        reporter.note("by the way")
    assert capsys.readouterr() == ("", "")
