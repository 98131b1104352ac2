# SPDX-License-Identifier: Apache-2.0
"""Gather what is needed to find out why something does not work, and pack it for somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError, UsageError
from ttctl.model.report import FailedPart, Piece, Report
from ttctl.operations.in_time import in_time
from ttctl.operations.report_looks import Look, Scene, looks
from ttctl.rules.find import is_meant
from ttctl.rules.report_parts import (
    MOST_LOG_BYTES,
    bounded,
    cut,
    json_text,
    laid_out,
    part_line,
    parts_of,
    plain,
    readme,
)
from ttctl.rules.scrub import Scrubber
from ttctl.rules.stack import names_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World
    from ttctl.model.report import ReportPlace

LIMIT_S = 45.0
"""For all parts together, which are looked at at the same time. Each has a shorter limit of its
own; this one is for what hangs in spite."""
ENGINE_S = 21.0
"""For the first question to the engine: a little more than it has itself."""
DEFAULT_MODEL = "llama"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Everything that goes into an archive, cleaned and cut to size, and what could not be had."""

    stacks: tuple[str, ...]
    pieces: tuple[Piece, ...]
    failed: tuple[FailedPart, ...]

    def report(self, file: Path, *, size_bytes: int = 0) -> Report:
        """Return what is said of the archive; it was written where it has a size."""
        return Report(
            file=file,
            written=bool(size_bytes),
            size_bytes=size_bytes,
            stacks=self.stacks,
            parts=parts_of(self.pieces),
            failed=self.failed,
        )


def gather(
    world: World,
    offline: World,
    place: ReportPlace,
    word: str | None,
    *,
    model: str = "",
    limit_s: float = LIMIT_S,
    engine_s: float = ENGINE_S,
) -> Gathered:
    """Look at everything, of one stack or of all; what breaks or hangs does not end the rest.

    Args:
        world: Everything outside.
        offline: The same, of which no hub and no registry is asked.
        place: What else is asked of this place.
        word: The stack; a model that has none yet; None for all stacks.
        model: What `up` without a model would take.
        limit_s: For all parts together.
        engine_s: For the first question to the engine.

    Raises:
        UsageError: There is no such stack, and no such model.
    """
    (asked,) = in_time([lambda: world.engine.containers(None)], limit_s=engine_s)
    seen = asked.value or ()
    stacks, wanted = _meant(world, word, seen, model=model)
    scene = Scene(
        world=world,
        offline=offline,
        place=place,
        stacks=stacks,
        model=wanted,
        seen=seen,
        refusal=asked.failure,
    )
    return _gathered(scene, Scrubber(place.private()), limit_s=limit_s)


def _gathered(scene: Scene, scrub: Scrubber, *, limit_s: float) -> Gathered:
    # Cleaned in its own thread: what takes too long for that is left out as a whole.
    wanted = tuple(looks(scene))
    ended = in_time([_cleaned(one, scrub) for one in wanted], limit_s=limit_s)
    pieces = [one.value for one in ended if one.value is not None]
    failed = tuple(
        FailedPart(name=scrub.text(look.name), why=scrub.text(one.failure))
        for look, one in zip(wanted, ended, strict=True)
        if one.failure
    )
    kept = bounded(laid_out(pieces))
    page = readme(parts_of(kept), failed)
    summary = {
        "schema": "ttctl.report-parts/1",
        "parts": plain(parts_of(kept)),
        "failed": plain(failed),
    }
    listed = Piece(name="report.json", why="The same list for programs.", text=json_text(summary))
    return Gathered(
        stacks=tuple(map(scrub.text, scene.stacks)),
        pieces=laid_out((*kept, page, listed)),
        failed=failed,
    )


def _cleaned(look: Look, scrub: Scrubber) -> Callable[[], Piece | None]:
    def run() -> Piece | None:
        found = look.run()
        if found is None:
            return None
        text = scrub.text(found) if isinstance(found, str) else _json(found, scrub)
        name, why = scrub.text(look.name), scrub.text(look.why)
        piece = Piece(name=name, why=why, text=text, tail=look.tail)
        return cut(piece, MOST_LOG_BYTES) if look.tail else piece

    return run


def _json(value: object, scrub: Scrubber) -> str:
    return json_text(scrub.value(plain(value)))


def _meant(
    world: World, word: str | None, seen: tuple[ContainerState, ...], *, model: str
) -> tuple[tuple[str, ...], str]:
    """Return the stacks that are meant, and what `up` would be asked for where there is none."""
    owner = world.store.owner()
    here = tuple(sorted({one.stack for one in seen if one.owner == owner} | set(_stored(world))))
    if word is None:
        return here, "" if here else model or DEFAULT_MODEL
    for name in names_of(word):
        if name in here:
            return (name,), ""
    if is_meant(world.catalog.specs(), word):
        return (), word
    raise UsageError(
        f"There is no stack and no model {word!r}.",
        why="Neither a lock, a container nor an entry of the catalog has this name.",
        evidence=f"Stacks: {', '.join(here) or 'none'}.",
        next_step="ttctl report",
        mistyped=word,
        meant=next(iter(get_close_matches(word, here, n=1)), ""),
    )


def _stored(world: World) -> tuple[str, ...]:
    """Return the stacks with a lock; where they cannot be listed, the doctor's findings say so."""
    try:
        return world.store.stacks()
    except (TtctlError, OSError):
        return ()


def write(gathered: Gathered, place: ReportPlace, file: Path, *, force: bool) -> Report:
    """Write the archive and say what is in it.

    Raises:
        UsageError: Something of this name is there by now.
        TtctlError: The file system refused.
    """
    size_bytes = place.write(file, gathered.pieces, force=force)
    return gathered.report(file, size_bytes=size_bytes)


def listing(report: Report) -> list[str]:
    """Return a line for each part, and for each that could not be had."""
    lines = [part_line(one) for one in report.parts]
    return lines + [f"not had: {one.name}: {one.why}" for one in report.failed]
