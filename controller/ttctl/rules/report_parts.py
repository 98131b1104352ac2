# SPDX-License-Identifier: Apache-2.0
"""How is a diagnostic archive laid out, how large may it be, and what does it say of itself? Pure.

The same parts give the same archive.
"""

from __future__ import annotations

import json
import re
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.model.report import Piece, ReportPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.report import FailedPart

FOLDER = "ttctl-report"
"""The one folder that an archive unpacks to."""
README = "README.txt"
MOST_BYTES = 16 << 20
"""Of everything in an archive before it is packed: what a bug tracker still takes, packed."""
MOST_LINES = 1000
"""Of a container's log, from its end."""
MOST_LOG_BYTES = 1 << 20
"""Of a container's log, from its end."""
MOST_PART_BYTES = 1 << 20
"""Of a file that is not made here, before it is cleaned."""
RAW_LINE = 16 << 10
"""Characters of a line that are looked at; what is kept of it is less, so that no secret that this
cut parts is kept."""

_ODD = re.compile(r"[^A-Za-z0-9._/-]+")


def json_text(value: object) -> str:
    """Return a value as a JSON text for people and programs."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def plain(value: object) -> object:
    """Return a value as JSON has it: objects, lists, strings, numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(one) for one in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def log_text(lines: Sequence[str]) -> str:
    """Return a log's last lines as one text, none of them endless."""
    return "\n".join(line[:RAW_LINE] for line in lines[-MOST_LINES:]) + "\n" if lines else ""


def safe_name(name: str) -> str:
    """Return a path that unpacks below the archive's own folder, whatever it is made of."""
    parts = [part for part in _ODD.sub("_", name).split("/") if part.strip(".")]
    return "/".join(parts) or "_"


def laid_out(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the files by their names, each name safe and used once."""
    used: set[str] = set()
    found = []
    for piece in sorted(pieces, key=lambda one: (one.name, one.text)):
        name, count = safe_name(piece.name), 1
        while name in used:
            count += 1
            name = f"{safe_name(piece.name)}.{count}"
        used.add(name)
        found.append(replace(piece, name=name))
    return tuple(sorted(found, key=lambda one: one.name))


def bounded(pieces: Sequence[Piece], *, most_bytes: int = MOST_BYTES) -> tuple[Piece, ...]:
    """Return files that together are no larger than a limit: the largest are cut to one size."""
    cap = _cap([len(one.text.encode()) for one in pieces], most_bytes)
    return tuple(cut(one, cap) for one in pieces)


def _cap(sizes: Sequence[int], most: int) -> int:
    """Return the size to which the largest have to be cut; the small ones stay whole."""
    if sum(sizes) <= most:
        return max(sizes, default=0)
    left = most
    ordered = sorted(sizes)
    for at, size in enumerate(ordered):
        share = left // (len(ordered) - at)
        if size > share:
            return share
        left -= size
    return left


def cut(piece: Piece, most_bytes: int) -> Piece:
    """Return a file that is no larger, of whole lines; of a log the last, else the first."""
    data = piece.text.encode()
    if len(data) <= most_bytes:
        return piece
    if piece.tail:
        kept = data[len(data) - most_bytes :].decode(errors="ignore")
        kept = kept.partition("\n")[2] if "\n" in kept.rstrip("\n") else kept
    else:
        kept = data[:most_bytes].decode(errors="ignore")
        kept = kept[: kept.rfind("\n") + 1] or kept
    missing = len(data) - len(kept.encode())
    return replace(piece, text=kept, cut_bytes=piece.cut_bytes + missing)


def parts_of(pieces: Iterable[Piece]) -> tuple[ReportPart, ...]:
    """Return what is said of each file."""
    return tuple(
        ReportPart(
            name=one.name,
            size_bytes=len(one.text.encode()),
            why=one.why,
            cut_bytes=one.cut_bytes,
        )
        for one in pieces
    )


def readme(parts: Sequence[ReportPart], failed: Sequence[FailedPart]) -> Piece:
    """Return the archive's own page: what is in it, and what could not be had."""
    lines = [
        "What `ttctl report` gathered to find out why something does not work.",
        "",
        "Keys, tokens, passwords, the user's name, the home folder and the host's name were taken",
        "out: *** stands in place of a secret, USER, ~ and HOST in place of names. Files that hold",
        "this place's passwords (rendered/site) are left out. Look through it before you send it:",
        "what containers print of your own data is not known to be private.",
        "",
        "In here:",
        *(f"  {part_line(one)}" for one in parts),
    ]
    if failed:
        lines += ["", "Not had:", *(f"  {one.name}: {one.why}" for one in failed)]
    return Piece(name=README, why="What is in here, and what is not.", text="\n".join(lines) + "\n")


def part_line(part: ReportPart) -> str:
    """Say one file: its name, its size, what it is good for, how much of it is missing."""
    said = f"{part.name}  {_size(part.size_bytes)}  {part.why}"
    return f"{said} (cut: {_size(part.cut_bytes)} left out)" if part.cut_bytes else said


def _size(size_bytes: int) -> str:
    if size_bytes < 1 << 10:
        return f"{size_bytes} B"
    if size_bytes < 1 << 20:
        return f"{size_bytes / (1 << 10):.1f} KiB"
    return f"{size_bytes / (1 << 20):.1f} MiB"
