# SPDX-License-Identifier: Apache-2.0
"""Say of a start that failed what mends it, where the engine's log tells."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TtctlError
from ttctl.rules.board_names import shown
from ttctl.rules.fatal import exact, found_in, step_of
from ttctl.rules.trace_region import way_out
from ttctl.rules.typed_request import typed_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.failure import Failures, Found
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

TRACE_REGION = "trace-region"


@contextmanager
def explained(world: World, desired: Desired) -> Iterator[None]:
    """Give an engine's failure the command that mends it, if its words are known.

    Raises:
        EngineError: What the block raised, with a better next step.
    """
    try:
        yield
    except EngineError as error:
        _explain(error, world, desired)
        _name_what_holds(error, world, desired.stack.name)
        raise


def _name_what_holds(error: EngineError, world: World, stack: str) -> None:
    """Say of a container that was made and never started that it goes on to hold its boards."""
    with suppress(TtctlError):
        made = [one for one in world.engine.containers(stack) if one.state == "created"]
        if boards := [board for one in made for board in one.boards]:
            names = ", ".join(shown(world.host.system(), boards))
            text = f"{made[0].name} was made and holds {names}: `ttctl down {stack}` lets go"
            error.evidence = "\n".join(filter(None, (error.evidence, f"{text}.")))


def _explain(error: EngineError, world: World, desired: Desired) -> None:
    found = _found(error, world.failures)
    if found is None:
        return
    error.exit_code = found.failure.exit_code
    if found.cause not in error.why:
        error.why = f"{error.why.rstrip('.')}: {found.cause}." if error.why else f"{found.cause}."
    requested = desired.lock.requested
    up = typed_up(requested, desired.stack.name)
    if found.failure.name == TRACE_REGION:
        needed = int(found.groups[0])
        known, error.next_step = way_out(desired.spec, needed=needed, up=up)
        error.why = f"{error.why} ({known})" if known else error.why
    else:
        cache = quote(str(world.engine_files.cache(desired.serving.cache)))
        context = desired.spec.limits.max_model_len
        step = step_of(found, up=up, model=quote(requested), cache=cache, context=context)
        error.next_step = step or error.next_step


def _found(error: EngineError, known: Failures) -> Found | None:
    lines = error.evidence.splitlines()
    if (found := found_in(error.why, known)) is not None:
        return exact(lines, found, known)
    seen = [one for line in lines if (one := found_in(line, known)) is not None]
    return exact(lines, seen[0], known) if seen else None
