# SPDX-License-Identifier: Apache-2.0
"""Write files into one .tar.gz: whole or not at all, for the user alone, the same for the same."""

from __future__ import annotations

import errno
import gzip
import os
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import STRAY_PREFIX, nearest_folder
from ttctl.adapters.picture_files import NO_LINKS
from ttctl.errors import TtctlError, UsageError
from ttctl.rules.report_parts import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

    from ttctl.model.report import Piece

MODE = 0o600


def check_name(file: Path, *, force: bool) -> None:
    """Refuse a name that an archive cannot be written under.

    Raises:
        UsageError: Something is there already, or the folder is not.
    """
    if not file.parent.is_dir():
        raise UsageError(
            f"There is no folder {str(file.parent)!r}.",
            why="The archive would be written into it.",
            next_step=f"mkdir -p {quote(str(file.parent))}",
        )
    if file.is_dir():
        raise UsageError(
            f"{str(file)!r} is a folder.",
            why="The archive is one file.",
            next_step=f"ttctl report -o {quote(str(file / 'report.tar.gz'))}",
        )
    if os.path.lexists(file) and not force:
        raise _taken(file)


def write_archive(
    file: Path,
    pieces: Sequence[Piece],
    *,
    force: bool,
    link: Callable[[Path, Path], None] = os.link,
) -> int:
    """Write the archive and return its size.

    Args:
        file: Its name.
        pieces: What goes into it, in this order.
        force: Whether a file of this name is replaced.
        link: Gives a file a second name, which fails where that is taken.

    Raises:
        UsageError: Something is there by now.
        TtctlError: The file system refused.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=STRAY_PREFIX, dir=file.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                _pack(out, pieces)
                out.flush()
                os.fchmod(out.fileno(), MODE)
                os.fsync(out.fileno())
            size = temporary.stat().st_size
            _give_name(temporary, file, force=force, link=link)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as exc:
        full = exc.errno in {errno.ENOSPC, errno.EDQUOT}
        raise TtctlError(
            f"{str(file)!r} could not be written.",
            why=exc.strerror or str(exc),
            evidence="What was there before is unchanged.",
            next_step=f"{'df -h' if full else 'ls -ld'} {quote(str(nearest_folder(file.parent)))}",
        ) from exc
    return size


def _give_name(
    temporary: Path, file: Path, *, force: bool, link: Callable[[Path, Path], None]
) -> None:
    if force:
        temporary.replace(file)
        return
    try:
        # A second name is refused where it is taken; a new name would replace what is there.
        link(temporary, file)
    except FileExistsError as exc:
        raise _taken(file) from exc
    except OSError as exc:
        if exc.errno not in NO_LINKS:
            raise
        if os.path.lexists(file):
            raise _taken(file) from exc
        temporary.replace(file)


def _pack(out: IO[bytes], pieces: Sequence[Piece]) -> None:
    # No name and no time in gzip's own head: the same pieces give the same bytes.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for piece in pieces:
            data = piece.text.encode(errors="replace")
            member = tarfile.TarInfo(f"{FOLDER}/{piece.name}")
            member.size, member.mode = len(data), MODE
            archive.addfile(member, BytesIO(data))


def _taken(file: Path) -> UsageError:
    return UsageError(
        f"{str(file)!r} is there already.",
        why="An archive is never written over another file unasked.",
        evidence="What is there is unchanged.",
        next_step=f"ttctl report -o {quote(str(file))} --force   # or another name behind -o",
        added="--force",
    )
