# SPDX-License-Identifier: Apache-2.0
"""Does the page name every setting, and is a new file made of them?"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.model.setting_rows import KEYS, OTHER_VARIABLES
from ttctl.rules.setting_kinds import SEVERAL, allowed_text
from ttctl.rules.settings import layer_of_file
from ttctl.rules.settings_page import tables, template

if TYPE_CHECKING:
    from ttctl.model.settings import Setting

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"
EMPTY = ("model", "name", "device", "tls", "tls_key")
"""Of `up`: an empty text of these says nothing, and is no value."""


def page_table() -> str:
    """Return the tables of the documentation's page, in Markdown."""
    parts: list[str] = []
    for table, settings in tables():
        rows = [
            f"| `{one.name}` | `{one.variable}` | {_default(one)} | {_allowed(one)} | {one.help} |"
            for one in settings
        ]
        head = f"### `[{table}]`\n\n| key | variable | default | allowed | what it is |\n"
        parts.append(head + "|---|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _allowed(setting: Setting) -> str:
    text = allowed_text(setting)
    return f"{text}; several" if setting.kind in SEVERAL else text


def _default(setting: Setting) -> str:
    return "" if setting.default in {None, ""} else f"`{setting.default}`"


def test_the_page_holds_the_golden_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    head, _, table = text.partition("### ")
    if os.environ.get("TTCTL_GOLDEN") == "write":
        PAGE.write_text(head + page_table(), encoding="utf-8")
        return
    assert f"### {table}" == page_table(), "TTCTL_GOLDEN=write rewrites it"


def test_the_page_names_what_is_no_setting() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in OTHER_VARIABLES if f"`{name}`" not in text] == []


def test_the_template_sets_nothing() -> None:
    assert tomllib.loads(template()) == {}


def test_a_template_with_its_values_uncommented_is_a_settings_file_but_for_empty_texts() -> None:
    lines = re.sub(r"^# (?=\[|\w+ = )", "", template(), flags=re.MULTILINE).splitlines()
    text = "\n".join(
        line for line in lines if not re.search(r'^(?:model|name|device|tls|tls_key) = ""', line)
    )
    found = layer_of_file(
        tomllib.loads(text), path="/t.toml", home="/h", line_of=lambda _: 1, next_step="-"
    )
    assert found.keys() == set(KEYS) - {f"up.{name}" for name in EMPTY}
