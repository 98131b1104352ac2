# SPDX-License-Identifier: Apache-2.0
"""`ttctl lock`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.request import takes_request
from ttctl.cli.session import session_of
from ttctl.model.lock import Lock, LockedImage
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.lock_check import check_lock
from ttctl.rules.derived import derived_text

app = typer.Typer(add_completion=False, rich_markup_mode=None)
UNRESOLVED = "unresolved"
OF_KIND = {"hub": UNRESOLVED, "bundled": "shipped", "folder": "a folder of yours"}
"""What stands in the place of a commit where there is none."""
LATEST = "the newest release's arguments, which were not validated with this image"


@app.command()
@takes_request
def lock(
    ctx: typer.Context,
    *,
    request: Request,
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade",
            help="Ask again for what was locked before; limits go back to the catalog's.",
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only say whether lock and rendered folder are as they were written; the numbers"
            " of device nodes, compose.override.yaml and secrets are not covered.",
        ),
    ] = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Make every floating reference exact, and start nothing."""
    session = session_of(ctx)
    if check:
        kept = check_lock(session.world, request)
        session.show("lock", kept, f"{lock_text(kept)}\nchecked  lock and folder are as written")
        return
    made = operations.lock(
        session.world, request, upgrade=upgrade, dry_run=dry_run, lock_timeout_s=lock_timeout
    )
    head = "Would be locked:\n" if dry_run else ""
    session.show("lock", made, f"{head}{lock_text(made)}")


def lock_text(lock: Lock) -> str:
    """Show what is exact, and what is not."""
    size = sum(file.size_bytes for file in lock.weights.files)
    revision = lock.weights.revision or OF_KIND[lock.weights.kind]
    lines = [
        f"{lock.stack}: {lock.model} on {lock.device} ({lock.reason})",
        *([f"mind     experimental: {lock.experimental}"] if lock.experimental else []),
        *([f"mind     {derived_text(lock.derived_from)}"] if lock.derived_from else []),
        *([f"mind     {LATEST}"] if lock.values else []),
        f"base     {lock.base.source}  {lock.base.origin}  digest {lock.base.digest or UNRESOLVED}",
        *(f"image    {image.reference}{_from(image)}" for image in lock.images),
        *(f"commit   {component} {commit}" for component, commit in lock.commits),
        (
            f"weights  {lock.weights.repository}  {revision}  "
            f"{len(lock.weights.files)} files, {size / 1e6:.1f} MB"
        ),
        f"catalog  sha256:{lock.catalog_sha256}",
        f"files    sha256:{lock.files_sha256}",
    ]
    return "\n".join(lines)


def _from(image: LockedImage) -> str:
    yours = f"  yours: {image.yours}" if image.yours else ""
    return f"{yours}  unvalidated: from {image.unvalidated}" if image.unvalidated else yours
