# SPDX-License-Identifier: Apache-2.0
"""Does every verb answer every form of snapshot that was seen somewhere?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.machines import printed
from tests.standins.snapshot_forms import FORMS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Typed


def data(typed: Typed, tmp_path: Path, form: str, verb: str) -> Any:  # noqa: ANN401
    file = tmp_path / "case.json"
    file.write_text(printed(FORMS[form][1]()))
    _, out, _ = typed(f"--json {verb} --tt-smi-snapshot {file}")
    return json.loads(out)["data"]


@pytest.mark.parametrize("form", list(FORMS))
def test_the_device_of_each_form_is_known_by_every_verb(
    typed: Typed, tmp_path: Path, form: str
) -> None:
    device, made = FORMS[form]
    for verb in ("ls", "info", "check"):
        assert data(typed, tmp_path, form, f"devices {verb}")["device"] == device
    (tmp_path / "twice.json").write_text(printed(made()) * 2)
    code, _, err = typed(f"plan llama --tt-smi-snapshot {tmp_path / 'twice.json'}")
    assert "Traceback" not in err
    assert code in {0, 3, 7, 8, 75}


@pytest.mark.parametrize("form", [one for one in FORMS if "galaxy" in FORMS[one][0]])
def test_a_galaxy_has_its_chips_on_boards_whose_nodes_have_names(
    typed: Typed, tmp_path: Path, form: str
) -> None:
    boards = data(typed, tmp_path, form, "devices ls")["boards"]
    assert sum(board["chips"] for board in boards) == 32
    assert all(node.startswith("/dev/tenstorrent/") for one in boards for node in one["nodes"])


@pytest.mark.parametrize("form", ["t3k with a chip that hangs", "t3k with a board_info of null"])
def test_a_board_of_which_only_the_remote_chip_answers_is_an_error(
    typed: Typed, tmp_path: Path, form: str
) -> None:
    boards = data(typed, tmp_path, form, "devices ls")["boards"]
    assert [board["verdict"] for board in boards] == ["healthy"] * 3 + ["error"]
    assert not data(typed, tmp_path, form, "devices check")["passed"]


def test_a_process_is_told_by_its_nodes_number_or_path(typed: Typed, tmp_path: Path) -> None:
    for form in ("held, by number", "held, by path"):
        [board] = data(typed, tmp_path, form, "devices ls")["boards"]
        assert board["holders"] == ["pid 11 (VLLM::EngineCore)"]


def test_a_bundle_is_read_from_either_register(typed: Typed, tmp_path: Path) -> None:
    [board] = data(typed, tmp_path, "p150 by a register", "devices ls")["boards"]
    assert board["firmware"] == "19.15.0.0"


def test_a_bundle_of_the_old_numbers_is_not_newer_than_what_was_validated(
    typed: Typed, tmp_path: Path
) -> None:
    checks = data(typed, tmp_path, "e150 of 2024", "devices check")["checks"]
    [golden] = [one for one in checks if one["name"] == "firmware: golden"]
    assert (golden["verdict"], "newer" in golden["summary"]) == ("warning", False)


def test_what_a_carrier_is_is_said(typed: Typed, tmp_path: Path) -> None:
    found = data(typed, tmp_path, "carriers alone", "devices ls")
    assert "carriers of a four-unit Galaxy" in found["reason"]
    assert "., by" not in found["reason"]
