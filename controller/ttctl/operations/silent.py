# SPDX-License-Identifier: Apache-2.0
"""What is to be said of a stack that did not answer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, EngineError, TtctlError
from ttctl.operations.diagnose import READ
from ttctl.rules.fatal import said_since
from ttctl.rules.start_phase import PHASES, heard
from ttctl.rules.usual_start import NOT_SEEN, usual_of, usual_text

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World


def silent(world: World, stack: str, exc: EngineError) -> EngineError:
    """Return the refusal of a stack that did not answer, with what to do about this one."""
    starting = [one for one in world.engine.containers(stack) if one.health == "starting"]
    if starting:
        return EngineError(
            f"The stack {stack!r} is still starting.",
            why=f"{exc.message} {exc.why}".strip(),
            evidence="\n".join(filter(None, (exc.evidence, _doing(world, stack, starting[0])))),
            next_step=f"ttctl wait {stack}",
        )
    if exc.next_step in {"ttctl status", "ttctl logs --tail 50"}:
        verb, *rest = exc.next_step.split()[1:]
        exc.next_step = " ".join(["ttctl", verb, stack, *rest])
    return exc


def _doing(world: World, stack: str, one: ContainerState) -> str:
    """Return what a service that starts probably does, and how long such starts took here."""
    lines: tuple[str, ...] = ()
    with suppress(TtctlError):
        lines = world.engine.log_lines(one.container_id, tail=READ, since=said_since(one))
    name = PHASES[1].name
    for line in lines:
        name = heard(name, line)
    probably = next(phase.silent for phase in PHASES if phase.name == name)
    summary = None
    with suppress(BadFileError):
        summary = world.store.summary(stack)
    took = usual_of(world.starts.earlier(), summary.model, summary.device) if summary else ()
    return f"{one.service}: probably {probably}; {usual_text(took) or NOT_SEEN}"
