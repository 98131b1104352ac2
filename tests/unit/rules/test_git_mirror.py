# SPDX-License-Identifier: Apache-2.0
"""Does git read the mirrors back as they were meant?"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ttctl.model.site import Site, Sourced
from ttctl.rules.git_mirror import gitconfig, replacements

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = ("https://a.example.com/", "https://b.example.com/")


def of(*values: str) -> Site:
    return Site(git_mirror=tuple(Sourced(value=value, source="test") for value in values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param((), (), id="none"),
        pytest.param(
            ("https://m.example.org/git",),
            tuple((host, "https://m.example.org/git/") for host in HOSTS),
            id="one for all public hosts",
        ),
        pytest.param(
            ("https://a.example.com/=https://m.example.org/prefix-",),
            (("https://a.example.com/", "https://m.example.org/prefix-"),),
            id="a pair is taken to the letter",
        ),
        pytest.param(
            ("https://a.example.com/=https://first.example.org/", "https://all.example.org/"),
            (
                ("https://a.example.com/", "https://first.example.org/"),
                ("https://b.example.com/", "https://all.example.org/"),
            ),
            id="a pair before it keeps its host",
        ),
    ],
)
def test_a_mirror_stands_for_hosts(
    values: tuple[str, ...], expected: tuple[tuple[str, str], ...]
) -> None:
    assert replacements(of(*values), HOSTS) == expected


def test_a_place_without_mirrors_and_a_bundle_says_nothing() -> None:
    assert gitconfig(Site(), HOSTS, ca_file="/ca.pem") == ""


ADDRESS = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), max_size=20)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=ADDRESS, bundle=ADDRESS)
def test_git_reads_a_mirror_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, path: str, bundle: str
) -> None:
    mirror = f"https://m.example.org/{path}".replace("@", "")
    site = Site(
        git_mirror=(Sourced(value=f"{HOSTS[0]}={mirror}", source="test"),),
        ca_bundle=Sourced(value="x", source="test"),
    )
    file: Path = tmp_path_factory.mktemp("git") / "config"
    file.write_text(gitconfig(site, (), ca_file=f"/{bundle}"), encoding="utf-8")
    done = subprocess.run(
        ["git", "config", "--file", str(file), "--null", "--list"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    read = dict(one.split("\n", 1) for one in done.stdout.split("\0") if one)
    assert read == {"http.sslcainfo": f"/{bundle}", f"url.{mirror}.insteadof": HOSTS[0]}
