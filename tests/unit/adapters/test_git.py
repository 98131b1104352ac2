# SPDX-License-Identifier: Apache-2.0
"""Is a name made a commit through the site's mirror, and is a failure told as what it is?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.git_server import git, git_server, publish
from tests.unit.adapters.programs import Programs

from ttctl.adapters.git import head, why_not_git
from ttctl.errors import BadFileError, OfflineError, PrivilegeError, ToolMissingError
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from pathlib import Path

PUBLIC = "https://public.example.com/"
REPOSITORY = f"{PUBLIC}tenstorrent/one.git"


def at(value: str) -> Sourced:
    return Sourced(value=value, source="test")


def mirror(port: int, *, login: str = "", path: str = "") -> Site:
    return Site(git_mirror=(at(f"http://{login}127.0.0.1:{port}/{path}"),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Publish one repository."""
    publish(tmp_path / "tenstorrent", "one")
    return tmp_path


def commit_of(folder: Path) -> str:
    return git("rev-parse", "HEAD", at=folder / "tenstorrent/one.git")


@pytest.mark.parametrize("ref", ["main", "v1.0", "HEAD", "refs/heads/main", "refs/tags/v1.0"])
def test_a_name_means_a_commit_and_a_tag_what_it_points_to(folder: Path, ref: str) -> None:
    with git_server(folder) as (port, asked):
        assert head(REPOSITORY, ref, mirror(port), hosts=[PUBLIC]) == commit_of(folder)
    assert any(one.startswith("GET /tenstorrent/one.git/info/refs") for one in asked)


def test_a_pair_replaces_its_own_address_and_no_other(folder: Path) -> None:
    with git_server(folder) as (port, _):
        one = Site(git_mirror=(at(f"{PUBLIC}tenstorrent/=http://127.0.0.1:{port}/tenstorrent/"),))
        assert head(REPOSITORY, "main", one) == commit_of(folder)
        nowhere = replace(
            one, http_proxy=at("http://127.0.0.1:9"), https_proxy=at("http://127.0.0.1:9")
        )
        with pytest.raises(OfflineError, match="does not answer"):
            head("https://other.example.com/tenstorrent/one.git", "main", nowhere)


def test_without_the_mirror_the_made_up_host_is_not_found() -> None:
    site = Site(https_proxy=at("http://127.0.0.1:9"))
    error = why_not_git(REPOSITORY, site, hosts=[PUBLIC])
    assert isinstance(error, OfflineError)
    assert REPOSITORY in error.message


def test_a_login_of_the_mirror_is_sent_and_a_wrong_one_said_and_none_is_shown(
    folder: Path,
) -> None:
    with git_server(folder, login="me:p@ss/w") as (port, _):
        right = mirror(port, login="me:p%40ss%2Fw@")
        assert head(REPOSITORY, "main", right, hosts=[PUBLIC]) == commit_of(folder)
        for login in ("me:canary@", ""):
            wrong = mirror(port, login=login)
            with pytest.raises(PrivilegeError, match="does not let this user read") as refused:
                head(REPOSITORY, "main", wrong, hosts=[PUBLIC])
            assert "401" in refused.value.evidence
            assert "canary" not in repr((vars(refused.value), str(refused.value)))


def test_no_child_gets_the_login_as_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Programs(tmp_path, monkeypatch)
    seen = tmp_path / "settings"
    programs.add(
        "git",
        "import os, shutil; "
        f"shutil.copy(os.environ['HOME'] + '/.gitconfig', {str(seen)!r}); "
        f"open({str(tmp_path / 'environ')!r}, 'w').write(repr(dict(os.environ))); "
        f"print('{'a' * 40}\\tHEAD')",
    )
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_ASKPASS", "/bin/canary")
    monkeypatch.setenv("HF_TOKEN", "canary")
    site = Site(git_mirror=(at("https://me:canary@mirror.example.org/"),))
    assert head(REPOSITORY, "HEAD", site, hosts=[PUBLIC]) == "a" * 40
    assert programs.calls[0][-4:] == ["--", REPOSITORY, "HEAD", "HEAD^{}"]
    assert "canary" not in repr(programs.calls)
    assert "canary" not in (tmp_path / "environ").read_text()
    assert 'insteadOf = "https://public.example.com/"' in seen.read_text()


def test_this_users_own_settings_take_no_part(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.write_text('[url "http://127.0.0.1:9/"]\n\tinsteadOf = http://127.0.0.1\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(mine))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    git("init", "--quiet", at=tmp_path)
    git("config", "url.http://127.0.0.1:9/.insteadOf", "http://127.0.0.1", at=tmp_path)
    monkeypatch.chdir(tmp_path)
    with git_server(folder) as (port, _):
        assert head(REPOSITORY, "main", mirror(port), hosts=[PUBLIC]) == commit_of(folder)


@pytest.mark.parametrize(
    ("url", "ref", "said"),
    [
        pytest.param(
            f"{PUBLIC}tenstorrent/none.git", "main", "There is no repository", id="repository"
        ),
        pytest.param(REPOSITORY, "none", "has no 'none'", id="name"),
        pytest.param(REPOSITORY, "--upload-pack=x", "cannot be asked", id="an option"),
        pytest.param("ext::sh -c true", "main", "cannot be asked", id="a program"),
        pytest.param(
            "https://me:canary@public.example.com/x", "main", "cannot be asked", id="login"
        ),
    ],
)
def test_what_is_not_there_or_cannot_be_asked_is_refused(
    folder: Path, url: str, ref: str, said: str
) -> None:
    with git_server(folder) as (port, _), pytest.raises(BadFileError, match=said) as refused:
        head(url, ref, mirror(port), hosts=[PUBLIC])
    assert "canary" not in repr((vars(refused.value), str(refused.value)))


def test_an_offline_place_starts_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(tmp_path, monkeypatch)
    programs.add("git")
    site = Site(offline=Sourced(value="1", source="TTCTL_OFFLINE"))
    with pytest.raises(OfflineError, match="may not be asked") as refused:
        head(REPOSITORY, "main", site)
    assert "TTCTL_OFFLINE" in refused.value.evidence
    assert programs.calls == []


def test_a_server_that_is_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Programs(tmp_path, monkeypatch).add("git", "import time; time.sleep(30)")
    with pytest.raises(OfflineError, match="does not answer") as refused:
        head(REPOSITORY, "main", Site(), answer_s=0.3)
    assert "0.3 s" in refused.value.evidence


def test_a_machine_without_git_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Programs(tmp_path, monkeypatch)
    error = why_not_git(REPOSITORY, Site())
    assert isinstance(error, ToolMissingError)
    assert error.next_step == "sudo apt-get install git"


@pytest.mark.parametrize(
    "value", ["git@mirror.example.org:", "mirror.example.org", "https://", "file:///srv/git"]
)
def test_a_mirror_that_git_cannot_ask_by_http_is_refused_with_its_source(value: str) -> None:
    site = Site(git_mirror=(Sourced(value=value, source="TTCTL_GIT_MIRROR"),))
    with pytest.raises(BadFileError, match="'git_mirror' holds something") as refused:
        head(REPOSITORY, "main", site, hosts=[PUBLIC])
    assert "TTCTL_GIT_MIRROR" in refused.value.evidence
