# SPDX-License-Identifier: Apache-2.0
"""`ttctl ps`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from ttctl.cli.session import Session, session_of
from ttctl.model.container import ContainerState, StackWithout
from ttctl.operations import ps as operations
from ttctl.rules.board_names import shown
from ttctl.rules.to_end import is_stopped

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def ps(
    ctx: typer.Context,
    *,
    every: Annotated[
        bool, typer.Option("--all", "-a", help="Stopped containers too, and stacks without one.")
    ] = False,
    only_ids: Annotated[bool, typer.Option("--ids", "-q", help="Only container ids.")] = False,
) -> None:
    """List the containers of all stacks."""
    session = session_of(ctx)
    states = operations.containers(session.world, every=every)
    if only_ids:
        # What is listed so is given to other commands: docker rm, say.
        owner = session.world.store.owner()
        own = tuple(state for state in states if state.owner == owner)
        if others := len(states) - len(own):
            session.console.note(f"{others} of other users of ttctl are left out: ttctl ps")
        states = own
        session.show("ps", states, "\n".join(state.container_id[:12] for state in states))
        return
    without = operations.without(session.world, states) if every else ()
    session.show("ps", (*states, *without), ps_text(session, states, without))


def ps_text(
    session: Session, states: Sequence[ContainerState], without: Sequence[StackWithout] = ()
) -> str:
    """Lay containers out as a table, and stacks without one; those of another user are marked.

    The boards have a column where a container has one.
    """
    owner = session.world.store.owner()
    leased = any(state.boards for state in states)
    system = session.world.host.system() if leased else None
    stopped = _stopped(states)
    rows = [
        (
            state.stack if state.owner == owner else f"{state.stack} (another user's)",
            state.service,
            _state(state, stopped),
            "-" if state.state == "exited" else state.health or "-",
            ", ".join(f"{host}:{port}->{inner}" for host, port, inner in state.ports) or "-",
            *((", ".join(shown(system, state.boards)) or "-",) if system else ()),
            image_text(state.image),
        )
        for state in states
    ]
    dashes = ("-",) * (4 if leased else 3)
    rows += [(one.stack, "-", one.state, *dashes) for one in without]
    boards = ("BOARDS",) if leased else ()
    head = ("STACK", "SERVICE", "STATE", "HEALTH", "PORTS", *boards, "IMAGE")
    return session.table(head, rows)


def _stopped(states: Sequence[ContainerState]) -> frozenset[tuple[str, str]]:
    """Return (stack, owner) of those that a stop ended."""
    each = {(one.stack, one.owner) for one in states}
    return frozenset(
        of for of in each if is_stopped([one for one in states if (one.stack, one.owner) == of])
    )


def _state(one: ContainerState, stopped: Collection[tuple[str, str]]) -> str:
    if (one.stack, one.owner) in stopped:
        return "stopped"
    return one.state if one.state != "exited" else f"exited ({one.exit_code})"


def image_text(reference: str) -> str:
    """Return an image's name without its registry, and as much of a digest as tells it apart."""
    name, at, digest = reference.partition("@")
    if not at:
        return reference
    return f"{name.rpartition('/')[2]}@{digest[:19]}"
