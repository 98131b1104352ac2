# SPDX-License-Identifier: Apache-2.0
"""Are short commits and tags made exact through the mirror, and what is missing named?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.git_server import git, git_server, publish
from tests.unit.adapters.programs import Programs
from tests.unit.listed import FACTS

from ttctl.adapters.commits import GitCommits
from ttctl.errors import BadFileError, OfflineError
from ttctl.model.commit import NamedCommit
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLIC = "https://public.example.com/"
REPOSITORY = f"{PUBLIC}tenstorrent/one.git"
ENDLESS = """
import pathlib, time
words = sys.argv[3:]
if words[0] == "init":
    (pathlib.Path(words[-1]) / "HEAD").touch()
elif "fetch" in words:
    (pathlib.Path(words[1]) / "pack").write_bytes(b"x" * 1000)
    time.sleep(60)
elif "rev-parse" in words:
    sys.exit(1)
"""
DEAD = Site(
    http_proxy=Sourced(value="http://127.0.0.1:9", source="test"),
    https_proxy=Sourced(value="http://127.0.0.1:9", source="test"),
)
OFFLINE = Site(offline=Sourced(value="1", source="TTCTL_OFFLINE"))


def named(name: str, component: str = "tt-metal", repository: str = REPOSITORY) -> NamedCommit:
    return NamedCommit(component=component, repository=repository, name=name)


@pytest.fixture
def commits(tmp_path: Path) -> GitCommits:
    return GitCommits(FACTS, [PUBLIC], tmp_path / "cache")


@pytest.fixture
def history(tmp_path: Path) -> tuple[str, str]:
    """Publish a repository of two commits; return the first, which no name lists, and the last."""
    publish(tmp_path / "tenstorrent", "one")
    work, bare = tmp_path / "tenstorrent/one.work", tmp_path / "tenstorrent/one.git"
    git("config", "uploadpack.allowFilter", "true", at=bare)
    (work / "README").write_text("two\n" * 100)
    git("commit", "--quiet", "--all", "--message=two", at=work)
    middle = git("rev-parse", "HEAD", at=work)
    git("commit", "--quiet", "--allow-empty", "--message=three", at=work)
    git("push", "--quiet", str(bare), "main", at=work)
    return middle, git("rev-parse", "HEAD", at=work)


@pytest.fixture
def mirror(tmp_path: Path, history: tuple[str, str]) -> Iterator[tuple[Site, list[str]]]:
    assert history
    with git_server(tmp_path) as (port, asked):
        one = Sourced(value=f"http://127.0.0.1:{port}/", source="test")
        yield Site(git_mirror=(one,)), asked


def test_what_is_full_or_known_asks_nobody(commits: GitCommits) -> None:
    found = commits.resolve([named("f" * 40), named("3499ffa", "vllm")], OFFLINE)
    assert [(one.commit[:8], one.origin) for one in found] == [
        ("ffffffff", "given"), ("3499ffa1", "known"),
    ]  # fmt: skip


def test_a_tag_and_the_start_of_a_branchs_commit_are_listed(
    commits: GitCommits, mirror: tuple[Site, list[str]], history: tuple[str, str], tmp_path: Path
) -> None:
    first = git("rev-parse", "v1.0^{commit}", at=tmp_path / "tenstorrent/one.git")
    found = commits.resolve([named("v1.0"), named(history[1][:7])], mirror[0])
    assert [(one.commit, one.origin) for one in found] == [
        (first, "listed"), (history[1], "listed"),
    ]  # fmt: skip
    assert sum("info/refs" in one for one in mirror[1]) == 1


def test_a_commit_that_no_name_lists_is_sought_among_all_without_their_files(
    commits: GitCommits, mirror: tuple[Site, list[str]], history: tuple[str, str], tmp_path: Path
) -> None:
    (found,) = commits.resolve([named(history[0][:9])], mirror[0])
    assert (found.commit, found.origin) == (history[0], "fetched")
    objects = git(
        "cat-file", "--batch-check", "--batch-all-objects", at=tmp_path / "cache/tt-metal.git"
    )
    assert {line.split()[1] for line in objects.splitlines()} <= {"commit", "tag"}
    asked = len(mirror[1])
    (again,) = commits.resolve([named(history[0][:8])], mirror[0])
    assert again.commit == history[0]
    assert len(mirror[1]) == asked


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("0000000", "None of its commits begins so", id="a commit"),
        pytest.param("v9.9", "no tag and no branch", id="a tag"),
    ],
)
def test_what_the_repository_does_not_have_is_refused(
    commits: GitCommits, mirror: tuple[Site, list[str]], name: str, why: str
) -> None:
    with pytest.raises(BadFileError, match=f"has no commit '{name}'") as caught:
        commits.resolve([named(name)], mirror[0])
    assert why in caught.value.why
    assert caught.value.evidence == "The entry pins tt-metal to it."


@pytest.mark.parametrize("site", [OFFLINE, DEAD], ids=["set to be offline", "no server answers"])
def test_offline_every_commit_that_is_missing_is_named(commits: GitCommits, site: Site) -> None:
    wanted = [named("ae65ee5"), named("3499ffa", "vllm"), named("f52987a", "vllm")]
    with pytest.raises(OfflineError) as caught:
        commits.resolve(wanted, site)
    assert caught.value.message == (
        "The full commits of tt-metal ae65ee5, vllm f52987a are not known here."
    )
    assert caught.value.next_step.startswith("ttctl config site")
    assert ("git_mirror" in caught.value.next_step) == (not site.is_offline)


def test_a_server_that_sends_too_much_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Programs(tmp_path, monkeypatch).add("git", ENDLESS)
    little = GitCommits(FACTS, [PUBLIC], tmp_path / "cache", fetch_bytes=500)
    with pytest.raises(OfflineError) as caught:
        little.resolve([named("1234567")], Site())
    assert caught.value.evidence.startswith("The history of https://public.example.com/")
    assert "is too large" in caught.value.evidence


def test_a_repository_that_is_not_there_is_told_so(
    commits: GitCommits, mirror: tuple[Site, list[str]]
) -> None:
    gone = f"{PUBLIC}tenstorrent/gone.git"
    with pytest.raises(BadFileError, match="There is no repository"):
        commits.resolve([replace(named("1234567"), repository=gone)], mirror[0])
