# SPDX-License-Identifier: Apache-2.0
"""R1. `kill -9` of `up` at any step and moment: the next one ends where an uninterrupted one does.

On the real vLLM tests/e2e/test_kills.py does the same.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import finish, kill, until
from tests.e2e.left_behind import LeftBehind, forget, home, left_behind, strays
from tests.faults.crowd import shared_out
from tests.faults.stage import stack_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker

AT_ONCE = 4
SEED = 20
LOCK_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Victim:
    """A stack whose `up` is killed, and what it left when nobody did."""

    stack: Stack
    whole: LeftBehind
    seconds: float
    lines: tuple[str, ...]
    """What it told, line by line."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill, and what came of the `up` behind it."""

    at: str
    hit: bool
    """Whether there was anything to kill any more."""
    freed_s: float
    """From the kill until somebody else could have the stack's lock."""
    again_s: float


@pytest.fixture(scope="module")
def victims(quiet: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Victim]]:
    with quiet.inside():
        quiet.clear()
        folders = [tmp_path_factory.mktemp("victim") for _ in range(AT_ONCE)]
        stacks = [stack_on(quiet, folder) for folder in folders]
        yield shared_out(lambda _, stack: uninterrupted(stack), stacks, folders)
        for stack in stacks:
            stack.remove()


def uninterrupted(stack: Stack) -> Victim:
    began = time.monotonic()
    child = stack.start_up()
    assert child.stderr is not None
    lines = tuple(child.stderr)
    assert finish(child).code == 0
    seconds = time.monotonic() - began
    return Victim(stack=stack, whole=left_behind(stack), seconds=seconds, lines=lines)


def killed_after(victim: Victim, *, lines: int = 0, seconds: float = 0) -> Kill:
    """Kill an `up` from nothing after its nth line, or a time; return how the next one ended."""
    stack = victim.stack
    forget(stack)
    child = stack.start_up()
    at = f"{seconds:.2f} s"
    if lines:
        assert child.stderr is not None
        read = [line for line, _ in zip(child.stderr, range(lines), strict=False)]
        at = f"line {lines}, {read[-1].strip() if read else 'none'}"
    else:
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            at += f" of {victim.seconds:.2f}"
    hit = child.poll() is None
    began = time.monotonic()
    kill(child, signal.SIGKILL)
    freed_s = freed(home(stack) / "stack.flock", child) - began
    finish(child)
    return Kill(at=at, hit=hit, freed_s=freed_s, again_s=recovered(victim, at))


def freed(path: Path, child: subprocess.Popen[str]) -> float:
    """Return when the lock could be taken; it is free at the latest when the process is gone."""
    child.wait(timeout=LOCK_S * 100)
    if path.exists():
        handle = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(handle)
    return time.monotonic()


def recovered(victim: Victim, at: str) -> float:
    """Bring the stack up once, and hold what is there against what an uninterrupted one leaves."""
    stack = victim.stack
    began = time.monotonic()
    stack.up()
    again_s = time.monotonic() - began
    # Where all was started before the kill, it answers before the engine's first look at its health.
    until(lambda: all(one[2] != "starting" for one in left_behind(stack).containers.values()))
    found = left_behind(stack)
    for name in LeftBehind.__dataclass_fields__:
        assert getattr(found, name) == getattr(victim.whole, name), f"{name}, killed at {at}"
    assert strays(stack) == [], at
    assert stack.serves(), at
    return again_s


def told(figure: Figure, what: str, kills: list[Kill]) -> None:
    hits = sum(one.hit for one in kills)
    figure("R1", what, f"{len(kills)} of {len(kills)} clean after one `up` ({hits} hit it running)")
    usual = statistics.median(one.freed_s for one in kills)
    figure("R1", f"{what}: lock free after", f"{usual * 1000:.0f} ms (median)")
    assert usual <= LOCK_S


def test_a_kill_after_any_step_is_mended_by_the_next_up(
    engine: OwnEngine, victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    del engine
    steps = len(victims[0].lines)
    every = range(1, steps + 1)
    moments = every[:: -(-steps // rounds(fast=6, whole=steps))]
    kills = shared_out(lambda victim, at: killed_after(victim, lines=at), moments, victims)
    told(figure, f"`kill -9` after a step ({len(kills)} of {steps})", kills)
    assert any(one.hit for one in kills)


def test_a_kill_at_any_moment_is_mended_by_the_next_up(
    engine: OwnEngine, victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    del engine
    count = rounds(fast=9, whole=200)
    chance = random.Random(SEED)  # noqa: S311 - moments, no secrets
    moments = [(at + chance.random()) / count for at in range(count)]
    kills = shared_out(
        lambda victim, part: killed_after(victim, seconds=part * victim.seconds), moments, victims
    )
    told(figure, f"`kill -9` at a random moment ({count}, evenly over an `up`)", kills)
    assert sum(one.hit for one in kills) >= count // 2
