# SPDX-License-Identifier: Apache-2.0
"""Does a stack get free boards that form its device, and never somebody's?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies
from tests.standins import machines
from tests.unit.rules.leasing import (
    ME,
    NOTHING,
    container,
    machine,
    node,
    process,
    seen,
    stack,
)

from ttctl.adapters.podman import CLOSED
from ttctl.errors import (
    HeldError,
    LockedError,
    NoDeviceError,
    PrivilegeError,
    TtctlError,
    UsageError,
)
from ttctl.model.lease import Claims, Remembered, Spoiled
from ttctl.model.spec import Request
from ttctl.rules.board_pick import choose_boards
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import leased

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import System
    from ttctl.model.lease import ContainerUse, ProcessUse


def pick(
    device: str,
    system: System,
    claims: Claims | None = None,
    *asked: str,
    remembered: Remembered = NOTHING,
) -> list[int]:
    """Return the places of the boards that a stack `llama` gets."""
    leases = leased(system, claims or seen(), remembered, stack="llama", owner=ME)
    chosen = choose_boards(device, system, leases, asked=asked)
    return [system.boards.index(next(b for b in system.boards if b.id == c.id)) for c in chosen]


def refusal(device: str, system: System, claims: Claims | None = None, *asked: str) -> TtctlError:
    with pytest.raises(TtctlError) as caught:
        pick(device, system, claims, *asked)
    return caught.value


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_each_machine_gives_every_device_that_it_forms(tmp_path: Path, device: str) -> None:
    system = machine(tmp_path, device)
    for form in machines.KINDS[device].forms:
        first = next(one for one in system.forms if one.device == form)
        ids = [system.boards[at].id for at in pick(form, system)]
        assert ids == list(first.boards)


def test_stacks_side_by_side_get_disjoint_boards(tmp_path: Path) -> None:
    system = machine(tmp_path, "p150x8")
    keys = [one.key for one in domains_of(system)]
    one = seen(stack("one", *keys[:1]))
    assert pick("p150", system, one) == [1]
    assert pick("p150x4", system, one) == [4, 5, 6, 7]
    two = seen(*one.containers, stack("two", *keys[4:]))
    assert pick("p150", system, two) == [1]
    error = refusal("p150x4", system, two)
    assert isinstance(error, LockedError)
    assert error.exit_code == 75
    assert error.message == "No boards for a p150x4 are free."
    assert "stack one" in error.evidence
    assert error.next_step == "ttctl down one"


def offered(system: System, device: str, *found: ContainerUse | ProcessUse) -> tuple[str, str]:
    """Return the next step and the holder of a refusal of something that would be brought up."""
    leases = leased(system, seen(*found), NOTHING, stack="llama", owner=ME)
    with pytest.raises(HeldError) as caught:
        choose_boards(device, system, leases, request=Request(model="llama", device=device))
    return caught.value.next_step, caught.value.holder


def test_a_swap_is_offered_where_one_own_stack_has_all_that_is_in_the_way(tmp_path: Path) -> None:
    system = machine(tmp_path, "p300x2")
    one, two = (domain.key for domain in domains_of(system))
    swap = "ttctl swap chat llama --device p300x2   # or: ttctl down chat"
    assert offered(system, "p300x2", stack("chat", one, two)) == (swap, "chat")
    assert offered(system, "p300x2", stack("chat", two)) == (swap, "chat")


def test_no_swap_is_offered_where_more_than_one_stack_has_to_go(tmp_path: Path) -> None:
    system = machine(tmp_path, "p300x2")
    one, two = (domain.key for domain in domains_of(system))
    both = (stack("chat", one), stack("sd", two))
    assert offered(system, "p300x2", *both) == ("ttctl down chat", "")
    foreign = stack("chat", one, owner="other")
    assert offered(system, "p300x2", foreign)[1] == ""
    assert "swap" not in offered(system, "p300x2", process(7, *range(4)))[0]


def test_a_stack_keeps_the_boards_that_it_has(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    keys = [one.key for one in domains_of(system)]
    claims = seen(stack("llama", keys[2], paths=(node(2),)))
    assert pick("n150", system, claims) == [2]


def test_a_board_that_needs_a_reset_comes_last(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    keys = [one.key for one in domains_of(system)]
    dirty = tuple(Spoiled(board=key, reason="killed", at="2026-01-31T10:00:00Z") for key in keys)
    assert pick("n150", system, remembered=Remembered(spoiled=dirty[:2])) == [2]
    assert pick("n150", system, remembered=Remembered(spoiled=dirty)) == [0]


def test_boards_are_asked_for_by_any_of_their_names(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    board = system.boards[2]
    for word in (
        "2",
        board.id,
        board.nodes[0],
        board.pci_addresses[0],
        board.asic_ids[0],
        f"0x{board.asic_ids[0].lower()}",
        f"/dev/tenstorrent/by-id/wormhole-{board.asic_ids[0].lower()}",
    ):
        assert pick("n150", system, None, word) == [2], word
    assert isinstance(refusal("n150", system, None, "9"), UsageError)


def test_boards_that_are_asked_for_have_to_make_up_the_device(tmp_path: Path) -> None:
    system = machine(tmp_path, "p150x8")
    assert pick("p150x4", system, None, "0", "2", "4", "6") == [0, 2, 4, 6]
    error = refusal("p150x4", system, None, "0", "1")
    assert isinstance(error, UsageError)
    assert error.why == "A p150x4 is made up of 4 x p150."


@pytest.mark.parametrize(
    ("claims", "said", "step"),
    [
        pytest.param(
            seen(stack("chat", paths=(node(1),))),
            "held by stack chat (container ttctl-chat-vllm-1)",
            "ttctl down chat",
            id="stack",
        ),
        pytest.param(
            seen(stack("chat", paths=(node(1),), owner="other")),
            "which belongs to another user",
            "docker ps --filter name=ttctl-chat-vllm-1",
            id="another user's stack",
        ),
        pytest.param(
            seen(container(paths=(node(1),))),
            "held by container box",
            "docker stop -t 120 box",
            id="container",
        ),
        pytest.param(
            seen(process(77, 1)),
            "held by pid 77 (python3)",
            "ps -o pid,user,etime,args -p 77",
            id="process",
        ),
    ],
)
def test_a_board_that_is_asked_for_and_held_is_refused_with_its_holder(
    tmp_path: Path, claims: Claims, said: str, step: str
) -> None:
    error = refusal("n150", machine(tmp_path, "n150x4"), claims, "1")
    assert isinstance(error, LockedError)
    assert said in error.evidence
    assert error.next_step == step


def test_a_board_of_which_not_everybody_is_seen_is_refused_as_unknown(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    for error in (
        refusal("n150", system, seen(blind=(node(0),))),
        refusal("n150", system, seen(closed="no right to ask the engine"), "0"),
    ):
        assert isinstance(error, PrivilegeError)
        assert "cannot be seen" in error.message
        assert error.next_step == "sudo ttctl devices ls"
    silent = refusal("n150", system, seen(closed=f"{CLOSED}: it did not answer"))
    assert silent.next_step == "podman ps --all"


def test_a_device_that_no_boards_make_up_is_refused_with_what_they_do(tmp_path: Path) -> None:
    error = refusal("t3k", machine(tmp_path, "n150x4"))
    assert isinstance(error, NoDeviceError)
    assert error.exit_code == 3
    assert "They make up: n150x4, n150." in error.evidence


def test_a_board_that_is_not_well_is_taken_only_where_it_is_asked_for(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    ill = replace(system.boards[0], verdict="error", reasons=("chip 0 is too hot",))
    system = replace(system, boards=(ill, *system.boards[1:]))
    assert pick("n150", system) == [1]
    assert pick("n150", system, None, "0") == [0]
    error = refusal("n150x4", system)
    assert isinstance(error, NoDeviceError)
    assert error.why == "chip 0 is too hot"


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_device_without_boards_gets_none(tmp_path: Path, device: str) -> None:
    assert pick(device, machine(tmp_path, "n150")) == []


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> System:
    """A machine with eight boards, of which one, four or all make up a device."""
    return machine(tmp_path_factory.mktemp("eight"), "p150x8")


BOXES = strategies.builds(
    lambda phase, nodes, board, name: (phase, tuple(node(at) for at in nodes), board, name),
    strategies.sampled_from(["created", "running", "exited", "restarting"]),
    strategies.sets(strategies.integers(0, 7), max_size=2),
    strategies.none() | strategies.integers(0, 7),
    strategies.sampled_from(["", "llama", "chat"]),
)


@settings(deadline=None)
@given(
    boxes=strategies.lists(BOXES, max_size=4),
    pids=strategies.sets(strategies.integers(0, 7), max_size=2),
    blind=strategies.sets(strategies.integers(0, 7), max_size=1),
    device=strategies.sampled_from(["p150", "p150x4", "p150x8"]),
)
def test_whoever_is_there_no_board_of_somebody_is_given_and_none_refused_that_is_free(
    eight: System,
    boxes: list[tuple[str, tuple[str, ...], int | None, str]],
    pids: set[int],
    blind: set[int],
    device: str,
) -> None:
    keys = [one.key for one in domains_of(eight)]
    shown = [
        container(
            f"box-{at}",
            container_id=f"{at:064x}",
            phase=phase,
            paths=nodes,
            boards=() if board is None else (keys[board],),
            stack=name,
            owner=ME,
        )
        for at, (phase, nodes, board, name) in enumerate(boxes)
    ]
    claims = seen(
        *shown,
        *(process(100 + at, at) for at in pids),
        blind=tuple(node(at) for at in blind),
    )
    taken = set(pids)
    own: set[int] = set()
    for phase, nodes, board, name in boxes:
        if phase != "exited":
            held = {int(path[-1]) for path in nodes} | ({board} - {None})
            (own if name == "llama" else taken).update(at for at in held if at is not None)
    free = set(range(8)) - taken - (blind - own)
    ways = {"p150": [{at} for at in range(8)], "p150x4": [{0, 1, 2, 3}, {4, 5, 6, 7}]}
    possible = [way for way in ways.get(device, [set(range(8))]) if way <= free]
    try:
        chosen = set(pick(device, eight, claims))
    except (LockedError, PrivilegeError):
        assert not possible
    else:
        assert chosen in possible
