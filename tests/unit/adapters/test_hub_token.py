# SPDX-License-Identifier: Apache-2.0
"""Is a token of the hub found wherever the hub's own library finds it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.hub_token import has_token

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_a_variable_holds_a_token(name: str, tmp_path: Path) -> None:
    assert has_token({name: "made-up"}, home=tmp_path)
    assert not has_token({name: " "}, home=tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "file"),
    [
        ("", "", ".cache/huggingface/token"),
        ("XDG_CACHE_HOME", "~/mine", "mine/huggingface/token"),
        ("HF_HOME", "~/hub", "hub/token"),
        ("HF_TOKEN_PATH", "~/secret", "secret"),
    ],
)
def test_the_hubs_file_holds_a_token(name: str, value: str, file: str, tmp_path: Path) -> None:
    environ = {name: value} if name else {}
    assert not has_token(environ, home=tmp_path)
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("made-up\n")
    assert has_token(environ, home=tmp_path)
    path.write_text("\n")
    assert not has_token(environ, home=tmp_path)


def test_a_file_that_is_no_text_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"\xff")
    assert not has_token({"HF_HOME": str(tmp_path)}, home=tmp_path)
