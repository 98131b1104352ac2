# SPDX-License-Identifier: Apache-2.0
"""Bring a stack back as it was found, where what was to replace it did not become ready."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.operations.generations import is_up
from ttctl.operations.restore import restore, write
from ttctl.operations.tls import put_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.container import ContainerState
    from ttctl.model.plan import How
    from ttctl.model.protocols import World
    from ttctl.operations.restore import State

TAIL = 12
"""Lines of what an engine said last that a failure shows."""


@contextmanager
def coming_back(
    world: World, former: State, *, what: str, how: How, goes_back: bool = True
) -> Iterator[None]:
    """Bring `former` up again where the block fails or is ended.

    Args:
        world: Everything outside.
        former: The stack as it was found, under whose lock the block runs.
        what: What the block does, such as `upgrade`.
        how: What was agreed to.
        goes_back: Whether it does; else what failed is left as it is.

    Raises:
        TtctlError: What the block raised where the stack was not touched yet; else that it failed,
            with its cause, and what serves now.
    """
    stack, was_up = former.stack, is_up(world, former.stack)
    before = world.engine.containers(stack)
    try:
        yield
    except TtctlError as failure:
        now, gone = _looked(world, stack)
        if gone is not None:
            lines = _unseen(world, former, what, gone) if goes_back else []
            failure.evidence = _and(failure.evidence, *lines)
            raise
        if now == before:
            # The folder alone is put back without anybody's notice.
            _put_back(world, former)
            is_so = "goes on serving" if was_up else "is down"
            failure.evidence = _and(failure.evidence, f"Nothing was changed: {stack!r} {is_so}.")
            raise
        said = _said_last(world, stack, failure)
        if not goes_back:
            raise
        lines, refused = _back(world, former, how, was_up=was_up)
        raise _failed(failure, what, former, [*said, *lines], refused) from failure
    except (KeyboardInterrupt, SystemExit):
        if goes_back:
            _ended(world, former, before, what=what, how=how, was_up=was_up)
        raise


def _ended(
    world: World,
    former: State,
    before: tuple[ContainerState, ...],
    *,
    what: str,
    how: How,
    was_up: bool,
) -> None:
    """Bring the stack back for whom the block was ended, and say what was done."""
    note, (now, gone) = world.reporter.note, _looked(world, former.stack)
    if gone is not None:
        lines = _unseen(world, former, what, gone)
    elif now != before:
        note(f"{former.stack} is brought back as {former}; ended again, it may be down")
        lines, _ = _back(world, former, how, was_up=was_up)
    else:
        lines = []
        _put_back(world, former)
    for line in lines:
        note(line)


def _looked(
    world: World, stack: str
) -> tuple[tuple[ContainerState, ...], None] | tuple[None, TtctlError]:
    """Return the containers of a stack, or why the engine does not tell them."""
    try:
        return world.engine.containers(stack), None
    except TtctlError as gone:
        return None, gone


def _unseen(world: World, former: State, what: str, gone: TtctlError) -> list[str]:
    """Put the folder back of a stack of which nobody knows what runs; return what is to be said."""
    stack = former.stack
    lines = [f"That ended the {what} of {stack!r}, and nobody knows what runs: {gone.message}"]
    try:
        _put_back(world, former)
    except TtctlError as error:
        return [*lines, f"Its folder could not be put back: {error.message}"]
    started = f"once the engine answers, `ttctl start {stack}` brings {former} up"
    return [*lines, f"Its folder is as it was: {started}."]


def _and(*lines: str) -> str:
    return "\n".join(filter(None, lines))


def _put_back(world: World, former: State) -> None:
    """Put back what is on the disk of a stack whose containers nobody touched."""
    write(world, former.stack, former.files)
    put_back(world, former.lock)


def _failed(
    failure: TtctlError, what: str, former: State, lines: list[str], refused: TtctlError | None
) -> TtctlError:
    stack = former.stack
    which = f"{former} serves again" if refused is None else f"{former} could not be brought back"
    step = f"ttctl history {stack}" if refused is None else refused.next_step or f"ttctl up {stack}"
    return TtctlError(
        f"The {what} of {stack!r} did not become ready: {which}.",
        why=" ".join(filter(None, (failure.message, failure.why))),
        evidence=_and(failure.evidence, *lines),
        next_step=step,
    )


def _said_last(world: World, stack: str, failure: TtctlError) -> list[str]:
    """Return the last lines of what did not become ready, which are not in its failure yet."""
    with suppress(TtctlError):
        bad = [
            one
            for one in world.engine.containers(stack)
            if one.state != "running" or one.health in {"unhealthy", "starting"}
        ]
        for one in bad[:1]:
            lines = world.engine.log_lines(one.container_id, tail=TAIL)
            if not any(line.strip() and line.strip() in failure.evidence for line in lines):
                return [f"{one.service}: {line.strip()}" for line in lines]
    return []


def _back(
    world: World, former: State, how: How, *, was_up: bool
) -> tuple[list[str], TtctlError | None]:
    """Return what is to be said, and why the stack is not as before; None where it is."""
    stack, reporter = former.stack, world.reporter
    try:
        if was_up:
            restore(world, former, how=how)
            return [f"{stack!r} serves again as {former}."], None
        write(world, stack, former.files)
        world.launcher.down(stack, volumes=None, timeout_s=None, reporter=reporter)
    except TtctlError as error:
        # What comes next starts what its lock says.
        with suppress(TtctlError):
            _put_back(world, former)
        why = " ".join(filter(None, (error.message, error.why)))
        return [f"{stack!r} could not be brought back: {why}"], error
    return [f"{stack!r} is down again, as it was."], None
