# SPDX-License-Identifier: Apache-2.0
"""Which names look like what was typed? Pure. Loads rapidfuzz, so only asked where no name fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ttctl.model.spec import ModelSpec

NEAR = 60.0
"""Names that are less alike than this are not named at all."""
ENOUGH = 75.0
"""From here on a person's typo or fragment is taken for the name."""
FRAGMENT = 0.85
"""What a word that is wholly found inside a name counts, beside the whole name."""
BEGIN = 96.0
"""What a word counts that a name begins with, up to the end of a part: `Llama-3.3-70B` is meant for
`Llama-3.3-70B-Instruct`, and is no typo of `Llama-3.1-70B`."""
IN_PARTS = 90.0
"""What several words count that are all parts of a name: `llama 8b` is `Llama-3.1-8B-Instruct`."""
INITIALS = 70.0
"""What the beginnings of a name's parts count: `sdxl` may be meant for `stable-diffusion-xl`, but
is named only, and never taken for it."""
WHOLE = 2
"""A part that is no longer stands in initials as it is."""
SHORTEST = 3
"""Letters that a fragment has at least: shorter ones are found in too many names."""
FAR = 15.0
"""A name that is so much less alike than the likest is not named beside it."""
_SEPARATORS = re.compile(r"[\s_]+")
_NUMBER = re.compile(r"(?<=[a-z])(?=\d)")
"""Where a number begins: `llama3` is typed for `Llama-3.1-8B`."""
_PARTS = re.compile(r"[-/]+")


Scored = tuple[str, float]
"""A name and its likeness, 0 to 100."""


def alike(names: Iterable[str], word: str, *, limit: int) -> tuple[Scored, ...]:
    """Return names that look like `word` with their score of 0 to 100, the likest first.

    Args:
        names: The names that there are.
        word: What was typed, a name with a typo or a piece of one.
        limit: How many at most, after those of equal score were counted in.
    """
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - see above

    typed = _plain(word)
    if not typed:
        return ()
    plain = {name: _plain(name) for name in sorted(names)}
    found = {
        name: score
        for _, score, name in process.extract(
            typed, plain, scorer=fuzz.ratio, limit=None, score_cutoff=NEAR
        )
    }
    if len(typed) >= SHORTEST:
        longer = {name: text for name, text in plain.items() if len(text) > len(typed)}
        for _, score, name in process.extract(
            typed, longer, scorer=fuzz.partial_ratio, limit=None, score_cutoff=NEAR / FRAGMENT
        ):
            found[name] = max(found.get(name, 0.0), score * FRAGMENT)
            if longer[name].startswith((f"{typed}-", f"{typed}.")):
                found[name] = max(found[name], BEGIN)
    for name in _in_parts(plain, typed):
        found[name] = max(found.get(name, 0.0), IN_PARTS)
    for name in _by_initials(plain, typed):
        found[name] = max(found.get(name, 0.0), INITIALS)
    least = max(found.values(), default=0) - FAR
    scored = sorted(
        ((name, round(score, 1)) for name, score in found.items() if score >= least),
        key=_likest_first,
    )
    if len(scored) <= limit:
        return tuple(scored)
    least = scored[limit - 1][1]
    return tuple((name, score) for name, score in scored if score >= least)


def _in_parts(plain: Mapping[str, str], typed: str) -> list[str]:
    """Return the names that have each of several typed words as a part."""
    words = set(_PARTS.split(typed))
    if len(words) == 1:
        return []
    return [name for name, text in plain.items() if words.issubset(_PARTS.split(text))]


def _by_initials(plain: Mapping[str, str], typed: str) -> list[str]:
    """Return the names without an owner whose first parts, two at least, begin with the letters."""
    if len(typed) < WHOLE or not typed.isalpha():
        return []
    return [
        name
        for name, text in plain.items()
        if "/" not in text
        and not text.startswith(typed)
        and "".join(
            part if len(part) <= WHOLE else part[0] for part in _PARTS.split(text)
        ).startswith(typed)
    ]


def names_of(specs: Iterable[ModelSpec]) -> dict[str, ModelSpec]:
    """Return every name that an entry goes by, with one entry of that name."""
    names: dict[str, ModelSpec] = {}
    for spec in specs:
        for name in (spec.model, spec.model.rpartition("/")[2], *spec.aliases):
            known = names.get(name)
            if known is None or spec.model < known.model:
                names[name] = spec
    return names


def _plain(text: str) -> str:
    # A byte that the shell let through is no letter of Unicode, and compares with nothing.
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return _NUMBER.sub("-", _SEPARATORS.sub("-", clean.strip().lower()))


def _likest_first(scored: Scored) -> tuple[float, int, str]:
    name, score = scored
    return (-score, len(name), name)
