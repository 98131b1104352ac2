# SPDX-License-Identifier: Apache-2.0
"""Is the checkout in a build's context the one that the image is named after?"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.standins.git_server import ALONE, checkout_in, git

from ttctl.adapters.local_source import local_source, stage_source

SCRIPT = Path("images/source/fetch-source")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return checkout_in(tmp_path, more={"an odd  name\n": "", "sub/\U00010000": "x"})


def fetched(context: Path, commit: str, target: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with the context's folder where a build binds it."""
    script = context.with_name("fetch-source")
    script.write_text(SCRIPT.read_text().replace("/source/tree", str(context)))
    return subprocess.run(
        ["bash", str(script), "https://git.example.org/x.git", commit, str(target)],
        env={**ALONE, "HOME": str(target.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_ttctl_lays_is_known_by_its_hash(checkout: Path, tmp_path: Path) -> None:
    found = local_source("vllm", checkout)
    stage_source(found, tmp_path / "tree")
    done = fetched(tmp_path / "tree", found.commit, tmp_path / "target")
    assert done.returncode == 0, done.stderr
    assert git("log", "--format=%s", at=tmp_path / "target") == found.commit
    assert (tmp_path / "target/sub/link").readlink().as_posix() == "run"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tree: (tree / "setup.py").write_text("two\n"), id="bytes"),
        pytest.param(lambda tree: (tree / "setup.py").chmod(0o755), id="mode"),
        pytest.param(lambda tree: (tree / "setup.py").unlink(), id="gone"),
        pytest.param(lambda tree: (tree / "more").write_text(""), id="more"),
    ],
)
def test_another_tree_is_refused_with_both_hashes(
    checkout: Path,
    tmp_path: Path,
    change: object,
) -> None:
    found, tree = local_source("vllm", checkout), tmp_path / "tree"
    stage_source(found, tree)
    assert callable(change)
    change(tree)
    done = fetched(tree, found.commit, tmp_path / "target")
    assert done.returncode == 1
    assert f"and this image is of {found.commit}" in done.stderr


def test_a_copy_and_a_worktree_are_taken_as_git_sees_them(checkout: Path, tmp_path: Path) -> None:
    found = local_source("vllm", checkout)
    worktree, copy = tmp_path / "worktree", tmp_path / "copy"
    git("worktree", "add", "--quiet", "--detach", str(worktree), at=checkout)
    (checkout / "build").mkdir()
    (checkout / "build/made.o").write_text("x")
    shutil.copytree(checkout, copy, symlinks=True)
    (worktree / ".git").write_text("gitdir: /not/here\n")
    for index, tree in enumerate((copy, worktree)):
        target = tmp_path / f"target{index}"
        done = fetched(tree, found.commit, target)
        assert done.returncode == 0, done.stderr
        assert not (target / "build").exists()
        assert (target / ".git/HEAD").exists()


def test_where_no_checkout_lies_the_folder_is_named(tmp_path: Path) -> None:
    done = fetched(tmp_path / "tree", f"local-{'a' * 64}", tmp_path / "target")
    assert (done.returncode, "no checkout lies" in done.stderr) == (1, True)
