# SPDX-License-Identifier: Apache-2.0
"""Is a short commit made full only where it can mean one?"""

from __future__ import annotations

import pytest
from tests.unit.listed import FACTS

from ttctl.rules.commits import known_commit, listed_commit, only

A, B, TAG = "a" * 39 + "1", "a" * 39 + "2", "b" * 40
LISTED = {
    "refs/heads/main": A,
    "refs/tags/v1": TAG,
    "refs/tags/v1^{}": B,
    "refs/tags/light": A,
    "refs/heads/v1": A,
}


@pytest.mark.parametrize(
    ("component", "name", "full"),
    [
        pytest.param("vllm", "3499ffa", "3499ffa1fd8ab7a6987e17347d31d78379a92bef", id="vllm"),
        pytest.param(
            "tt-metal", "80180b9", "80180b9d7d07ea9fcc99f723d4d46fe7a0b233bd", id="tt-metal"
        ),
        pytest.param("tt-metal", "3499ffa", "", id="of another repository"),
        pytest.param("vllm", "f52987a", "", id="one that nobody read in full"),
        pytest.param("vllm", "3499ff", "", id="too short"),
        pytest.param("vllm", "v0.62.0-rc33", "", id="a tag"),
        pytest.param("sfpi", "3499ffa", "", id="no such component"),
    ],
)
def test_the_table_makes_known_commits_full(component: str, name: str, full: str) -> None:
    assert known_commit(component, name, FACTS) == full


@pytest.mark.parametrize(
    ("name", "commit"),
    [
        pytest.param("v1", B, id="a tag goes before a branch, and means what it points to"),
        pytest.param("light", A, id="a light tag"),
        pytest.param("main", A, id="a branch"),
        pytest.param("a" * 39 + "1", A, id="a commit"),
        pytest.param("a" * 12, "", id="the start of two"),
        pytest.param("b" * 12, "", id="a tag's own object"),
        pytest.param("c" * 12, "", id="not listed"),
        pytest.param("nothing", "", id="no such name"),
    ],
)
def test_a_repositorys_names_tell_commits(name: str, commit: str) -> None:
    assert listed_commit(name, LISTED) == commit


def test_the_same_commit_under_two_names_is_one() -> None:
    assert only([TAG, TAG], TAG[:7]) == TAG
