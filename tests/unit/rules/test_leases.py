# SPDX-License-Identifier: Apache-2.0
"""Is everybody seen who has a board, and is no board free that somebody may have?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.rules.leasing import (
    ME,
    NOBODY,
    NOTHING,
    container,
    machine,
    node,
    process,
    seen,
    stack,
)

from ttctl.model.lease import ContainerUse, Spoiled
from ttctl.rules.board_pick import release
from ttctl.rules.boards import boards_of
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import leased, with_leases, without_stack
from ttctl.rules.spoiled import moment, with_cleared, with_new

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import System
    from ttctl.model.lease import Claims


def states(system: System, claims: Claims, **who: str) -> list[str]:
    return [one.state for one in leased(system, claims, NOTHING, **who)]


@pytest.mark.parametrize("engine", ["podman", "docker --host unix:///var/run/docker.sock"])
def test_what_another_engine_runs_of_the_same_stack_is_not_its_own(
    tmp_path: Path, engine: str
) -> None:
    system = machine(tmp_path, "n150")
    claims = seen(stack("llama", paths=(node(0),), engine=engine))
    [found] = leased(system, claims, NOTHING, stack="llama", owner=ME)
    assert found.state == "held"
    assert [str(one) for one in found.holders] == [f"container ttctl-llama-vllm-1 ({engine})"]
    assert release(found) == f"{engine} stop -t 120 ttctl-llama-vllm-1"


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_a_domain_is_a_board_with_all_its_chips(tmp_path: Path, device: str) -> None:
    kind = machines.KINDS[device]
    domains = domains_of(machine(tmp_path, device))
    assert len(domains) == kind.boards
    assert len({one.key for one in domains}) == kind.boards
    chips = [one for one in machines.chips_of(kind) if one.address]
    for at, domain in enumerate(domains):
        mine = [one for one in chips if one.board == at]
        assert domain.key == min(one.asic for one in mine)
        assert set(domain.names) == {name for one in mine for name in (one.asic, one.address)}
        assert len(domain.nodes) == kind.local


def test_old_firmware_leaves_the_pci_address_as_the_key(tmp_path: Path) -> None:
    domains = domains_of(machine(tmp_path, "t3k", year=2024))
    assert [one.key for one in domains] == [f"0000:0{at}:00.0" for at in range(1, 5)]
    assert not any(one.numbered for one in domains)


def test_a_number_that_two_boards_carry_names_neither(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    same = tuple(replace(board, asic_ids=("0ABC",)) for board in system.boards)
    domains = domains_of(replace(system, boards=same))
    assert [one.key for one in domains] == [f"0000:0{at}:00.0" for at in range(1, 5)]


def test_a_galaxy_whose_trays_cannot_be_told_apart_is_one_domain(tmp_path: Path) -> None:
    system = machine(tmp_path, "galaxy")
    chips = [
        replace(chip, pci_address=f"0000:{0x20 + at:02x}:00.0")
        for at, chip in enumerate(system.chips)
    ]
    [domain] = domains_of(replace(system, boards=boards_of(chips)))
    assert len(domain.nodes) == 32
    assert domain.nodes[9:11] == ("/dev/tenstorrent/9", "/dev/tenstorrent/10")


@pytest.mark.parametrize(
    "phase",
    ["created", "running", "paused", "restarting", "removing", "stopping", "a later engine's"],
)
def test_a_container_holds_its_node_from_when_it_is_made(tmp_path: Path, phase: str) -> None:
    system = machine(tmp_path, "n150x4")
    claims = seen(container(phase=phase, paths=(node(1),)))
    assert states(system, claims) == ["free", "held", "free", "free"]


@pytest.mark.parametrize("phase", ["exited", "dead"])
def test_a_container_that_has_ended_holds_nothing(tmp_path: Path, phase: str) -> None:
    system = machine(tmp_path, "n150x4")
    claims = seen(container(phase=phase, paths=(node(1),), privileged=True))
    assert states(system, claims) == ["free"] * 4


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        pytest.param(container(privileged=True), "which is privileged", id="privileged"),
        pytest.param(
            container(paths=("/dev/tenstorrent",)), "which maps /dev/tenstorrent", id="folder"
        ),
        pytest.param(container(paths=("/dev",)), "which maps /dev", id="all devices"),
        pytest.param(container(rules=("a *:* rwm",)), "which may open every node", id="any device"),
        pytest.param(container(rules=("c *:* rwm",)), "which may open every node", id="any char"),
        pytest.param(
            container(rules=("c 235:* rwm",)), "which may open every node", id="the driver's"
        ),
        pytest.param(
            container(requests=("cdi tenstorrent.com/n150=0",)),
            "which may open every node",
            id="asked of the engine",
        ),
    ],
)
def test_a_container_that_may_open_every_node_holds_every_board(
    tmp_path: Path, claim: ContainerUse, said: str
) -> None:
    system = machine(tmp_path, "n150x4")
    numbers = tuple((node(at), 235, at) for at in range(4))
    claims = seen(claim, numbers=numbers)
    assert states(system, claims) == ["held"] * 4
    [holder] = leased(system, claims, NOTHING)[0].holders
    assert str(holder) == f"container box, {said}"


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(container(), id="nothing"),
        pytest.param(container(paths=("/dev/tenstorrent2", "/", "/srv/dev")), id="other paths"),
        pytest.param(container(rules=("b *:* rwm", "c 10:200 rwm", "nonsense")), id="other rules"),
        pytest.param(container(requests=("nvidia gpu", " gpu")), id="another maker's cards"),
    ],
)
def test_a_container_with_other_devices_holds_no_board(tmp_path: Path, claim: ContainerUse) -> None:
    numbers = tuple((node(at), 235, at) for at in range(4))
    assert states(machine(tmp_path, "n150x4"), seen(claim, numbers=numbers)) == ["free"] * 4


def test_a_rule_for_one_minor_number_holds_that_board_alone(tmp_path: Path) -> None:
    claims = seen(
        container(rules=("c 235:2 rw",)), numbers=tuple((node(at), 235, at) for at in range(4))
    )
    assert states(machine(tmp_path, "n150x4"), claims) == ["free", "free", "held", "free"]


def test_one_chip_of_a_dual_board_holds_both(tmp_path: Path) -> None:
    claims = seen(container(paths=(node(1),)))
    assert states(machine(tmp_path, "p300x2"), claims) == ["held", "free"]


def test_a_label_holds_its_board_by_any_of_its_names_whatever_its_node_is_now(
    tmp_path: Path,
) -> None:
    system = machine(tmp_path, "p300x2")
    for name in domains_of(system)[1].names:
        assert states(system, seen(stack("llama", name.upper()))) == ["free", "held"]


def test_a_label_with_a_number_that_no_driver_tells_leaves_boards_unknown(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4", year=2024)
    assert states(system, seen(stack("llama", "00000000000000aa"))) == ["unknown"] * 4


def test_processes_are_named_once_and_their_container_in_their_place(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    claims = seen(
        stack("llama", paths=(node(0),)),
        process(12, 0, container_id="c" * 64),
        process(13, 1),
        process(14, 2, container_id="e" * 64),
    )
    found = leased(system, claims, NOTHING)
    assert [[str(holder) for holder in one.holders] for one in found] == [
        ["stack llama (container ttctl-llama-vllm-1)"],
        ["pid 13 (python3)"],
        [f"pid 14 (python3) in container {'e' * 12}"],
        [],
    ]


def test_what_cannot_be_seen_is_unknown_and_never_free(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    claims = seen(process(13, 1), blind=(node(0), node(1)))
    found = leased(system, claims, NOTHING)
    assert [one.state for one in found] == ["unknown", "held", "free", "free"]
    assert found[0].why == "processes of other users cannot be looked into"
    assert states(system, seen(closed="no right to ask")) == ["unknown"] * 4


def test_what_a_stack_has_itself_is_its_own_and_another_users_is_not(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    key = domains_of(system)[0].key
    claims = seen(
        stack("llama", key, paths=(node(0),)),
        process(1, 0, container_id="c" * 64),
        process(2, 0, hidden=True),
    )
    assert states(system, claims, stack="llama", owner=ME)[0] == "own"
    assert states(system, claims, stack="other", owner=ME)[0] == "held"
    assert states(system, claims, stack="llama", owner="somebody")[0] == "held"
    [holder] = leased(system, claims, NOTHING, owner="somebody")[0].holders
    assert (
        str(holder) == "container ttctl-llama-vllm-1, which belongs to another user"
    )  # fmt: skip
    beside = seen(*claims.containers, process(3, 0))
    assert states(system, beside, stack="llama", owner=ME)[0] == "held"


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"exit_code": 137}, "was killed (exit code 137)"),
        ({"exit_code": 139}, "crashed (exit code 139)"),
        ({"exit_code": 1, "oom_killed": True}, "was killed for its memory"),
        ({"exit_code": 1, "fatal": "the device did not start"}, "ended with 1: the device did"),
        ({"exit_code": 0}, ""),
        ({"exit_code": 143}, ""),
        ({"exit_code": 0, "fatal": "a line of an earlier try"}, ""),
        ({"exit_code": 2}, ""),
    ],
)
def test_an_unclean_end_leaves_the_boards_dirty_and_a_clean_one_does_not(
    tmp_path: Path, ended: dict[str, object], said: str
) -> None:
    system = machine(tmp_path, "n150x4")
    key = domains_of(system)[2].key
    gone = stack("llama", key, phase="exited", finished_at="2026-01-31T10:00:00.5Z", **ended)
    found = leased(system, seen(gone), NOTHING)
    assert [bool(one.dirty) for one in found] == [False, False, bool(said), False]
    assert found[2].state == "free"
    if said:
        assert found[2].dirty.startswith(f"container ttctl-llama-vllm-1 {said}")
        board = with_leases(system, found).boards[2]
        assert (board.dirty, board.free) == (found[2].dirty, "free")


def test_a_running_container_is_not_dirty_whatever_its_last_exit_code_was(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    key = domains_of(system)[0].key
    assert not leased(system, seen(stack("llama", key, exit_code=137)), NOTHING)[0].dirty


def test_a_board_is_dirty_until_it_is_cleared_and_again_by_a_later_end(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    [domain] = domains_of(system)
    early = Spoiled(board=domain.key, reason="killed", at="2026-01-31T10:00:00.25Z")
    late = replace(early, at="2026-01-31T10:00:00.3Z", reason="killed again")
    kept = with_new(NOTHING, [early])
    assert leased(system, NOBODY, kept)[0].dirty == "killed"
    kept = with_cleared(kept, domain.names, at="2026-01-31T10:00:00.26Z")
    assert not leased(system, NOBODY, kept)[0].dirty
    assert with_new(kept, [early]) is kept
    kept = with_new(kept, [early, late])
    assert kept.spoiled == (late,)
    assert leased(system, NOBODY, kept)[0].dirty == "killed again"


def test_moments_compare_whatever_their_fractions() -> None:
    told = ["2026-01-31T10:00:00.1Z", "2026-01-31T10:00:00Z", "2026-01-31T09:59:59.999999999Z"]
    assert sorted(told, key=moment) == told[::-1]


def test_every_board_is_told_with_its_holders_and_one_without_a_node_is_unknown(
    tmp_path: Path,
) -> None:
    system = machine(tmp_path, "n150x4")
    (tmp_path / "dev/tenstorrent/3").unlink()
    hidden = machine(tmp_path / "b", "n150")
    bare = replace(hidden, boards=(replace(hidden.boards[0], nodes=()),))
    assert states(bare, NOBODY) == ["unknown"]
    told = with_leases(system, leased(system, seen(process(13, 1)), NOTHING)).boards
    assert [(one.free, one.holders) for one in told[:2]] == [
        ("free", ()),
        ("held", ("pid 13 (python3)",)),
    ]


def test_without_a_stack_its_boards_are_free_though_its_engine_was_not_seen_whole(
    tmp_path: Path,
) -> None:
    system = machine(tmp_path, "n150x4")
    own = stack("chat", paths=(node(0),), container_id="a" * 64)
    claims = seen(
        own,
        stack("sd", paths=(node(1),)),
        process(7, 0, container_id="a" * 12),
        process(8, 0, hidden=True),
        process(9, 2),
        process(10, 3, hidden=True),
        blind=(node(0), node(2)),
        hugepages=("channel_0_tenstorrent_0",),
    )
    left = without_stack(claims, stack="chat", owner=ME)
    assert states(system, left) == ["free", "held", "held", "held"]
    assert left.hugepages == ()
    assert without_stack(claims, stack="chat", owner="other").containers == claims.containers


def test_without_a_stack_what_another_program_has_open_is_not_free(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    claims = seen(stack("chat", paths=(node(0),)), process(7, 0))
    assert states(system, without_stack(claims, stack="chat", owner=ME)) == ["held"]
