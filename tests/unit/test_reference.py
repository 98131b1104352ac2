# SPDX-License-Identifier: Apache-2.0
"""Are the pages of the verbs, and completion's table, what `make docs` would write now?"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools.reference import MAN, TABLE, VERBS, main, texts
from tools.verb_pages import exit_codes
from tools.verb_tree import Verb, every_verb
from ttctl.cli.completing import suggestions
from ttctl.cli.registry import COMMANDS
from ttctl.model.setting_rows import KEYS, variable_of

ROOT = Path(__file__).parents[2]
TEXTS = texts()
EVERY = [one for verb in every_verb() for one in (verb, *verb.verbs)]


@pytest.mark.parametrize("name", TEXTS)
def test_a_page_is_what_make_docs_would_write(name: str) -> None:
    assert (ROOT / name).read_text() == TEXTS[name], "run `make docs`"


def test_there_is_a_page_of_each_kind_for_every_verb_and_no_other() -> None:
    for folder, pages in (
        (VERBS, {"README.md", *(f"{verb}.md" for verb in COMMANDS)}),
        (MAN, {"ttctl.1", *(f"ttctl-{verb}.1" for verb in COMMANDS)}),
    ):
        assert {path.name for path in (ROOT / folder).iterdir()} == pages


def test_writing_anew_removes_pages_of_verbs_that_there_are_not(tmp_path: Path) -> None:
    stale = tmp_path / VERBS / "gone.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    main(tmp_path)
    assert not stale.exists()
    assert (tmp_path / TABLE).read_text() == TEXTS[TABLE]


@pytest.mark.parametrize("verb", EVERY, ids=lambda verb: verb.path)
def test_every_option_and_argument_is_on_both_pages_and_every_option_is_completed(
    verb: Verb,
) -> None:
    top = verb.path.partition(" ")[0]
    page, manual = TEXTS[f"{VERBS}/{top}.md"], TEXTS[f"{MAN}/ttctl-{top}.1"]
    plain = manual.replace("\\-", "-").replace("\\(ha", "^").replace("\\(ti", "~")
    for row in (*verb.arguments, *verb.options):
        assert row.head.replace("|", "\\|") in page
        assert row.head in plain
    found = {word for _, word, _ in suggestions(verb.path.split(), "--", {})}
    assert {name for row in verb.options for name in row.names if name[:2] == "--"} <= found
    for example in verb.examples:
        assert example in page


def test_the_pages_of_config_list_every_setting_with_its_variable() -> None:
    for key in KEYS:
        assert f"| `{key}` |" in TEXTS[f"{VERBS}/config.md"]
        for page in (f"{VERBS}/config.md", f"{MAN}/ttctl-config.1"):
            assert variable_of(key) in TEXTS[page]


def test_exit_codes_are_those_of_the_errors() -> None:
    assert [code for code, _ in exit_codes()] == [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "75", "124", "129", "130", "143",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith(MAN)])
def test_a_manual_page_has_its_parts_in_order_and_nothing_that_troff_misreads(name: str) -> None:
    lines = TEXTS[name].splitlines()
    heads = [line.removeprefix(".SH ") for line in lines if line.startswith(".SH ")]
    assert heads[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert heads[-1] == "SEE ALSO"
    known = re.compile(r"\.(TH|SH|SS|TP|PP|br|nf|fi)( |$)|\.\\\" ")
    for line in lines:
        assert line[:1] not in {".", "'"} or known.match(line), line
        assert "`" not in line or line.startswith('.\\"'), line


def test_every_link_of_the_pages_leads_to_a_page() -> None:
    pages = {name.rpartition("/")[2]: text for name, text in TEXTS.items() if VERBS in name}
    for text in pages.values():
        assert set(re.findall(r"\]\(([^)]+)\)", text)) <= pages.keys()


def test_the_manual_and_the_table_travel_in_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert wheel["targets"]["wheel"]["shared-data"] == {MAN: "share/man/man1"}
    assert any(TABLE.startswith(f"{package}/") for package in wheel["targets"]["wheel"]["packages"])
