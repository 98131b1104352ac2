# SPDX-License-Identifier: Apache-2.0
"""Make a project's folder: its settings, commented, and its lock."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, InterruptedByUserError, TtctlError, UsageError
from ttctl.model.project import PROJECT_LOCK, SETTINGS_NAME, Project
from ttctl.operations.choose import understood
from ttctl.operations.plan import lock
from ttctl.rules.project import project_name, project_text
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.model.project import ProjectFiles
    from ttctl.model.protocols import World
    from ttctl.model.settings import Value
    from ttctl.model.spec import Request


def check_free(folder: Path, files: ProjectFiles) -> None:
    """Refuse a folder that has a project's files: nothing is written over them.

    Raises:
        UsageError: It has, or is no folder.
    """
    if taken := files.taken():
        raise UsageError(
            f"{str(folder / taken[0])!r} is there already.",
            why="It is somebody's: nothing is written over it.",
            evidence=f"In the folder: {', '.join(taken)}.",
            next_step="ttctl config show   # in that folder; or name another folder",
        )


def name_for(world: World, folder: Path, model: str, *, named: str | None) -> str:
    """Return what the stack of a folder is called; a name that nobody typed is no other stack's.

    Raises:
        UsageError: A stack of the folder's name is there already.
    """
    if named is not None:
        return named
    name = project_name(folder.name, model)
    if name not in world.store.stacks() and not world.engine.containers(name):
        return name
    free = next(
        one
        for one in (f"{name[:40]}-{number}" for number in range(2, 1000))
        if one not in world.store.stacks()
    )
    raise UsageError(
        f"There is a stack {name!r} already.",
        why="A folder's stack has the folder's name, and two folders are two stacks.",
        evidence=str(world.store.folder(name)),
        next_step=shlex.join(["ttctl", "init", str(folder), model, "--project", free]),
    )


def init(
    world: World,
    request: Request,
    *,
    folder: Path,
    files: ProjectFiles,
    chosen: Mapping[str, Value],
    dry_run: bool = False,
) -> Project:
    """Write a folder's `ttctl.toml` and its lock; nothing that is there is written over.

    Args:
        world: Everything outside.
        request: What `up` asks for in the folder.
        folder: The folder, made where it is missing.
        files: Its files.
        chosen: What stands in the settings as more than a comment, by key.
        dry_run: Only say it.

    Raises:
        UsageError: There is such a file already, or no such model.
    """
    check_free(folder, files)
    understood(world, request)
    text = project_text(chosen)
    if files.values(text) != dict(chosen):
        raise BadFileError(
            f"What would be written to {str(folder / SETTINGS_NAME)!r} is not what was meant.",
            why="Read back, it says something else; nothing was written.",
            evidence=f"meant: {', '.join(f'{key} = {value}' for key, value in chosen.items())}",
            next_step="ttctl config show --all",
        )
    if not dry_run:
        files.write(SETTINGS_NAME, text)
    why = _locked(world, request, files, dry_run=dry_run)
    return Project(
        folder=folder,
        stack=stack_name(request),
        model=request.model,
        files=(SETTINGS_NAME,) if why else (SETTINGS_NAME, PROJECT_LOCK),
        settings=text,
        locked=not why,
        why_unlocked=why,
        dry_run=dry_run,
    )


def _locked(world: World, request: Request, files: ProjectFiles, *, dry_run: bool) -> str:
    """Make the lock as `ttctl lock` does; return why it could not be, nothing where it could."""
    try:
        made = lock(world, request, upgrade=False, dry_run=dry_run)
    except (UsageError, InterruptedByUserError):
        raise
    except TtctlError as error:
        return " ".join(part for part in (error.message, error.why) if part)
    if not dry_run:
        files.write(PROJECT_LOCK, world.folders.lock_text(made))
    return ""
