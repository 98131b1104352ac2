# SPDX-License-Identifier: Apache-2.0
"""Is a device's firmware that of the boards that it would get?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.rules.validated import board, machine, t3k

from ttctl.model.device import Formed
from ttctl.rules.board_choice import bundles, firmware_for, ways


@pytest.mark.parametrize(
    ("device", "of_the_first", "firmware"),
    [
        pytest.param("t3k", {"firmware": "18.0.0.0"}, "18.0.0.0", id="a mesh has its oldest"),
        pytest.param("t3k", {"firmware": "80.17.0.0"}, "80.17.0.0", id="bundles 80 are oldest"),
        pytest.param("n300", {"firmware": "18.0.0.0"}, "19.13.1.0", id="the newer board"),
        pytest.param("n300", {"firmware": "80.17.0.0"}, "19.13.1.0", id="80 is not newer"),
        pytest.param(
            "n300", {"firmware": "20.0.0.0", "free": "held"}, "19.13.1.0", id="a held one is not"
        ),
        pytest.param("n300", {"firmware": ""}, "19.13.1.0", id="one that tells none"),
        pytest.param("p300", {}, "19.13.1.0", id="this machine's own where it is not here"),
    ],
)
def test_the_firmware_is_that_of_the_boards_that_a_device_would_get(
    device: str, of_the_first: dict[str, str], firmware: str
) -> None:
    assert firmware_for(device, t3k(**of_the_first)) == firmware


def test_another_card_of_the_machine_does_not_count() -> None:
    boards = (board("0", "n150", firmware="18.0.0.0"), board("1", "p300"))
    forms = [Formed(device=one.family, boards=(one.id,), reason="1 x") for one in boards]
    found = machine("", *forms, boards=boards)
    assert firmware_for("p300", found) == "19.13.1.0"
    assert firmware_for("n150", found) == "18.0.0.0"
    assert firmware_for("cpu", found) == ""


def test_every_group_of_boards_is_a_way_and_the_processor_has_none() -> None:
    assert len(ways("n300", t3k())) == 4
    assert ways("cpu", replace(t3k(), device="cpu", forms=())) == ()


def test_each_bundle_is_named_once_the_oldest_first() -> None:
    found = [board("0", "n300", firmware=one) for one in ("19.1, 18.2", "9.0", "80.1", "19.1")]
    assert bundles(found) == ("80.1", "9.0", "18.2", "19.1")
