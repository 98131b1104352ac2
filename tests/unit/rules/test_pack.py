# SPDX-License-Identifier: Apache-2.0
"""Are several models placed so that no board is given twice, or is it said what is in the way?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.validated import TRANSLATED, board, entry, machine, t3k

from ttctl.model.device import Formed, System
from ttctl.model.pins import Advice, Gated, Requirement
from ttctl.rules.fit_pages import Pages
from ttctl.rules.fitness import Ground, findings
from ttctl.rules.pack import Candidate, pack
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from ttctl.model.match import Packing

SMALL = Candidate(
    word="small",
    specs=(entry("acme/Small-8B", "n300", memory_mib=20_000), entry("acme/Small-8B", "t3k")),
)
LARGE = Candidate(word="large", specs=(entry("acme/Large-70B", "t3k"),))
ON_CPU = Candidate(word="tiny", specs=(replace(entry("acme/Tiny", "cpu"), pins=None),))


def packed(
    wanted: tuple[Candidate, ...] | list[Candidate],
    system: System,
    *,
    advice: Advice | None = None,
    **more: object,
) -> Packing:
    """Place models on a machine that has everything else."""
    plain = Ground(system=system, disk_mib=1 << 20, pages=TRANSLATED)
    ground = replace(plain, **more)  # type: ignore[arg-type]
    judge = partial(findings, ground=ground, advice=advice or Advice(), satisfies=satisfies)
    return pack(wanted, ground, lambda spec, boards: judge(spec, boards=boards))


def test_a_t3k_holds_four_n300_stacks_and_says_what_is_not_known() -> None:
    found = packed((SMALL,) * 4, t3k())
    assert found.fits
    assert [one.boards for one in found.placed] == [("0",), ("1",), ("2",), ("3",)]
    assert {one.device for one in found.placed} == {"n300"}
    assert (found.memory_mib, found.left) == (80_000, ())
    assert "one mesh" in found.unknown[0]


def test_what_is_left_is_said() -> None:
    assert packed((SMALL,), t3k()).left == ("1", "2", "3")


@pytest.mark.parametrize(
    ("wanted", "system", "obstacle"),
    [
        pytest.param((SMALL,) * 5, t3k(), "free boards: 4 x n300", id="too many"),
        pytest.param((LARGE, SMALL), t3k(), "large needs 4 x n300 (t3k)", id="one takes all"),
        pytest.param((LARGE,), t3k(free="held", holders=("pid 7",)), "in use by pid 7", id="held"),
        pytest.param((LARGE,), t3k(verdict="error", reasons=("hot",)), "healthy: hot", id="ill"),
        pytest.param(
            (SMALL,) * 4,
            replace(t3k(), memory_bytes=64 << 30),
            "together they need 80000 MiB of memory, 65536 are here",
            id="memory",
        ),
    ],
)
def test_what_is_in_the_way_is_said(
    wanted: tuple[Candidate, ...], system: System, obstacle: str
) -> None:
    found = packed(wanted, system)
    assert not found.fits
    assert obstacle in "\n".join(found.obstacles)


def test_the_processor_takes_what_is_made_for_it_beside_the_cards() -> None:
    found = packed((LARGE, ON_CPU), t3k())
    assert [(one.device, len(one.boards)) for one in found.placed] == [("t3k", 4), ("cpu", 0)]


def test_a_small_model_gives_way_to_one_that_needs_more() -> None:
    boards = tuple(board(str(number), "p150") for number in range(5))
    four = Formed(device="p150x4", boards=("0", "1", "2", "3"), reason="4 x p150")
    single = [Formed(device="p150", boards=(one.id,), reason="1 x p150") for one in boards]
    system = machine("p150x4", four, *single, boards=boards)
    one = Candidate(word="one", specs=(entry("acme/One", "p150"),))
    many = Candidate(word="many", specs=(entry("acme/Many", "p150x4"),))
    found = packed((one, many), system)
    assert [placed.boards for placed in found.placed] == [("4",), ("0", "1", "2", "3")]


@given(st.lists(st.sampled_from([SMALL, LARGE, ON_CPU]), max_size=6))
def test_no_board_is_given_twice(wanted: list[Candidate]) -> None:
    found = packed(wanted, t3k())
    given_away = [name for one in found.placed for name in one.boards]
    assert len(given_away) == len(set(given_away))
    assert found.fits == (len(found.placed) == len(wanted))
    assert found == packed(wanted, t3k())


NEEDY = Candidate(
    word="needy",
    specs=(
        replace(
            SMALL.specs[0],
            requirements=(Requirement(what="firmware", specifier=">=19.2.0", strict=True),),
        ),
    ),
)


def test_a_demand_that_is_not_met_is_in_the_way_of_several_as_of_one() -> None:
    old = tuple(board(str(number), "n300", firmware="18.0.0.0") for number in range(4))
    found = packed((NEEDY, NEEDY), replace(t3k(), boards=old))
    assert not found.fits
    assert len(found.placed) == 2
    assert [one for one in found.obstacles if "firmware >=19.2.0; here: 18.0.0.0" in one]


def test_the_processor_is_no_way_out_of_old_firmware() -> None:
    old = tuple(board(str(number), "n300", firmware="18.0.0.0") for number in range(4))
    either = Candidate(word="needy", specs=(*NEEDY.specs, *ON_CPU.specs))
    found = packed((either,), replace(t3k(), boards=old))
    assert (found.fits, [one.device for one in found.placed]) == (False, ["n300"])
    assert packed((either, LARGE), t3k()).placed[0].device == "cpu"


def test_a_model_gets_the_boards_that_satisfy_it() -> None:
    found = packed((SMALL, NEEDY), t3k(firmware="18.0.0.0"))
    assert found.fits
    assert [one.boards for one in found.placed] == [("0",), ("1",)]
    with_four = packed((NEEDY,) * 4, t3k(firmware="18.0.0.0"))
    assert not with_four.fits


def test_an_old_driver_is_in_the_way() -> None:
    wish = Requirement(what="driver", specifier=">=2.5", strict=True)
    wanted = Candidate(word="x", specs=(replace(SMALL.specs[0], requirements=(wish,)),))
    found = packed((wanted,), replace(t3k(), driver="2.0.0"))
    assert not found.fits
    assert "driver >=2.5; here: 2.0.0" in found.obstacles[0]


def test_disk_is_added_up_and_shared_weights_lie_there_once() -> None:
    other = Candidate(word="other", specs=(entry("acme/Other", "n300", disk_mib=9_500),))
    found = packed((SMALL, SMALL, other), t3k(), disk_mib=10_000)
    assert (found.disk_mib, found.free_disk_mib) == (10_500, 10_000)
    assert found.obstacles == ("together they need 10500 MiB of disk, 10000 are free",)
    assert packed((SMALL, SMALL), t3k(), disk_mib=1_500).fits


@pytest.mark.parametrize(
    ("hugepages", "mounted", "fits", "warns"),
    [(8, True, True, False), (7, True, True, True), (8, False, False, False)],
)
def test_hugepages_are_counted_for_all_boards_that_are_used(
    hugepages: int, *, mounted: bool, fits: bool, warns: bool
) -> None:
    found = packed((SMALL, SMALL), t3k(), pages=Pages(total=hugepages, mounted=mounted))
    assert found.fits is fits
    assert any("8 hugepages" in one for one in found.warnings) is warns


def test_gated_weights_are_named() -> None:
    gate = Gated(model="acme/*", reason="a licence", source="a test", date="2026-01-31")
    found = packed((SMALL, SMALL), t3k(), advice=Advice(gated=(gate,)))
    assert found.fits
    assert found.warnings == ("acme/Small-8B on n300: acme/Small-8B is gated: a licence",)


def test_the_device_that_is_asked_for_comes_before_fewer_chips() -> None:
    assert [one.device for one in packed((replace(SMALL, asked="t3k"),), t3k()).placed] == ["t3k"]
    held = t3k(free="held")
    assert [one.device for one in packed((replace(SMALL, asked="t3k"),), held).placed] == ["n300"]


def test_what_is_to_be_minded_of_an_entry_is_a_warning() -> None:
    minds = (("n300", ("upstream's status is EXPERIMENTAL",)), ("t3k", ("not taken",)))
    found = packed((replace(SMALL, minds=minds),) * 2, t3k())
    assert found.warnings == ("acme/Small-8B on n300: upstream's status is EXPERIMENTAL",)


def test_an_entry_that_says_no_disk_takes_that_of_its_weights() -> None:
    [plain] = ON_CPU.specs
    weights = replace(plain.weights, size_bytes=(700 << 20) + 1)
    tiny = replace(ON_CPU, specs=(replace(plain, disk_mib=0, weights=weights),))
    assert packed((tiny,), t3k()).disk_mib == 701
    bundled = replace(weights, kind="bundled")
    shipped = replace(ON_CPU, specs=(replace(plain, disk_mib=0, weights=bundled),))
    assert packed((shipped,), t3k()).disk_mib == 0
