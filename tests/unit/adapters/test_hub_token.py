# SPDX-License-Identifier: Apache-2.0
"""Is a token of the hub found wherever the hub's own library finds it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.hub_token import has_token, hub_cache

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


def test_a_file_that_is_named_stands_in_for_all_others(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    assert not has_token({"HF_TOKEN": "made-up"}, home=tmp_path, named=str(file))
    file.write_text("made-up")
    assert has_token({}, home=tmp_path, named=str(file))


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, ".cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "~/c"}, "c/huggingface/hub"),
        ({"HF_HOME": "~/h", "XDG_CACHE_HOME": "~/c"}, "h/hub"),
        ({"HF_HUB_CACHE": "~/own", "HF_HOME": "~/h"}, "own"),
    ],
)
def test_the_shared_cache_is_where_the_hubs_tools_have_it(
    environ: dict[str, str], folder: str, tmp_path: Path
) -> None:
    assert hub_cache(environ, tmp_path) == tmp_path / folder
