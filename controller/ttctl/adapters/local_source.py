# SPDX-License-Identifier: Apache-2.0
"""Take a checkout on this machine in place of a pinned commit: what git sees of it, no more."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.process import run
from ttctl.errors import ToolMissingError, UsageError
from ttctl.model.image import LocalSource
from ttctl.rules.checkouts import named_checkouts
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIST_S = 60.0
_TRACKED = ("--cached", "--recurse-submodules")
_NEW = ("--others", "--exclude-standard")
_PIECE = 1 << 20


def local_source(component: str, path: Path) -> LocalSource:
    """Return a checkout with the hash of what a build would take of it.

    That is what git tracks, its submodules too, and new files that it does not ignore, as they
    are now: what was compiled there before stays out. A build finds the hash anew, by the same
    kinds, bytes and names in the same order (images/source/fetch-source).

    Raises:
        UsageError: It is no checkout, or a file of it cannot be read.
    """
    path = path.absolute()
    if not str(path).isprintable():
        raise UsageError(
            "The checkout's path holds a character that cannot stand in a lock.",
            why="The lock names it, in one line.",
            evidence=f"Found {str(path)!r}.",
            next_step="ttctl lock --help",
        )
    total = hashlib.sha256()
    try:
        for name in _names(path):
            total.update(f"{_entry(path / name)} {name}\0".encode(errors="surrogateescape"))
    except OSError as exc:
        raise UsageError(
            f"The checkout {str(path)!r} cannot be read.",
            why=exc.strerror or "the file system refused",
            evidence=str(exc.filename),
            next_step=f"git -C {path} status",
        ) from exc
    return LocalSource(component=component, path=str(path), digest=total.hexdigest())


def sources_of(given: Sequence[str]) -> tuple[LocalSource, ...]:
    """Return the checkouts that `--source COMPONENT=PATH` names, each component once.

    Raises:
        UsageError: One is written otherwise, is named twice, or is no checkout.
    """
    return tuple(
        local_source(component, Path(path).expanduser())
        for component, path in named_checkouts(given).items()
    )


def check_tree(source: LocalSource, recipe: str, script: str) -> None:
    """Look whether a checkout is a tree that a recipe builds; its build does the same, hours later.

    Args:
        script: The text of images/source/check-tree.

    Raises:
        UsageError: It is not; it names the checkout and what it lacks.
    """
    try:
        done = run(["bash", "-c", script, "check-tree", recipe, source.path], timeout_s=LIST_S)
    except ToolMissingError:
        # The build has a bash of its own.
        return
    if done.returncode == 0:
        return
    said = redacted(done.tail(1))
    reason = said.rpartition(f" {recipe} builds: ")[2]
    raise UsageError(
        f"--source {source.component}={source.path} is not a tree that {recipe!r} builds.",
        why=f"{reason[:1].upper()}{reason[1:]}.",
        evidence=f"Found by the check that the build of {recipe!r} makes.",
        next_step=f"git -C {quote(source.path)} log -1   # then --source {source.component}=PATH",
    )


def stage_source(source: LocalSource, target: Path) -> None:
    """Copy what git sees of a checkout to `target`."""
    root = Path(source.path)
    for name in _names(root):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy, follow_symlinks=False)


def _names(path: Path) -> Iterator[str]:
    """Yield the relative paths of the files, each once, in the order of their bytes."""
    found = {name for kind in (_TRACKED, _NEW) for name in _listed(path, kind)}
    # A file that was removed since is listed still; a folder is a repository that is no submodule.
    yield from sorted((name for name in found if _is_taken(path / name)), key=os.fsencode)


def _is_taken(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _listed(path: Path, kind: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    done = run(
        ["git", "-C", str(path), "ls-files", "-z", *kind],
        timeout_s=LIST_S,
        on_line=lines.append,
        environ={**_without_git(), "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise UsageError(
            f"{str(path)!r} is no checkout that git can read.",
            why="A build takes from it what git tracks.",
            evidence=redacted(done.tail(3)),
            next_step=f"git -C {path} status",
        )
    return [name for name in "\n".join(lines).split("\0") if name]


def _without_git() -> dict[str, str]:
    """Return this user's variables, without those that name another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _entry(path: Path) -> str:
    """Return what a file is, as git tells files apart: link, program or text, and its bytes."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return f"link {hashlib.sha256(os.fsencode(path.readlink())).hexdigest()}"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return f"{'program' if found.st_mode & stat.S_IXUSR else 'file'} {digest.hexdigest()}"
