# SPDX-License-Identifier: Apache-2.0
"""Bring a stack back as it was found, where what was to replace it did not become ready."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.operations.generations import is_up
from ttctl.operations.restore import restore, write
from ttctl.operations.undo import undoing

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
        if _is_untouched(world, stack, before):
            _put_back(world, former)
            kept = f"Nothing was changed: {stack!r} {'goes on serving' if was_up else 'is down'}."
            failure.evidence = "\n".join(filter(None, (failure.evidence, kept)))
            raise
        said = _said_last(world, stack, failure)
        if not goes_back:
            raise
        lines, refused = _back(world, former, how, was_up=was_up)
        raise _failed(failure, what, former, [*said, *lines], refused) from failure
    except (KeyboardInterrupt, SystemExit):
        if goes_back and not _is_untouched(world, stack, before):
            world.reporter.note(f"{stack} is brought back as {former}; ended again, it may be down")
            for line in _back(world, former, how, was_up=was_up)[0]:
                world.reporter.note(line)
        elif goes_back:
            _put_back(world, former)
        raise


def _is_untouched(world: World, stack: str, before: tuple[ContainerState, ...]) -> bool:
    """Return whether all containers are as before; where nobody can say, they are not."""
    with suppress(TtctlError):
        return world.engine.containers(stack) == before
    return False


def _put_back(world: World, former: State) -> None:
    """Put the folder back without anybody's notice."""
    with undoing(world, f"the folder of {former.stack} is not as it was"):
        write(world, former.stack, former.files)


def _failed(
    failure: TtctlError, what: str, former: State, lines: list[str], refused: TtctlError | None
) -> TtctlError:
    stack = former.stack
    which = f"{former} serves again" if refused is None else f"{former} could not be brought back"
    step = f"ttctl history {stack}" if refused is None else refused.next_step or f"ttctl up {stack}"
    return TtctlError(
        f"The {what} of {stack!r} did not become ready: {which}.",
        why=" ".join(filter(None, (failure.message, failure.why))),
        evidence="\n".join(filter(None, (failure.evidence, *lines))),
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
        _put_back(world, former)
        why = " ".join(filter(None, (error.message, error.why)))
        return [f"{stack!r} could not be brought back: {why}"], error
    return [f"{stack!r} is down again, as it was."], None
