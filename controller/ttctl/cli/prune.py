# SPDX-License-Identifier: Apache-2.0
"""`ttctl prune`."""

from __future__ import annotations

import os
import shlex
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.model.litter import KINDS
from ttctl.operations import prune as operations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.litter import Leftovers, Litter, Pruned

app = typer.Typer(add_completion=False, rich_markup_mode=None)

COLUMNS = ("KIND", "SIZE", "NAME", "WHY")


def _known(words: list[str] | None) -> list[str] | None:
    for word in words or ():
        if word not in KINDS:
            near = next(iter(get_close_matches(word, KINDS, n=1)), "")
            raise UsageError(
                f"There is no kind {word!r} of what may go.",
                why="Something else would be removed than was meant.",
                evidence=f"Kinds: {', '.join(KINDS)}.",
                next_step="ttctl prune --dry-run",
                mistyped=word,
                meant=near,
            )
    return words


@app.command()
def prune(
    ctx: typer.Context,
    *,
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND]...", help=f"Of {', '.join(KINDS)} [default: all].", callback=_known
        ),
    ] = None,
    dry_run: options.DryRun = False,
) -> None:
    """Remove what no stack has a use for any more; asks first.

    Images that ttctl built and caches of engines that neither a lock nor a kept generation names,
    temporary files of killed commands, containers that were made and never started. What has no
    label of ttctl's is never looked at. Another user of this container engine may have locked an
    image that is listed: it is made anew from its recipe then.
    """
    session = session_of(ctx)
    place, wanted = _place(), tuple(one for one in KINDS if one in (kinds or KINDS))
    found = operations.look(session.world, place, wanted)
    for mind in found.minds:
        session.console.note(f"mind: {mind}")
    if dry_run or not found.found:
        session.show("prune", found, _listed(session, found))
        return
    session.console.note(_listed(session, found))
    again = shlex.join(["ttctl", "prune", *(kinds or ()), "--yes"])
    if not session.console.agrees(f"Remove {_sum(found.found)}?", next_step=again):
        session.show("prune", found, "Nothing was removed.")
        return
    done = operations.prune(session.world, place, wanted)
    lines = [f"Removed {_sum(done.removed)}."]
    lines += [f"left     {one.name}: {one.why}" for one in done.left]
    session.show("prune", done, "\n".join(lines))


def _place() -> Leftovers:
    from ttctl.adapters import places  # noqa: PLC0415 - for this verb alone
    from ttctl.adapters.leftovers import LocalLeftovers  # noqa: PLC0415

    environ = dict(os.environ)
    return LocalLeftovers(environ, folders=(places.state(environ), places.cache(environ)))


def _listed(session: Session, found: Pruned) -> str:
    if not found.found:
        return "There is nothing to remove."
    rows = [(one.kind, _size(one.size_bytes), one.name, one.why) for one in found.found]
    return f"{session.table(COLUMNS, rows)}\n{_sum(found.found)}, shared layers counted each time"


def _sum(found: Sequence[Litter]) -> str:
    counts = {kind: sum(one.kind == kind for one in found) for kind in KINDS}
    parts = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    size = _size(sum(one.size_bytes for one in found))
    return f"{', '.join(parts) or 'nothing'} ({size})"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"  # noqa: PLR2004
