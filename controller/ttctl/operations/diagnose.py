# SPDX-License-Identifier: Apache-2.0
"""Say of a stack's services why they do not do their work, and what to do about it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, TtctlError
from ttctl.rules.dotenv import values_in
from ttctl.rules.fatal import ended_since, state_cause, state_of, step_of, told, works
from ttctl.rules.several import CACHE, cache_variable
from ttctl.rules.stack import service_name
from ttctl.rules.to_end import is_stopped
from ttctl.rules.typed_request import typed_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.failure import BadState, Found
    from ttctl.model.protocols import World

READ = 400
"""Lines of a log that are read: a traceback with the lines around it."""
SHOWN = 240
"""Characters of why a start failed; what is the matter stands last."""
STARTING = "starting"
"""The row of a service that may still come up."""
STOPPED = "stopped"
"""The row of a service that a stop ended with its stack: nothing is wrong with it."""
ANY_CACHE = "CACHE"
"""What stands for a cache whose folder is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is known of one service that does not do its work."""

    service: str
    failure: str
    """Name of the row of catalog/failures.toml."""
    cause: str
    evidence: str
    """The line of the log, or how the container engine shows the container."""
    next_step: str
    exit_code: int
    """Of a command that ends so."""
    source: str
    """Where it is known from."""


def causes(
    world: World, stack: str, containers: Sequence[ContainerState], *, stopped: bool | None = None
) -> tuple[Cause, ...]:
    """Return what is known of those containers that do not do their work, by log or by state.

    A line of the log says more than a state. Of a container that works nothing is said, whatever
    its log holds of earlier days.

    Args:
        world: Everything outside.
        stack: Their stack.
        containers: Which.
        stopped: Whether a stop ended the stack; None where `containers` are all of it.
    """
    stopped = is_stopped(containers) if stopped is None else stopped
    return tuple(_causes(world, stack, containers, stopped=stopped))


def _causes(
    world: World, stack: str, containers: Sequence[ContainerState], *, stopped: bool
) -> Iterator[Cause]:
    # What is known is read where there is something to look up.
    seen = [
        (one, state_of(one, world.failures, stopped=stopped))
        for one in containers
        if not works(one)
    ]
    bad = [(one, state) for one, state in seen if state is not None]
    if not bad:
        return
    asked = _asked(world, stack)
    for one, state in bad:
        # What the log of one that was stopped holds is of earlier days.
        found = None if state.name == STOPPED else _of_log(world, one, asked)
        yield found or _of_state(one, state, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """How a stack came to be."""

    stack: str
    word: str
    """What was asked for; the stack's own name where its lock cannot be read."""
    own: str = ""
    """Name of its own engine's container; empty where it is not known."""
    context: int = 0
    """Tokens; 0 where it is not known."""

    @property
    def up(self) -> str:
        return typed_up(self.word, self.stack)


def _asked(world: World, stack: str) -> _Asked:
    with suppress(BadFileError):
        if lock := world.store.lock(stack):
            own = service_name(lock.engine)
            return _Asked(stack=stack, word=lock.requested, own=own, context=lock.max_model_len)
    return _Asked(stack=stack, word=stack)


def _of_log(world: World, one: ContainerState, asked: _Asked) -> Cause | None:
    lines: tuple[str, ...] = ()
    with suppress(TtctlError):
        lines = world.engine.log_lines(one.container_id, tail=READ, since=ended_since(one))
    found = told(lines, world.failures)
    return None if found is None else _cause(world, one, found, asked)


def cause_of(world: World, stack: str, one: ContainerState, found: Found) -> Cause:
    """Return what a line of a container's log means for its stack."""
    return _cause(world, one, found, _asked(world, stack))


def _cause(world: World, one: ContainerState, found: Found, asked: _Asked) -> Cause:
    step = step_of(
        found,
        up=asked.up,
        model=quote(asked.word),
        cache=_cache(world, asked, one.service),
        context=asked.context,
    )
    return Cause(
        service=one.service,
        failure=found.failure.name,
        cause=found.cause,
        evidence=found.line.strip(),
        next_step=step or f"ttctl logs {asked.stack} {one.service} --tail 100",
        exit_code=found.failure.exit_code,
        source=found.failure.source,
    )


def _cache(world: World, asked: _Asked, service: str) -> str:
    """Return the folder that a service keeps its kernels in, as its stack mounts it."""
    values = values_in(world.folders.read_folder(world.store.folder(asked.stack)).get(".env", ""))
    name = CACHE if service == asked.own else cache_variable(service)
    return quote(values.get(name, ANY_CACHE))


def _of_state(one: ContainerState, state: BadState, asked: _Asked) -> Cause:
    code = "" if one.state == "running" else f"exit code {one.exit_code}"
    seen = ", ".join(filter(None, (one.state, one.health, code)))
    seen += (
        f"; the engine could not start it: {one.start_error[-SHOWN:]}" if one.start_error else ""
    )
    seen += f"; its last check: {one.check_said}" if one.check_said else ""
    return Cause(
        service=one.service,
        failure=state.name,
        cause=state_cause(one, state),
        evidence=f"{one.name}: {seen}",
        next_step=state.next_step.format(up=asked.up, stack=asked.stack, service=one.service),
        exit_code=state.exit_code,
        source=state.source,
    )
