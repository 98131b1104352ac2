# SPDX-License-Identifier: Apache-2.0
"""Do a shell and compose read a .env file as it was meant?"""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ttctl.errors import BadFileError
from ttctl.rules.dotenv import dotenv_text, values_in

VALUES = st.dictionaries(
    st.from_regex(r"TTCTL_[A-Z]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    min_size=1,
    max_size=4,
)
TRAPS = {
    "TTCTL_A": "$HOME ${HOME} $(id) `id`",
    "TTCTL_B": '"double" \\n \\ #no comment',
    "TTCTL_C": "  spaces  ",
    "TTCTL_D": "caf\u00e9 \u2028",
    "TTCTL_E": "",
    "TTCTL_F": "!history *glob ~tilde ; & | < >",
}


def compose_reads(text: str) -> dict[str, str]:
    """Read a file of single-quoted values as compose does.

    Source: https://github.com/compose-spec/compose-go/blob/042173482969cd44087fbc45b1f2f48d01b2d9c8/dotenv/parser.go
    (extractVarValue): a backslash keeps the quote behind it from being the end.
    """
    found: dict[str, str] = {}
    rest = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    while rest.strip():
        name, _, rest = rest.lstrip().partition("='")
        end = re.search(r"(?<!\\)'", rest)
        assert end, f"unterminated: {rest}"
        found[name], rest = rest[: end.start()], rest[end.end() :]
    return found


def sh_reads(text: str, names: list[str]) -> dict[str, str]:
    script = text + "".join(f'printf "%s\\0" "${name}"\n' for name in names)
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True)
    return dict(zip(names, done.stdout.decode().split("\0"), strict=False))


@settings(max_examples=40, deadline=None)
@given(VALUES)
@example(TRAPS)
@example({"TTCTL_A": "/a folder\\"})
@example({"TTCTL_A": "C:\\\\", "TTCTL_B": "x"})
def test_a_shell_and_compose_read_back_what_was_meant_or_it_is_refused(
    values: dict[str, str],
) -> None:
    try:
        text = dotenv_text(values)
    except BadFileError:
        return
    assert sh_reads(text, sorted(values)) == values
    assert compose_reads(text) == values


def test_ordinary_values_and_traps_are_not_refused() -> None:
    assert compose_reads(dotenv_text(TRAPS)) == TRAPS
    assert values_in(dotenv_text(TRAPS)) == TRAPS


@pytest.mark.parametrize(
    "bad", ["it's", "a\nb", "a\rb", "a\0b", "a\x1bb", "tail\\", "\udc80"], ids=repr
)
def test_what_both_cannot_read_alike_is_refused_with_its_name(bad: str) -> None:
    with pytest.raises(BadFileError, match="TTCTL_A cannot be written"):
        dotenv_text({"TTCTL_A": bad})


def test_the_order_of_values_is_no_matter() -> None:
    assert dotenv_text({"B": "1", "A": "2"}) == dotenv_text({"A": "2", "B": "1"})
