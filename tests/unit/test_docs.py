# SPDX-License-Identifier: Apache-2.0
"""Do the pages speak of what is there? Verbs, targets, files, tables; nothing is run."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

from ttctl import errors
from ttctl.cli.registry import COMMANDS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECURITY = ROOT / "docs" / "security.md"
DECISIONS = ROOT / "lessons" / "decisions"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
PAGES = (
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "docs" / "dependencies.md",
    DECISIONS / "README.md",
    ROOT / "docs" / "settings.md",
    ROOT / "docs" / "catalog.md",
    ROOT / "docs" / "hardware.md",
    ROOT / "docs" / "exceptions.md",
    ROOT / "docs" / "images.md",
    ROOT / "docs" / "generations.md",
    ROOT / "docs" / "boot.md",
    ROOT / "docs" / "projects.md",
    SECURITY,
    *RECORDS,
)
OURS = ("controller/", "images/", "compose/", "lessons/", "tests/", ".ci/")
"""What a path in the checkout begins with."""
PARTS = ["## Context", "## Choice", "## What we gave up"]

every_page = pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES]
)
every_record = pytest.mark.parametrize(
    "record", [pytest.param(record, id=record.name[:4]) for record in RECORDS]
)


def fenced(text: str) -> list[str]:
    """Return the lines to type of all code blocks; in a `console` block they have a prompt."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        line.removeprefix("$ ")
        for language, block in blocks
        for line in block.splitlines()
        if line.startswith("$ ") or language != "console"
    ]


def spans(text: str) -> list[str]:
    """Return what stands between backticks in the prose."""
    prose = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def typed(text: str) -> list[str]:
    """Return every command of ours that a page says to type, without its prompt."""
    said = (*spans(text), *fenced(text))
    return [words for words in said if re.match(r"(ttctl|make) ", words)]


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table whose head begins with `heading`, without its head."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table, f"no table {heading!r}"
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[1].splitlines()]


def slug(heading: str) -> str:
    """Return the fragment that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_promise_names_the_test_that_holds_it() -> None:
    promises = re.findall(r"^- (.*(?:\n  .*)*)", SECURITY.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(promises) > 15
    for promise in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)`", promise)
        assert named, promise
        assert all((ROOT / one).is_file() for one in named), promise


@every_page
def test_every_verb_that_a_page_says_to_type_exists(page: Path) -> None:
    said = [words.split() for words in typed(page.read_text()) if words.startswith("ttctl ")]
    verbs = {next((word for word in words[1:] if word[0] != "-"), "") for words in said}
    assert verbs - {""} <= COMMANDS.keys()


@every_page
def test_every_target_that_a_page_says_to_make_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    said = [
        words.partition("#")[0].split()[1:]
        for words in typed(page.read_text())
        if words.startswith("make ")
    ]
    assert {word for words in said for word in words if "=" not in word} <= targets


@every_page
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = [span for span in spans(page.read_text()) if span.startswith(OURS) and " " not in span]
    assert [path for path in named if not (ROOT / path).exists()] == []


@every_page
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, fragment = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        if fragment:
            assert fragment in map(
                slug, re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            ), target


def test_the_readme_names_every_verb() -> None:
    said = {words.split()[1] for words in typed(README.read_text()) if words.startswith("ttctl ")}
    assert COMMANDS.keys() <= said


def test_the_readme_lists_the_exit_codes_that_the_errors_have() -> None:
    expected: dict[int, set[str]] = defaultdict(set)
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, errors.TtctlError):
            expected[one.exit_code].add(one.code)
    expected[0] = set()
    listed = rows(README.read_text(), "code")
    assert {int(code): set(spans(names)) for code, names, _ in listed} == expected
    assert [int(code) for code, _, _ in listed] == sorted(expected)


def test_the_readme_lists_the_distributions_of_the_package_table() -> None:
    text = (ROOT / "controller" / "engine" / "packages.tsv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    table = csv.DictReader(lines, delimiter="\t")
    expected = [[f"{row['id'].capitalize()} {row['version']}", row["status"]] for row in table]
    assert rows(README.read_text(), "distribution") == expected


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(README.read_text().splitlines()) <= 250


@every_record
def test_a_decision_has_its_three_parts_on_one_page(record: Path) -> None:
    lines = record.read_text().splitlines()
    assert lines[0].startswith(f"# {record.name[:4]}: ")
    assert [line for line in lines if line.startswith("## ")] == PARTS
    assert len(lines) <= 60


def test_decisions_are_numbered_without_gaps_and_all_in_the_index() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
    index = (DECISIONS / "README.md").read_text()
    expected = [
        f"| [{record.name[:4]}]({record.name}) | {record.read_text().splitlines()[0][8:]} |"
        for record in RECORDS
    ]
    assert [line for line in index.splitlines() if line.startswith("| [")] == expected
