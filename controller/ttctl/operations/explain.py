# SPDX-License-Identifier: Apache-2.0
"""Say of a start that failed what mends it, where the engine's log tells."""

from __future__ import annotations

from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.rules.fatal import cause_of, exact, is_vague, sign_of
from ttctl.rules.trace_region import way_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

TRACE_REGION = "trace-region"
LEAST_CONTEXT = 16


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
        raise


def _explain(error: EngineError, world: World, desired: Desired) -> None:
    line = error.why
    if sign_of(line) is None or is_vague(line):
        line = exact(error.evidence.splitlines(), line)
    found = sign_of(line)
    if found is None:
        return
    sign, groups = found
    cause = cause_of(line) or ""
    if cause not in error.why:
        error.why = f"{error.why.rstrip('.')}: {cause}." if error.why else f"{cause}."
    requested = quote(desired.lock.requested)
    if sign.name == TRACE_REGION:
        known, error.next_step = way_out(desired.spec, needed=int(groups[0]), requested=requested)
        error.why = f"{error.why} ({known})" if known else error.why
    elif sign.next_step:
        error.next_step = sign.next_step.format(
            model=requested,
            cache=quote(str(world.engine_files.cache(desired.serving.cache))),
            context=max(LEAST_CONTEXT, desired.spec.limits.max_model_len // 2),
        )
