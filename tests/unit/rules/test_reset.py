# SPDX-License-Identifier: Apache-2.0
"""Does a reset say everything that it takes down, and end nobody's work?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.rules.leasing import NOTHING, machine, node, process, seen, stack

from ttctl.errors import LockedError, NoDeviceError, PrivilegeError, TtctlError, UsageError
from ttctl.model.lease import Claims, Remembered, Spoiled
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import leased
from ttctl.rules.reset import boards_meant, check_reset, reset_plan, reset_words, stale_hugepages

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import System
    from ttctl.model.reset import ResetPlan


def planned(
    system: System,
    claims: Claims | None = None,
    *words: str,
    every: bool = False,
    remembered: Remembered = NOTHING,
    virtual: str = "",
) -> ResetPlan:
    claims = claims or seen()
    leases = leased(system, claims, remembered)
    boards = boards_meant(system, words, leases, every=every)
    return reset_plan(boards, system, leases, claims, virtual=virtual)


def refused(plan: ResetPlan) -> TtctlError:
    with pytest.raises(TtctlError) as caught:
        check_reset(plan)
    return caught.value


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_one_board_takes_down_all_that_it_makes_a_device_up_with(
    tmp_path: Path, device: str
) -> None:
    kind = machines.KINDS[device]
    system = machine(tmp_path, device)
    plan = planned(system, None, "0")
    assert plan.asked == (system.boards[0].id,)
    assert len(plan.boards) == kind.boards
    assert len(plan.nodes) == kind.boards * kind.local
    assert set(plan.names) == {name for one in domains_of(system) for name in one.names}
    assert plan.galaxy == (device in {"galaxy", "blackhole_galaxy"})
    if kind.boards > 1 and not kind.galaxy:
        assert plan.reasons == (
            f"{kind.boards} boards make up a {device}: they are reset together.",
        )
    check_reset(plan)


def test_boards_that_make_up_no_device_are_reset_alone_and_it_is_said(tmp_path: Path) -> None:
    plan = planned(machine(tmp_path, "n150x4", skip=(2, 3)), None, "1")
    assert plan.nodes == (node(1),)
    assert "is not known" in plan.reasons[0]


def test_a_board_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    plan = planned(machine(tmp_path, "p150x4", first=1), None, "0")
    assert plan.nodes == (node(0),)
    assert plan.reasons == ()


def test_a_live_stack_on_a_linked_board_is_named_and_nothing_is_reset(tmp_path: Path) -> None:
    system = machine(tmp_path, "t3k")
    keys = [one.key for one in domains_of(system)]
    claims = seen(
        stack("chat", keys[3]), stack("old", keys[0], phase="exited"), stack("else", "ff")
    )
    plan = planned(system, claims, "0")
    assert plan.stacks == ("chat", "old")
    error = refused(plan)
    assert isinstance(error, LockedError)
    assert "held by stack chat (container ttctl-chat-vllm-1)" in error.evidence
    assert error.next_step == "ttctl down chat"


def test_a_process_is_in_the_way_too_and_what_cannot_be_seen_needs_rights(tmp_path: Path) -> None:
    system = machine(tmp_path, "t3k")
    assert refused(planned(system, seen(process(9, 2)), "0")).next_step == (
        "ps -o pid,user,etime,args -p 9"
    )
    error = refused(planned(system, seen(blind=(node(2),)), "0"))
    assert isinstance(error, PrivilegeError)
    assert "processes of other users" in error.evidence


def test_a_stack_on_a_board_that_is_not_linked_is_not_in_the_way(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    system = machine(tmp_path, "p150x4", first=1)
    plan = planned(system, seen(stack("chat", domains_of(system)[1].key)), "0")
    assert (plan.blocked, plan.stacks) == ((), ())
    check_reset(plan)


def test_without_words_those_that_need_it_are_meant(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4", skip=(2, 3))
    key = domains_of(system)[1].key
    kept = Remembered(spoiled=(Spoiled(board=key, reason="was killed", at="2026"),))
    plan = planned(system, remembered=kept)
    assert plan.asked == (system.boards[1].id,)
    assert plan.dirty == ((system.boards[1].id, "was killed"),)
    with pytest.raises(UsageError, match="No board is known to need it"):
        planned(system)
    assert len(planned(system, every=True).boards) == 2
    with pytest.raises(UsageError, match="Either some boards or all"):
        planned(system, None, "0", every=True)


def test_a_machine_without_boards_has_none_to_reset(tmp_path: Path) -> None:
    system = replace(machine(tmp_path, "n150"), boards=())
    with pytest.raises(NoDeviceError, match="no board"):
        planned(system, every=True)


def test_a_board_without_a_node_cannot_be_reset(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    bare = replace(system, boards=(replace(system.boards[0], nodes=()),))
    assert isinstance(refused(planned(bare, None, "0")), NoDeviceError)


def test_virtual_machines_and_arm_are_warned_of(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    assert planned(system, None, "0").warnings == ()
    plan = planned(replace(system, machine="aarch64"), None, "0", virtual="its firmware is QEMU")
    assert [line.split(" (")[0] for line in plan.warnings] == [
        "This is a virtual machine",
        "The processor is an ARM",
    ]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("6.2.1", ("-r", "/dev/tenstorrent/2", "/dev/tenstorrent/10")),
        ("5.0.0", ("-r", "/dev/tenstorrent/2", "/dev/tenstorrent/10")),
        ("", ("-r", "/dev/tenstorrent/2", "/dev/tenstorrent/10")),
        ("4.2.0", ("-r", "2,10")),
        ("3.0.20", ("-r", "2,10")),
    ],
)
def test_boards_are_named_as_each_version_of_the_tool_understands_it(
    version: str, words: tuple[str, ...]
) -> None:
    assert reset_words((node(2), node(10)), galaxy=False, version=version) == words
    assert reset_words((node(2),), galaxy=True, version=version) == ("-glx_reset",)


def test_files_of_boards_that_nobody_has_are_stale(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    claims = seen(process(9, 1), blind=(node(3),))
    files = [
        "device_0_tenstorrent",
        "device_0_channel_1_tenstorrent",
        "device_1_tenstorrent",
        "device_2_channel_3_tenstorrent",
        "device_3_tenstorrent",
        "device_10_tenstorrent",
        "device_0_of_somebody",
        "../device_0_tenstorrent",
    ]
    assert stale_hugepages(files, leased(system, claims, NOTHING)) == (
        files[0],
        files[1],
        files[3],
    )
