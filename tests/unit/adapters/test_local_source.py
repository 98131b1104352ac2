# SPDX-License-Identifier: Apache-2.0
"""Does a build take of a checkout exactly what git sees of it?"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.standins.git_server import checkout_in

from ttctl.adapters.local_source import check_tree, local_source, sources_of, stage_source
from ttctl.errors import UsageError


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return checkout_in(tmp_path)


def staged(checkout: Path, target: Path) -> set[str]:
    stage_source(local_source("vllm", checkout), target)
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}


def test_tracked_and_new_files_are_taken_and_what_git_ignores_is_not(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "build").mkdir()
    (checkout / "build/made.o").write_text("x")
    (checkout / "new name.py").write_text("new\n")
    target = tmp_path / "tree"
    assert staged(checkout, target) == {
        ".gitignore", "setup.py", "sub/run", "sub/link", "new name.py",
    }  # fmt: skip
    assert (target / "sub/run").stat().st_mode & 0o111
    assert (target / "sub/link").readlink().as_posix() == "run"


def test_a_file_that_was_removed_is_not_missed(checkout: Path, tmp_path: Path) -> None:
    (checkout / "setup.py").unlink()
    assert "setup.py" not in staged(checkout, tmp_path / "tree")


def test_equal_checkouts_have_equal_names_and_every_change_makes_another(checkout: Path) -> None:
    first = local_source("vllm", checkout)
    assert local_source("vllm", checkout) == first
    assert first.commit == f"local-{first.digest}"
    seen = {first.digest}
    (checkout / "setup.py").write_text("two\n")
    seen.add(local_source("vllm", checkout).digest)
    (checkout / "setup.py").chmod(0o755)
    seen.add(local_source("vllm", checkout).digest)
    (checkout / "sub/link").unlink()
    (checkout / "sub/link").symlink_to("elsewhere")
    seen.add(local_source("vllm", checkout).digest)
    (checkout / "more").write_text("")
    seen.add(local_source("vllm", checkout).digest)
    assert len(seen) == 5


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no checkout that git can read") as caught:
        local_source("vllm", tmp_path)
    assert caught.value.next_step == f"git -C {tmp_path} status"


def test_a_path_that_no_lock_could_hold_is_refused(checkout: Path) -> None:
    odd = checkout.rename(checkout.with_name("a\nb"))
    with pytest.raises(UsageError, match="cannot stand in a lock"):
        local_source("vllm", odd)


def test_a_flag_names_the_checkout_of_a_component(checkout: Path) -> None:
    assert sources_of([f"vllm={checkout}"]) == (local_source("vllm", checkout),)
    assert sources_of([]) == ()


@pytest.mark.parametrize("given", [["vllm"], ["vllm="], ["sfpi=/src"], ["=/src"]])
def test_a_flag_that_names_no_checkout_is_refused(given: list[str]) -> None:
    with pytest.raises(UsageError, match="names no checkout") as caught:
        sources_of(given)
    assert "tt-metal, vllm" in caught.value.evidence


def test_a_component_is_named_once(checkout: Path) -> None:
    with pytest.raises(UsageError, match="names no checkout"):
        sources_of([f"vllm={checkout}", f"vllm={checkout}"])


def test_a_checkout_of_something_else_is_told_by_the_script_of_its_build(checkout: Path) -> None:
    source, script = local_source("vllm", checkout), Path("images/source/check-tree").read_text()
    with pytest.raises(UsageError, match="is not a tree that 'vllm-fork' builds") as caught:
        check_tree(source, "vllm-fork", script)
    assert caught.value.message.startswith(f"--source vllm={checkout} ")
    assert caught.value.why == "It has no requirements/tt.txt."
    assert "--source vllm=PATH" in caught.value.next_step
    (checkout / "requirements").mkdir()
    (checkout / "requirements/tt.txt").write_text("")
    check_tree(source, "vllm-fork", script)
