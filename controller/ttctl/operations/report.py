# SPDX-License-Identifier: Apache-2.0
"""Gather what is needed to find out why something does not work, and pack it for somebody else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError, UsageError
from ttctl.model.report import FailedPart, Piece, Report
from ttctl.operations.in_time import in_time
from ttctl.operations.report_looks import Scene, looks
from ttctl.rules.find import is_meant
from ttctl.rules.report_parts import (
    MOST_BYTES,
    MOST_LOG_BYTES,
    MOST_PART_BYTES,
    bounded,
    cut,
    json_text,
    laid_out,
    part_line,
    parts_of,
    plain,
    readme,
)
from ttctl.rules.scrub import Scrubber, secrets_in
from ttctl.rules.stack import names_of

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World
    from ttctl.model.report import Private, ReportPlace
    from ttctl.operations.in_time import Ended
    from ttctl.operations.report_looks import Look

DEFAULT_MODEL = "llama"
MOST_LEARNED = 4 << 20
"""Characters of a part that are searched for what looks like a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long it may take, and how much it may become."""

    limit_s: float = 45.0
    """For all parts together, which are looked at at the same time. Each has a shorter limit of its
    own; this one is for what hangs in spite."""
    engine_s: float = 21.0
    """For the first question to the engine: a little more than it has itself."""
    most_bytes: int = MOST_BYTES
    """Of everything together, before it is packed."""


USUAL = Bounds()


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
    bounds: Bounds = USUAL,
) -> Gathered:
    """Look at everything, of one stack or of all; what breaks or hangs does not end the rest.

    Args:
        world: Everything outside.
        offline: The same, of which no hub and no registry is asked.
        place: What else is asked of this place.
        word: The stack; a model that has none yet; None for all stacks.
        model: What `up` without a model would take.
        bounds: Of time and size.

    Raises:
        UsageError: There is no such stack, and no such model.
    """
    (asked,) = in_time([lambda: world.engine.containers(None)], limit_s=bounds.engine_s)
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
    return _gathered(scene, place.private(), bounds)


def _gathered(scene: Scene, private: Private, bounds: Bounds) -> Gathered:
    wanted = tuple(looks(scene))
    raw = in_time([partial(_looked, one) for one in wanted], limit_s=bounds.limit_s)
    # What one part gives away is taken out of all of them.
    learned = {word for one in raw if one.value for word in one.value.learned}
    scrub = Scrubber(replace(private, secrets=tuple(sorted({*private.secrets, *learned}))))
    ended = in_time([partial(_cleaned, one, scrub) for one in raw], limit_s=bounds.limit_s)
    failed = tuple(
        FailedPart(name=scrub.text(look.name), why=scrub.text(one.failure or cleaned.failure))
        for look, one, cleaned in zip(wanted, raw, ended, strict=True)
        if one.failure or cleaned.failure
    )
    pieces = [one.value for one in ended if one.value is not None]
    kept = bounded(laid_out(pieces), most_bytes=bounds.most_bytes)
    return Gathered(
        stacks=tuple(map(scrub.text, scene.stacks)),
        pieces=laid_out((*kept, *_pages(kept, failed))),
        failed=failed,
    )


def _pages(kept: tuple[Piece, ...], failed: tuple[FailedPart, ...]) -> tuple[Piece, Piece]:
    """Return what an archive says of itself, for people and for programs."""
    parts = parts_of(kept)
    summary = {
        "schema": "ttctl.report-parts/1",
        "parts": plain(parts),
        "failed": plain(failed),
    }
    listed = Piece(name="report.json", why="The same list for programs.", text=json_text(summary))
    return readme(parts, failed), listed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A part as it was found."""

    look: Look
    value: object
    learned: frozenset[str]
    """What looks like a secret in it."""


def _looked(look: Look) -> _Raw | None:
    found = look.run()
    if found is None:
        return None
    value = plain(found)
    text = value if isinstance(value, str) else json_text(value)
    return _Raw(look=look, value=value, learned=secrets_in(text[:MOST_LEARNED]))


def _cleaned(raw: Ended[_Raw | None], scrub: Scrubber) -> Piece | None:
    if raw.value is None:
        return None
    look, value = raw.value.look, raw.value.value
    name, why = scrub.text(look.name), scrub.text(look.why)
    if not isinstance(value, str):
        return Piece(name=name, why=why, text=json_text(scrub.value(value)))
    # Cut between lines, before what would take long is cleaned: no secret is parted.
    short = cut(Piece(name=name, why=why, text=value, tail=look.tail), MOST_PART_BYTES)
    piece = replace(short, text=scrub.text(short.text))
    return cut(piece, MOST_LOG_BYTES) if look.tail else piece


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
