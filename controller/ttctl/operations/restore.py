# SPDX-License-Identifier: Apache-2.0
"""Bring a stack to a state that was written down, as it was: nothing is resolved or rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import DirtyError, HeldError
from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Request
from ttctl.operations.lease import stop_first, take_each
from ttctl.operations.ready import await_ready
from ttctl.operations.reset import ResetWish, reset_under_guard
from ttctl.operations.start import GUARD_S
from ttctl.operations.steps import has_weights
from ttctl.operations.tls import ensure_locked, known_by_its_own
from ttctl.rules.board_sets import Want
from ttctl.rules.generations import COMPOSE, DOTENV, SITE, with_nodes
from ttctl.rules.stack import GATEWAY_SERVICE, service_name
from ttctl.rules.to_end import AT_WORK
from ttctl.rules.written import boards_of, images_of

if TYPE_CHECKING:
    from ttctl.model.lease import Leased
    from ttctl.model.lock import Lock
    from ttctl.model.plan import How
    from ttctl.model.protocols import World

Texts = dict[str, str]
WAIT_S = 3600
"""As long as the first start of an engine on a card may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A stack's folder with the lock in it."""

    stack: str
    lock: Lock
    files: Texts
    number: int = 0
    """The generation that it is; 0 for none."""

    def __str__(self) -> str:
        """Say it in one phrase."""
        return f"generation {self.number}" if self.number else "the state before"


def missing_of(world: World, state: State) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the images and the weights of a state that are not here any more."""
    images = images_of(state.files[COMPOSE])
    gone = tuple(one for one in images if not world.engine.has_image(one))
    every = (state.lock.weights, *(one.weights for one in state.lock.beside))
    weights = tuple(
        f"{one.repository} {one.revision}".strip()
        for one in dict.fromkeys(every)
        if (one.revision or one.kind != "hub") and not has_weights(world, one)
    )
    return gone, weights


def restore(world: World, state: State, *, how: How = AS_NEEDED, wait_s: int | None = None) -> None:
    """Make a stack's folder hold a state, start what is not as it says, and wait until it answers.

    To be called under the stack's lock. Secrets of builds stay as they are in this place.

    Raises:
        HeldError: Somebody else has the boards that its containers lease.
        DirtyError: They need a reset that nobody agreed to.
        TtctlError: It did not become ready.
    """
    stack, limit_s = state.stack, wait_s or WAIT_S
    world.keys.ensure_key(stack)
    with known_by_its_own(world, stack):
        renewed = ensure_locked(world, state.lock)
        if boards_of(state.files[COMPOSE]):
            _created(world, state, how)
        else:
            write(world, state.stack, state.files)
            _remove_stuck(world, stack)
        if renewed:
            _remove_gateway(world, stack)
        folder = world.store.folder(stack)
        with world.reporter.step(f"Start {stack} as {state}"):
            world.launcher.up(stack, folder, how=AS_NEEDED, wait_s=limit_s, reporter=world.reporter)
    await_ready(world, state.lock, quick=False, wait_s=limit_s, warm_tokens=0)


def check_boards(world: World, state: State, how: How) -> None:
    """Refuse boards that could not be had, before anything is ended.

    Raises:
        TtctlError: As `restore`.
    """
    if boards_of(state.files[COMPOSE]):
        _taken(world, state, how)


def _created(world: World, state: State, how: How) -> None:
    """Take the very boards that the state's containers lease, and make those, under the guard."""
    stack, reporter = state.stack, world.reporter
    with world.leases.guard(timeout_s=GUARD_S, reporter=reporter):
        leased = _taken(world, state, how)
        seen = world.engine.containers(stack)
        if any(one.boards and one.state in AT_WORK for one in seen):
            with reporter.step(f"Stop {stack} (each service has up to 120 s)"):
                stop_first(world, stack, timeout_s=None)
            leased = _taken(world, state, how)
        if leased.dirty:
            image = images_of(state.files[COMPOSE])[0]
            reset_under_guard(world, ResetWish(words=leased.boards, instead=image))
            leased = _taken(world, state, how)
        files = {**state.files, DOTENV: with_nodes(state.files[DOTENV], leased.values)}
        with reporter.step(f"Lease {', '.join(leased.nodes)}"):
            write(world, stack, files)
            _remove_stuck(world, stack)
            folder = world.store.folder(stack)
            world.launcher.create(stack, folder, recreate=False, reporter=reporter)


def _taken(world: World, state: State, how: How) -> Leased:
    leases, lock = boards_of(state.files[COMPOSE]), state.lock
    devices = {service_name(lock.engine): lock.device}
    devices |= {one.service: one.device for one in lock.beside}
    wants = [
        Want(service=name, device=devices.get(name, lock.device), had=boards)
        for name, boards in leases
    ]
    asked = tuple(dict.fromkeys(board for _, boards in leases for board in boards))
    again = f"ttctl rollback {state.stack} --to {state.number}"
    named = Request(model=lock.requested, name=state.stack)
    leased = take_each(world, wants, state.stack, asked, request=named)
    others = [name for name, boards in leases if set(leased.of(name).boards) != set(boards)]
    if others:
        raise HeldError(
            f"The boards of {state} cannot be had as they were.",
            why="Its containers lease them by name, and each would get others.",
            evidence=f"Services: {', '.join(others)}.",
            next_step=f"ttctl upgrade {state.stack}",
        )
    if leased.dirty and not how.reset:
        raise DirtyError(
            f"The boards for {state.stack!r} need a reset.",
            why="An engine was killed on them; the next start would wait for a chip that hangs.",
            evidence="; ".join(leased.dirty),
            next_step=f"{again} --reset" if state.number else f"ttctl up {lock.requested} --reset",
        )
    return leased


def write(world: World, stack: str, files: Texts) -> None:
    """Make a stack's folder hold a state; secrets of builds stay as they are in this place."""
    folder = world.store.folder(stack)
    found = world.folders.read_folder(folder)
    wanted = {path: text for path, text in found.items() if path.startswith(SITE)}
    wanted |= {path: text for path, text in files.items() if not path.startswith(SITE)}
    if wanted != found:
        with world.reporter.step("Write the rendered folder"):
            whole = {path: (text, text.startswith("#!")) for path, text in wanted.items()}
            world.folders.write_folder(folder, whole, prune=True)


def _remove_gateway(world: World, stack: str) -> None:
    """Remove a gateway that shows another certificate: written down it is the same, for compose."""
    if any(one.service == GATEWAY_SERVICE for one in world.engine.containers(stack)):
        with world.reporter.step(f"Remove {GATEWAY_SERVICE}, which shows another certificate"):
            folder = world.store.folder(stack)
            world.launcher.remove(stack, folder, [GATEWAY_SERVICE], reporter=world.reporter)


def _remove_stuck(world: World, stack: str) -> None:
    if any(not one.composed for one in world.engine.containers(stack)):
        with world.reporter.step(f"Remove what docker run made for {stack}"):
            world.launcher.down(stack, volumes=None, timeout_s=None, reporter=world.reporter)
    # The lines of one that failed would be taken for those of its successor.
    broken = [
        one.service
        for one in world.engine.containers(stack)
        if one.state != "running" or one.health in {"unhealthy", "starting"}
    ]
    if broken:
        with world.reporter.step(f"Remove {', '.join(broken)}"):
            folder = world.store.folder(stack)
            world.launcher.remove(stack, folder, broken, reporter=world.reporter)
