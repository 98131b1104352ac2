# SPDX-License-Identifier: Apache-2.0
"""R9. Two `up`s at once: one does the work, the other waits for it or is told who is at it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.left_behind import forget, strays
from tests.e2e.two_at_once import both, creations, made_of
from tests.faults.crowd import shared_out
from tests.faults.stage import ttctl_on
from tests.faults.victims import settled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine
    from tests.faults.victims import Victim

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine")]

WAITS, REFUSED = "600", "0"


def doubled(victim: Victim, lock_timeout: str) -> str:
    """Bring one stack up twice at once; return who was refused, if anybody."""
    stack = victim.stack
    forget(stack)
    with creations(stack) as made:
        came = both(stack, stack, lock_timeout=lock_timeout)
        assert settled(stack) == victim.whole
        names = made_of(stack, made)
    assert [f"/{one}" for one in names] == sorted(victim.whole.containers)
    codes = sorted(one.code for one in came)
    for one in came:
        assert "Traceback" not in one.out + one.err
    assert strays(stack) == []
    if lock_timeout == WAITS:
        assert codes == [0, 0], [one.err for one in came]
        assert sorted("nothing was changed" in one.out for one in came) == [False, True]
        return "waited"
    assert codes in ([0, 75], [0, 0]), [one.err for one in came]
    for one in came:
        if one.code:
            assert re.search(r"Held by pid \d+ \(.*ttctl.* up .*\), since \d\d:\d\d:\d\d", one.err)
    return "refused" if codes == [0, 75] else "waited"


@pytest.mark.parametrize("lock_timeout", [WAITS, REFUSED], ids=["waits", "refused"])
def test_the_same_stack_brought_up_twice_at_once_is_made_once(
    lock_timeout: str, victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    count = rounds(fast=3, whole=100)
    came = shared_out(lambda victim, _: doubled(victim, lock_timeout), range(count), victims[:3])
    waited = came.count("waited")
    figure(
        "R9",
        f"two `up`s of one stack at once, --lock-timeout {lock_timeout}",
        f"0 double creations in {count}: {waited} waited, {count - waited} exit code 75",
    )


def test_two_stacks_that_want_one_port_never_both_get_it(
    engine: OwnEngine, tmp_path: Path, victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    count = rounds(fast=2, whole=50)
    served = 0
    for number in range(count):
        first = victims[0].stack
        other = replace(victims[1].stack, port=first.port)
        if number % 2:  # two users, whose state folders know nothing of each other
            other = replace(other, ttctl=ttctl_on(engine, tmp_path / str(number)))
        came = both(first, other, lock_timeout=WAITS)
        codes = [one.code for one in came]
        assert codes.count(0) <= 1, [one.out for one in came]
        for one, ran in zip((first, other), came, strict=True):
            if ran.code == 0:
                assert one.serves()
                served += 1
            else:
                assert str(first.port) in ran.err, ran.err
        seen = [*first.inspect().values(), *other.inspect().values()]
        assert "created" not in {one["State"]["Status"] for one in seen}, came
        forget(first)
        forget(other)
    assert served, "nobody ever got it"
    figure("R9", "two stacks that want one port", f"never both in {count}, one served in {served}")
