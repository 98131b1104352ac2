# SPDX-License-Identifier: Apache-2.0
"""`ttctl devices reset` and `ttctl devices clear`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.model.reset import ResetResult
from ttctl.operations import reset as operations
from ttctl.rules.reset import check_reset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.reset import ClearResult, ResetPlan

Boards = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[BOARD]...",
        help="Numbers, nodes or PCI addresses of boards [default: those that need a reset].",
        show_default=False,
    ),
]
Every = Annotated[bool, typer.Option("--all", help="Every board of this machine.")]


def reset(
    ctx: typer.Context,
    *,
    boards: Boards = None,
    every: Every = False,
    image: Annotated[
        str, typer.Option("--image", help="Use tt-smi of this image, not the host's.")
    ] = "",
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Reset boards, and all that are linked to them; asks first."""
    session = session_of(ctx)
    wish = operations.ResetWish(words=tuple(boards or ()), every=every, image=image)
    plan = operations.plan(session.world, wish)
    if dry_run:
        result = ResetResult(plan=plan, done=False)
        session.show("devices-reset", result, "\n".join(_plan_lines(plan)))
        return
    check_reset(plan)
    for line in (*plan.reasons, *plan.warnings):
        session.console.note(line)
    question = f"Reset {_count(plan.boards)} ({', '.join(plan.nodes)})?"
    if not session.console.agrees(question, next_step=_again("reset", wish)):
        session.show("devices-reset", ResetResult(plan=plan, done=False), "Nothing was reset.")
        return
    found = operations.reset(session.world, wish, lock_timeout_s=lock_timeout)
    session.show("devices-reset", found, "\n".join(_done_lines(found)))


def clear(
    ctx: typer.Context,
    *,
    boards: Boards = None,
    every: Every = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Take boards for clean without a reset, and remove what nobody uses; asks first."""
    session = session_of(ctx)
    wish = operations.ResetWish(words=tuple(boards or ()), every=every)
    found = operations.to_clear(session.world, wish)
    if dry_run:
        session.show("devices-clear", found, "\n".join(_clear_lines(found, "would ")))
        return
    parts = [f"take {_count(found.boards)} for clean"] if found.boards else []
    parts += [f"remove {', '.join(found.hugepages)}"] if found.hugepages else []
    asked = " and ".join(parts)
    question = f"{asked[:1].upper()}{asked[1:]}?"
    if session.console.agrees(question, next_step=_again("clear", wish)):
        found = operations.clear(session.world, wish, lock_timeout_s=lock_timeout)
        text = "\n".join(_clear_lines(found, ""))
    else:
        text = "Nothing was changed."
    session.show("devices-clear", found, text)


def _plan_lines(plan: ResetPlan) -> Iterator[str]:
    yield f"boards   {', '.join(plan.boards)}"
    yield f"nodes    {', '.join(plan.nodes) or 'none'}"
    yield f"stacks   {', '.join(plan.stacks) or 'none'}"
    yield f"how      tt-smi {'-glx_reset' if plan.galaxy else '-r'}, at most 180 s"
    for board, why in plan.dirty:
        yield f"dirty    {board}: {why}"
    for line in plan.reasons:
        yield f"why      {line}"
    for line in plan.warnings:
        yield f"warning  {line}"
    for line in plan.blocked:
        yield f"blocked  {line}"
    if plan.release:
        yield f"next     {plan.release}"


def _done_lines(found: ResetResult) -> Iterator[str]:
    yield f"Reset {_count(found.plan.boards)} in {found.seconds:.0f} s."
    for one in found.renumbered:
        yield f"board {one.board}: {', '.join(one.before)} is now {', '.join(one.after) or 'gone'}"
    if not found.renumbered:
        yield "Every board has the nodes that it had before."


def _clear_lines(found: ClearResult, would: str) -> Iterator[str]:
    if found.boards:
        verb = "count" if would else "counts" if len(found.boards) == 1 else "count"
        yield f"{', '.join(found.boards)} {would}{verb} as clean."
    for name in found.hugepages:
        yield f"/dev/hugepages-1G/{name} {'would be' if would else 'was'} removed."


def _count(found: tuple[str, ...], what: str = "board") -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"


def _again(verb: str, wish: operations.ResetWish) -> str:
    words = [*wish.words, *(["--all"] if wish.every else [])]
    words += ["--image", wish.image] if wish.image else []
    return shlex.join(["ttctl", "devices", verb, *words, "--yes"])
