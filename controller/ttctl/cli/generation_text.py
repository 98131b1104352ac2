# SPDX-License-Identifier: Apache-2.0
"""Lay out generations of a stack, and what is another between two of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.cli.ps import image_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ttctl.cli.palette import Palette
    from ttctl.cli.session import Session
    from ttctl.model.generation import Difference, Exchanged, FileMoved, GenerationRow

SHOWN = 20
"""Lines of a file that are shown; `--json` has all of them."""
COMMIT = 12
HEAD = ("", "NUMBER", "READY", "MODEL", "DEVICE", "ENGINE", "MADE OF", "WHY")


def history_text(session: Session, rows: Iterable[GenerationRow]) -> str:
    """Lay generations out as a table; the one that serves has a mark."""
    table = [
        (
            "*" if one.serves else "",
            str(one.number),
            one.at.replace("T", " ").removesuffix("Z"),
            one.model.rpartition("/")[2],
            one.device,
            one.engine,
            ", ".join(_made_of(one)),
            one.why,
        )
        for one in rows
    ]
    if not table:
        return "No generation is kept yet: one is made when a changed stack becomes ready."
    return session.table(HEAD, table)


def _made_of(one: GenerationRow) -> Iterator[str]:
    for component, _, commit in (pin.partition(" ") for pin in one.pins):
        yield f"{component} {commit[:COMMIT]}"
    if one.revision:
        yield f"weights {one.revision[:COMMIT]}"
    yield from (image_text(image).removeprefix("ttctl/") for image in one.images)


def difference_text(found: Difference, paint: Palette) -> str:
    """Say which values and which lines are another; nothing for none."""
    lines = [f"{found.stack}:"]
    for one in found.values:
        before, after = one.before or "none", one.after or "none"
        lines.append(f"  {one.name}: {before} -> {after}")
    for file in found.files:
        lines += _file_lines(file, paint)
    return "\n".join(lines)


def _file_lines(file: FileMoved, paint: Palette) -> Iterator[str]:
    yield f"  {file.path}: {file.move}"
    shown = file.lines if file.move == "changed" else ()
    for line in shown[:SHOWN]:
        yield f"    {paint.paint(line, 'good' if line.startswith('+') else 'bad')}"
    if len(shown) > SHOWN:
        yield f"    and {len(shown) - SHOWN} lines more, which --json has"


def exchanged_text(done: Exchanged) -> str:
    """Say what serves now."""
    if not done.changed:
        return f"{done.stack}: nothing was changed"
    number = f" as generation {done.generation}" if done.generation else ""
    return (
        f"{done.stack} is up{number} ({done.why}, {done.seconds:.1f} s)\n"
        f"\nbase URL   {done.url}/v1\nback       ttctl rollback {done.stack}"
    )
