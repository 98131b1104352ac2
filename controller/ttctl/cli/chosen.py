# SPDX-License-Identifier: Apache-2.0
"""Which stack is meant? The one that was typed, else that of the folder's project."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.cli.wiring_files import wire_project_lock
from ttctl.errors import UsageError
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from ttctl.cli.session import Session
    from ttctl.model.spec import Request


def stack_word(session: Session, stack: str | None, project: str | None = None) -> str | None:
    """Return the stack that is meant; None where nothing says so, and the only one is.

    Args:
        session: The command's.
        stack: What stands where the verb has its stack.
        project: What `--project` says.

    Raises:
        UsageError: Both name one, and not the same.
    """
    if stack is not None and project is not None and stack != project:
        raise UsageError(
            f"Either the stack {stack!r} or {project!r}.",
            why="--project names a stack, too.",
            evidence="A command is for one stack.",
            next_step=shlex.join(["ttctl", "status", project]),
        )
    typed = project if stack is None else stack
    return session.project_stack if typed is None else typed


def is_projects(session: Session, request: Request) -> bool:
    """Return whether what is asked for is the stack of the folder's project."""
    return session.project_stack is not None and session.project_stack == stack_name(request)


def note_changed(session: Session) -> None:
    """Say what the project's settings and its lock do not agree on, before it is locked anew."""
    settings = session.settings
    stack, file = session.project_stack, settings.project_file
    if stack is None or file is None:
        return
    lock = wire_project_lock(file)
    if lock is None:
        return
    # A few words of a few settings, which no verb without a project needs.
    from ttctl.rules.project import no_longer_locked  # noqa: PLC0415

    keys = [f"up.{one}" for one in ("model", "device", "port", "max_model_len", "max_num_seqs")]
    found = [settings.find(key) for key in (*keys, "up.block_size")]
    said = {one.key: one.value for one in found if one.source == str(file)}
    if several := session.named_stack(str(said.get("up.model") or "")):
        said["up.model"] = several.model
    if text := no_longer_locked(lock, said, stack=stack):
        session.console.note(text)
