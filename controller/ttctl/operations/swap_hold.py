# SPDX-License-Identifier: Apache-2.0
"""Keep boards for one stack from the end of another: nobody takes them in between."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, cast

from ttctl.operations.as_if_down import Instead
from ttctl.operations.reset import ResetWish
from ttctl.operations.reset import plan as plan_reset
from ttctl.operations.start import GUARD_S, on_free_boards, refuse_dirty
from ttctl.rules.reset import check_reset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from ttctl.model.plan import How
    from ttctl.model.protocols import Reporter, World
    from ttctl.operations.desire import Desired


class Hold:
    """The locks of one stack or two, and the host's guard until containers lease what it guards.

    What is run in `world` takes none of them again. A block under the guard that ends well has
    made containers, whose labels are the lease: the guard is let go there, as a start may take an
    hour. After a block that failed it is still held, for whatever is brought up instead.
    """

    def __init__(self, world: World, stacks: tuple[str, ...], *, timeout_s: float) -> None:
        """Take nothing yet.

        Args:
            world: Everything outside.
            stacks: Names of what is ended and of what comes in its place; once where it is one.
            timeout_s: Seconds to wait for another command's lock on one of them.
        """
        self._outer, self._stacks, self._timeout_s = world, stacks, timeout_s
        self._locks, self._guard, self._guards = ExitStack(), ExitStack(), False
        self.world = cast(
            "World",
            Instead(
                world,
                store=Instead(world.store, exclusive=self._exclusive),
                leases=Instead(world.leases, guard=self._within),
            ),
        )

    def __enter__(self) -> Self:
        """Take the lock of each stack.

        Raises:
            LockedError: Another command has one of them.
        """
        with ExitStack() as taken:
            for name in sorted(set(self._stacks)):
                world = self._outer
                lock = world.store.exclusive(
                    name, timeout_s=self._timeout_s, reporter=world.reporter
                )
                taken.enter_context(lock)
            self._locks = taken.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let everything go."""
        self._let_go()
        self._locks.close()

    def guard(self) -> None:
        """Keep every other command of this host from taking boards; twice is once.

        Raises:
            LockedError: Another command has the guard for too long.
        """
        if not self._guards:
            world = self._outer
            self._guard.enter_context(
                world.leases.guard(timeout_s=GUARD_S, reporter=world.reporter)
            )
            self._guards = True

    def _let_go(self) -> None:
        self._guards = False
        self._guard.close()

    @contextmanager
    def _within(self, *, timeout_s: float, reporter: Reporter) -> Iterator[None]:
        if not self._guards:
            with self._outer.leases.guard(timeout_s=timeout_s, reporter=reporter):
                yield
            return
        yield
        self._let_go()

    def _exclusive(
        self, name: str, *, timeout_s: float, reporter: Reporter
    ) -> AbstractContextManager[object]:
        if name in self._stacks:
            return nullcontext()
        return self._outer.store.exclusive(name, timeout_s=timeout_s, reporter=reporter)


def refuse_boards(seen: World, desired: Desired, how: How) -> None:
    """Refuse what would not get its boards, were the other stack down.

    Raises:
        TtctlError: Somebody else has them, or they need a reset that cannot be.
    """
    refuse_needed_reset(seen, on_free_boards(seen, desired), how)


def refuse_needed_reset(seen: World, desired: Desired, how: How) -> None:
    """Refuse boards that need a reset which nobody agreed to, or which others are in the way of.

    Raises:
        DirtyError: Nobody agreed.
        HeldError: It would take boards down that somebody has.
    """
    refuse_dirty(desired, how)
    leased = desired.terms.leased
    if leased is not None and leased.dirty:
        check_reset(plan_reset(seen, ResetWish(words=leased.boards)))
