# SPDX-License-Identifier: Apache-2.0
"""Are the extremes derived from what the project says, and is a Python that is missing told?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.environments import bounds, higher, interpreters, project, supported
from tools.versions import main, pairs

THIS = "{}.{}".format(*sys.version_info)


def test_the_lowest_version_is_the_lower_bound() -> None:
    found = bounds(["click>=8.4.2,<9", "tomli-w>=1.2,<2", "huggingface_hub>=2,<3"])
    assert found == {"click": "8.4.2", "tomli-w": "1.2", "huggingface_hub": "2"}


@pytest.mark.parametrize("dependency", ["click", "click>=8", "click<9", "click==8.1", "click~=8"])
def test_a_dependency_without_both_ends_is_refused_by_name(dependency: str) -> None:
    with pytest.raises(SystemExit, match=dependency):
        bounds([dependency])


def test_the_pythons_are_those_of_the_classifiers_in_their_order() -> None:
    line = "Programming Language :: Python :: "
    assert supported([f"{line}3.9", f"{line}3.13", f"{line}3", "Other"]) == ("3.9", "3.13")


@pytest.mark.parametrize(
    ("low", "installed", "said"),
    [
        pytest.param("2", "2.0.0", "", id="trailing zeros"),
        pytest.param("7.1", "7.1.0", "", id="one zero"),
        pytest.param("7.1", "7.1.2", "not the lowest: docker", id="higher"),
        pytest.param("10", "1.0", "not the lowest: docker", id="no number of the same digits"),
    ],
)
def test_a_bound_that_nothing_can_have_is_told(low: str, installed: str, said: str) -> None:
    assert higher({"docker": installed}, {"docker": low}) == said


def test_this_python_is_found_first_and_one_that_nobody_has_is_not() -> None:
    assert interpreters(["3.99", THIS]) == {THIS: sys.executable}


def test_a_python_that_only_pyenv_keeps_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 3.99\n")
    program.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreters(["3.99"]) == {"3.99": str(program)}


def test_a_shim_that_answers_for_nothing_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 'no such version is switched on' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    assert interpreters(["3.99"]) == {}


def test_both_ends_are_tried_on_each_python_or_the_lowest_on_the_oldest() -> None:
    every = pairs(("3.11", "3.12", "3.13"), oldest=False)
    assert len(every) == len(set(every)) == 6
    assert pairs(("3.11", "3.12", "3.13"), oldest=True) == (("3.11", "lowest"),)
    assert pairs(("3.11",), oldest=True) == (("3.11", "lowest"),)
    assert pairs((), oldest=True) == ()


def test_the_newest_python_is_told_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    known = supported(project()["classifiers"])
    newest = [one for one in known if one in interpreters(known)][-1]
    main(["--newest-python"])
    assert Path(capsys.readouterr().out.strip()).is_file()
    main(["--newest-python", "--python", THIS])
    assert capsys.readouterr().out.strip() == sys.executable
    assert newest >= THIS
