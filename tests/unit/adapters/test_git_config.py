# SPDX-License-Identifier: Apache-2.0
"""Are the mirrors of this host's git found, each with the file that names it?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.unit.adapters.programs import Programs

from ttctl.adapters.git_config import host_git_mirrors
from ttctl.adapters.site import detect
from ttctl.errors import BadFileError
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from pathlib import Path

PUBLIC = "https://public.example.com/"


def write(path: Path, *pairs: tuple[str, str], more: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'[url "{mirror}"]\n\tinsteadOf = {public}\n' for public, mirror in pairs]
    path.write_text("".join(lines) + more, encoding="utf-8")
    return str(path)


def mirrors(folder: Path, **environ: str) -> list[tuple[str, str]]:
    found = host_git_mirrors(
        {"PATH": os.environ["PATH"], **environ}, root=folder / "root", home=folder / "home"
    )
    return [(one.value, one.source) for one in found]


def test_the_machines_and_the_users_settings_count_each_with_its_file(tmp_path: Path) -> None:
    machine = write(tmp_path / "root/etc/gitconfig", (PUBLIC, "https://m.example.org/git/"))
    user = write(
        tmp_path / "home/.gitconfig", ("https://b.example.com/", "https://m.example.org/b/")
    )
    assert mirrors(tmp_path) == [
        (f"{PUBLIC}=https://m.example.org/git/", machine),
        ("https://b.example.com/=https://m.example.org/b/", user),
    ]


def test_included_files_and_the_xdg_folder_and_a_named_file_count(tmp_path: Path) -> None:
    other = write(tmp_path / "other", (PUBLIC, "https://m.example.org/"))
    write(tmp_path / "home/.config/git/config", more=f"[include]\n\tpath = {other}\n")
    assert mirrors(tmp_path) == [(f"{PUBLIC}=https://m.example.org/", other)]
    named = write(tmp_path / "named", (PUBLIC, "https://n.example.org/"))
    assert mirrors(tmp_path, GIT_CONFIG_GLOBAL=named) == [
        (f"{PUBLIC}=https://n.example.org/", named)
    ]


def test_variables_that_configure_git_count(tmp_path: Path) -> None:
    given = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.https://v.example.org/.insteadOf",
        "GIT_CONFIG_VALUE_0": PUBLIC,
    }
    assert mirrors(tmp_path, **given) == [(f"{PUBLIC}=https://v.example.org/", "GIT_CONFIG_COUNT")]


@pytest.mark.parametrize(
    ("public", "mirror"),
    [
        pytest.param(PUBLIC, "git@m.example.org:", id="by ssh"),
        pytest.param("git@public.example.com:", "https://m.example.org/", id="in place of ssh"),
        pytest.param(PUBLIC, "file:///srv/git/", id="a folder"),
    ],
)
def test_other_ways_than_http_are_left_out(tmp_path: Path, public: str, mirror: str) -> None:
    write(tmp_path / "home/.gitconfig", (public, mirror))
    assert mirrors(tmp_path) == []


def test_no_git_is_started_where_no_file_speaks_of_another_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Programs(tmp_path, monkeypatch)
    programs.add("git")
    write(tmp_path / "home/.gitconfig", more="[user]\n\tname = me\n")
    assert mirrors(tmp_path) == []
    assert programs.calls == []


def test_a_git_that_is_missing_leaves_nothing_to_learn_and_one_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "home/.gitconfig", (PUBLIC, "https://m.example.org/"))
    programs = Programs(tmp_path, monkeypatch)
    assert mirrors(tmp_path) == []
    programs.add("git", "sys.exit(1)")
    assert mirrors(tmp_path) == []
    programs.add("git", "sys.exit(128)")
    with pytest.raises(BadFileError) as caught:
        mirrors(tmp_path)
    assert caught.value.evidence == "git config ended with 128."


def test_a_repository_that_the_user_stands_in_says_nothing_of_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "home/.gitconfig", (PUBLIC, "https://m.example.org/"))
    write(tmp_path / "work/.git/config", (PUBLIC, "https://w.example.org/"))
    (tmp_path / "work/.git/HEAD").write_text("ref: refs/heads/main\n")
    for name in ("objects", "refs"):
        (tmp_path / "work/.git" / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert [value for value, _ in mirrors(tmp_path)] == [f"{PUBLIC}=https://m.example.org/"]


def test_what_is_given_wins_and_an_empty_value_switches_the_host_off(tmp_path: Path) -> None:
    write(tmp_path / "home/.gitconfig", (PUBLIC, "https://m.example.org/"))

    def found(value: str) -> tuple[Sourced, ...]:
        return detect(
            {"PATH": os.environ["PATH"]},
            root=tmp_path / "root",
            home=tmp_path / "home",
            prefix=tmp_path,
            settings={"git_mirror": Sourced(value=value, source="TTCTL_GIT_MIRROR")},
        ).git_mirror

    assert found("") == ()
    both = found(f"https://a.example.org/ {PUBLIC}=https://b.example.org/")
    assert [one.value for one in both] == [
        "https://a.example.org/",
        f"{PUBLIC}=https://b.example.org/",
    ]


def test_settings_that_git_cannot_read_are_told_and_not_taken_for_none(tmp_path: Path) -> None:
    broken = write(tmp_path / "home/.gitconfig", (PUBLIC, "https://m.example.org/"), more="[url\n")
    with pytest.raises(BadFileError, match="settings of git") as caught:
        mirrors(tmp_path)
    assert broken in caught.value.evidence
    assert caught.value.next_step == "git config --list --show-origin"
