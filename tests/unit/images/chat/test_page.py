# SPDX-License-Identifier: Apache-2.0
"""The page's policy lets exactly its own script and style run."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[4] / "images" / "chat"
PAGE = (FOLDER / "index.html").read_text()
LARGEST_BYTES = 100_000
KINDS = ("script", "style")
NONE = "'none'"


def policy(page: Path) -> str:
    done = subprocess.run(
        ["bash", FOLDER / "policy", page], capture_output=True, text=True, check=True
    )
    return done.stdout


def told(scripts: list[str], styles: list[str]) -> str:
    """Return what nginx is told of a page that holds these."""
    return "".join(
        f'map $uri $page_{kind} {{ default "{" ".join(map(named, texts)) or NONE}"; }}\n'
        for kind, texts in (("scripts", scripts), ("styles", styles))
    )


def named(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_names_what_the_page_holds() -> None:
    held = {kind: re.findall(f"<{kind}>(.*?)</{kind}>", PAGE, re.DOTALL) for kind in KINDS}
    assert [len(held[kind]) for kind in KINDS] == [1, 1]
    assert policy(FOLDER / "index.html") == told(held["script"], held["style"])


@pytest.mark.parametrize(
    ("page", "scripts", "styles"),
    [
        pytest.param("<p>nothing</p>", [], [], id="neither"),
        pytest.param("<script>\na('é')\n</script>", ["\na('é')\n"], [], id="not-ascii"),
        pytest.param("<style>a\r\nb\rc</style>", [], ["a\nb\nc"], id="ends-of-lines"),
        pytest.param("<script>1</script><script>2\n\n</script>", ["1", "2\n\n"], [], id="two"),
        pytest.param('<STYLE media="print">b</Style >', [], ["b"], id="as-html-may-write-it"),
        pytest.param("<!-- a <script> is below --><script>1</script>", ["1"], [], id="comment"),
        pytest.param("<script>'<!--' + '<style>'</script>", ["'<!--' + '<style>'"], [], id="text"),
    ],
)
def test_the_policy_of_an_edited_page_names_what_that_one_holds(
    tmp_path: Path, page: str, scripts: list[str], styles: list[str]
) -> None:
    (tmp_path / "index.html").write_bytes(page.encode())
    assert policy(tmp_path / "index.html") == told(scripts, styles)


def test_without_a_page_no_policy_is_made(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        policy(tmp_path / "index.html")


def test_the_policy_lets_nothing_else_run() -> None:
    (found,) = re.findall(r'Content-Security-Policy "([^"]+)"', (FOLDER / "nginx.conf").read_text())
    assert found.split("; ") == [
        "default-src 'none'", "script-src $page_scripts", "style-src $page_styles",
        "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'",
    ]  # fmt: skip


def test_the_page_is_small_and_names_no_other_host() -> None:
    assert len(PAGE.encode()) < LARGEST_BYTES
    assert not re.findall(r"https?://|//[a-z]+\.", PAGE)


def test_nothing_of_an_answer_can_become_markup() -> None:
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", PAGE)
