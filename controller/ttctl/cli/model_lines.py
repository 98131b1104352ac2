# SPDX-License-Identifier: Apache-2.0
"""Lay out lists of models for people: a line a model, with its devices. 80 columns are enough."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ttctl.rules.model_filter import by_family

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.cli.palette import Palette
    from ttctl.model.model_page import Hit
    from ttctl.model.spec import ModelSpec

WIDTH = 80
NAME_WIDTH = 30
"""A longer name has its devices below it."""
EXPERIMENTAL = "EXPERIMENTAL"
MARK = "*"
BAD = "!"


def models_text(specs: Sequence[ModelSpec], palette: Palette) -> str:
    """Return a line for each model with its devices, sorted by family."""
    lines: list[str] = []
    shared = _shared(specs)
    for family, models in by_family(specs):
        types = dict.fromkeys(spec.type for _, entries in models for spec in entries)
        kinds = ", ".join(one.replace("_", " ").lower() for one in types)
        lines.append(f"{palette.paint(family, 'head')}  {palette.paint(kinds, 'dim')}")
        for model, entries in models:
            short = model.rpartition("/")[2]
            lines += _model_lines(model if short in shared else short, entries)
    return "\n".join([*lines, *_legend(specs, palette)])


def hits_text(hits: Sequence[Hit], palette: Palette) -> str:
    """Return what a search found: what holds all words, or what is near, with its score."""
    if not hits:
        return "No model is found, and no name is near."
    if hits[0].score >= 100:  # noqa: PLR2004 - the whole score
        return models_text([spec for hit in hits for spec in hit.specs], palette)
    lines = ["No model has all of these words. Near:"]
    for hit in hits:
        lines += _model_lines(f"{hit.score:3.0f}  {hit.model.rpartition('/')[2]}", hit.specs)
    return "\n".join([*lines, *_legend([one for hit in hits for one in hit.specs], palette)])


def _model_lines(name: str, entries: Sequence[ModelSpec]) -> Iterator[str]:
    of: dict[str, list[ModelSpec]] = {}
    for spec in entries:
        of.setdefault(spec.device, []).append(spec)
    words = [f"{device}{_marks(there)}" for device, there in of.items()]
    indent = NAME_WIDTH + 4
    rows = _wrapped(words, WIDTH - indent)
    if len(name) > NAME_WIDTH:
        yield f"  {name}"
        name = ""
    for row in rows:
        yield f"  {name:<{NAME_WIDTH}}  {row}"
        name = ""


def _marks(there: Sequence[ModelSpec]) -> str:
    """Return what holds for every entry of a model on one device."""
    mark = MARK if all(spec.status == EXPERIMENTAL for spec in there) else ""
    return mark + (BAD if all(spec.known_bad for spec in there) else "")


def _legend(specs: Sequence[ModelSpec], palette: Palette) -> Iterator[str]:
    """Yield what the marks mean that stand behind devices, after an empty line."""
    said = []
    if any(spec.status == EXPERIMENTAL for spec in specs):
        said.append(f"{MARK} experimental there")
    if bad := next((spec for spec in specs if spec.known_bad), None):
        said.append(f"{BAD} known not to work there, some only with one firmware; why:")
        said.append(f"  ttctl models show {bad.model.rpartition('/')[2]} --device {bad.device}")
    if said:
        yield ""
    yield from (palette.paint(one, "dim") for one in said)


def _wrapped(words: list[str], width: int) -> Iterator[str]:
    """Yield lines of whole words. The library's way loads patterns that cost more than this."""
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = ""
        line = f"{line} {word}".lstrip()
    yield line


def _shared(specs: Sequence[ModelSpec]) -> set[str]:
    """Return the last parts of names that models of two owners have."""
    counts = Counter(model.rpartition("/")[2] for model in {spec.model for spec in specs})
    return {name for name, count in counts.items() if count > 1}
