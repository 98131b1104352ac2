# SPDX-License-Identifier: Apache-2.0
"""Stacks whose `up` is disturbed, with what each leaves when nobody disturbs it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.e2e.driver import finish, kill, until
from tests.e2e.left_behind import LeftBehind, forget, home, left_behind, strays

if TYPE_CHECKING:
    import signal
    from pathlib import Path

    from tests.e2e.driver import Ran, Stack

GONE_S = 30


@dataclass(frozen=True, kw_only=True)
class Victim:
    """A stack, and how its `up` went when nobody was in its way."""

    stack: Stack
    whole: LeftBehind
    seconds: float
    lines: tuple[str, ...]
    """What it told, line by line."""


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """A signal to an `up`, and what came of it."""

    at: str
    hit: bool
    """Whether there was anything to hit any more."""
    gone_s: float
    """From the signal until the process was gone and somebody else could have the lock."""
    ran: Ran


def uninterrupted(stack: Stack) -> Victim:
    began = time.monotonic()
    child = stack.start_up()
    assert child.stderr is not None
    lines = tuple(child.stderr)
    ran = finish(child)
    assert ran.code == 0, lines
    seconds = time.monotonic() - began
    return Victim(stack=stack, whole=settled(stack), seconds=seconds, lines=lines)


def disturbed(
    victim: Victim, signum: signal.Signals, *, lines: int = 0, seconds: float = 0
) -> Disturbed:
    """Send a signal to an `up` from nothing, after its nth line or a time."""
    forget(victim.stack)
    child = victim.stack.start_up()
    at = _reached(child, lines=lines, seconds=seconds)
    hit = child.poll() is None
    began = time.monotonic()
    with suppress(ProcessLookupError):
        kill(child, signum)
    gone_s = _gone(child, victim.stack) - began
    return Disturbed(at=at, hit=hit, gone_s=gone_s, ran=finish(child))


def recovered(victim: Victim, at: str) -> None:
    """Bring the stack up once, and hold what is there against what an uninterrupted one leaves."""
    stack = victim.stack
    stack.up()
    found = settled(stack)
    for name in LeftBehind.__dataclass_fields__:
        assert getattr(found, name) == getattr(victim.whole, name), f"{name}, after {at}"
    left = strays(stack)
    assert left == [], f"{at}: {left}"
    assert stack.serves(), at


def settled(stack: Stack) -> LeftBehind:
    """Look when the engine has looked: a stack may answer before the first look at its health."""
    until(lambda: all(one[2] != "starting" for one in left_behind(stack).containers.values()))
    return left_behind(stack)


def _reached(child: subprocess.Popen[str], *, lines: int, seconds: float) -> str:
    if lines:
        assert child.stderr is not None
        read = [line for line, _ in zip(child.stderr, range(lines), strict=False)]
        return f"line {lines}, {read[-1].strip() if read else 'none'}"
    try:
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"{seconds:.2f} s"
    return "its end"


def _gone(child: subprocess.Popen[str], stack: Stack) -> float:
    """Return when it had ended, and its lock was free.

    A child that was forked and not yet another program holds the lock a moment longer.
    """
    child.wait(timeout=GONE_S)
    path = home(stack) / "stack.flock"
    until(lambda: not path.exists() or _is_free(path))
    return time.monotonic()


def _is_free(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
