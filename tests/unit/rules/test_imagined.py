# SPDX-License-Identifier: Apache-2.0
"""Has a machine that is not here the boards that its device is made up of?"""

from __future__ import annotations

import pytest
from tests.unit.rules.validated import t3k

from ttctl.rules.device_sizes import SIZES
from ttctl.rules.imagined import imagined, is_imagined

ONE_HOST = sorted(name for name, size in SIZES.items() if size.hosts == 1)


@pytest.mark.parametrize("device", ONE_HOST)
def test_its_boards_have_the_devices_chips_and_make_it_up(device: str) -> None:
    found = imagined(device)
    assert len(found.boards) == SIZES[device].boards
    assert sum(board.chips for board in found.boards) == SIZES[device].chips
    assert device in {one.device for one in found.forms}
    ids = {board.id for board in found.boards}
    assert all(ids.issuperset(one.boards) for one in found.forms)


def test_the_largest_form_is_first_and_parts_share_no_board() -> None:
    forms = imagined("p150x8").forms
    assert [one.device for one in forms] == ["p150x8", "p150x4", "p150x4", *["p150"] * 8]
    assert not set(forms[1].boards) & set(forms[2].boards)


@pytest.mark.parametrize(
    ("device", "so"),
    [("t3k", False), ("n300", False), ("n150", True), ("cpu", False), ("gpu", False),
     ("dual_galaxy", False), (None, False)],
)  # fmt: skip
def test_only_a_device_of_cards_on_one_host_that_is_not_here_is_imagined(
    device: str | None,
    so: bool,  # noqa: FBT001
) -> None:
    assert is_imagined(device, t3k()) is so
