# SPDX-License-Identifier: Apache-2.0
"""Is a fault in a TOML file told with the line where it stands?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from ttctl.adapters.toml import parse_toml
from ttctl.adapters.toml_lines import line_of
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = '''\
# a comment: port = 1
port = 1
"quoted" = 2

[weights]
port = 3
text = """
port = 4
[limits]
"""

[[weights.files]]
port = 5

[[weights.files]]
port = 6
path = "x"

[[spec]]
port = 7
[spec.limits]
port = 8

[[spec]]
name = "second"
[spec.limits]
port = 9
[spec.extra]
other = 10

[inline]
list = [
    { port = 11 },
    { port = 12 },
]
table = { port = 13 }
dotted.port = 14
'''


def line(start: str) -> int:
    return next(n for n, one in enumerate(TEXT.splitlines(), start=1) if one.startswith(start))


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param(("port",), line("port = 1"), id="before any table"),
        pytest.param(("quoted",), line('"quoted"'), id="a quoted key"),
        pytest.param(("weights", "port"), line("port = 3"), id="in a table"),
        pytest.param(("weights", "files", 0, "port"), line("port = 5"), id="first of a list"),
        pytest.param(("weights", "files", 1, "port"), line("port = 6"), id="second of a list"),
        pytest.param(("weights", "files", 1, "path"), line("path"), id="only in the second"),
        pytest.param(("spec", 0, "port"), line("port = 7"), id="first entry"),
        pytest.param(("spec", 0, "limits", "port"), line("port = 8"), id="its table"),
        pytest.param(("spec", 1, "limits", "port"), line("port = 9"), id="the second's table"),
        pytest.param(("spec", 1, "port"), line("name") - 1, id="missing: the entry's header"),
        pytest.param(("spec", 1, "extra", "other"), line("other"), id="another table"),
        pytest.param(
            ("spec", 1, "extra", "other", "constrained-str"), line("other"), id="one of a union"
        ),
        pytest.param(("spec", 1, "extra", "other", "[key]"), line("other"), id="a table's key"),
        pytest.param(("inline", "list", 1, "port"), line("    { port = 12"), id="in an array"),
        pytest.param(("inline", "table", "port"), line("table"), id="in an inline table"),
        pytest.param(("inline", "dotted", "port"), line("dotted"), id="a dotted key"),
        pytest.param(("gone",), 1, id="missing: the beginning"),
    ],
)
def test_a_key_is_found_where_it_stands(location: tuple[int | str, ...], expected: int) -> None:
    assert line_of(TEXT, location) == expected


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    port: int
    name: str = ""


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        pytest.param("port = 'x'", "line 1, key port: ", id="another kind"),
        pytest.param("name = ''", "line 1, key port: Field required", id="missing"),
        pytest.param("\nport = 1\nprot = 1", "line 3, key prot: Extra inputs", id="unknown"),
        pytest.param("port = ", "line 1", id="no TOML"),
        pytest.param("port = 1\nport = 2", "line 2", id="twice"),
    ],
)
def test_a_fault_is_told_with_file_line_and_key(tmp_path: Path, text: str, evidence: str) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        parse_toml(file, Shape)
    assert str(file) in caught.value.evidence
    assert evidence in caught.value.evidence
    assert caught.value.next_step == f"edit {file}"


def test_a_password_in_a_refused_value_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("port = 'http://me:hidden@proxy.example.org'", encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        parse_toml(file, Shape)
    assert "hidden" not in caught.value.evidence


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff")
    for name in ("x.toml", "gone.toml"):
        with pytest.raises(BadFileError, match="cannot be read"):
            parse_toml(tmp_path / name, Shape)
