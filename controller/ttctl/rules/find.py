# SPDX-License-Identifier: Apache-2.0
"""Which entries does a word mean: a name, an alias, a family, a task, or nearly one? Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, UsageError
from ttctl.model.match import TASKS
from ttctl.rules.likeness import ENOUGH, alike, names_of
from ttctl.rules.model_families import family_of
from ttctl.rules.model_filter import with_words
from ttctl.rules.tasks import base_models, is_good_for, tasks_of
from ttctl.rules.usual_words import USUAL, usual

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.model.match import How, Wanted
    from ttctl.model.spec import ModelSpec

SHOWN = 5
"""Candidates that a refusal names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The entries that a word means, on whatever device."""

    specs: tuple[ModelSpec, ...]
    how: How
    reason: str
    task: str = ""
    score: float = 100


def find(specs: Sequence[ModelSpec], wanted: Wanted) -> Found:
    """Return what the word means, looked for in this order, each on the wanted device first.

    A model's name or its last part; an alias; a family (`llama`); a task (`chat`); what people
    call one of these (`text to speech`). Then the same on any device, and last what looks like the
    word: where a guess is wanted, never in a script.

    Raises:
        UsageError: Nothing has this name; the evidence has what is near, with scores.
        NothingFitsError: What has this name is not good for the wanted task.
    """
    base = base_models(specs)
    found = _meant(specs, wanted, base) or _alike(specs, wanted, base)
    if not wanted.task:
        return found
    good = tuple(s for s in found.specs if is_good_for(s, wanted.task, base=s.model in base))
    if not good:
        others = [s for s in specs if is_good_for(s, wanted.task, base=s.model in base)]
        raise NothingFitsError(
            f"{wanted.word!r} has no model for {wanted.task!r}.",
            why=f"{found.reason}, and none of them is made for this task.",
            evidence=f"Made for it: {_some(others) or 'nothing in the catalog'}.",
            next_step=f"ttctl plan {wanted.task}",
        )
    reason = f"{found.reason}; task {wanted.task}"
    return replace(found, specs=good, reason=reason, task=wanted.task)


def meant_by(specs: Sequence[ModelSpec], wanted: Wanted) -> tuple[ModelSpec, ...]:
    """Return the entries that a word means by its very name, alias, family or task."""
    found = _meant(specs, wanted, base_models(specs))
    return found.specs if found else ()


def is_meant(specs: Sequence[ModelSpec], word: str) -> tuple[ModelSpec, ...]:
    """Return the entries that have this name, last part or alias, none where there are none."""
    wanted = word.lower()
    return tuple(s for s in specs if _is_named(s, wanted) or _has_alias(s, wanted))


def nearest(specs: Sequence[ModelSpec], word: str) -> tuple[tuple[str, float], ...]:
    """Return up to three names that look like `word`, each with its score of 0 to 100."""
    return alike(_words(specs), word, limit=3)[:3]


def unknown_model(specs: Sequence[ModelSpec], word: str) -> UsageError:
    """Return the refusal of a word that nothing is called."""
    near = nearest(specs, word)
    holding = () if near else with_words(specs, (word,)) if word.strip() else ()
    names = ", ".join(f"{name} ({score:.0f})" for name, score in near)
    return UsageError(
        f"There is no model {word!r} in the catalog.",
        why="No model, alias, family or task has this name.",
        evidence=f"Nearest: {names}." if near else _found_in(holding),
        next_step=f"ttctl models search {quote(word)}" if holding else "ttctl models ls",
        mistyped=word,
        meant=near[0][0] if near else "",
    )


def _meant(specs: Sequence[ModelSpec], wanted: Wanted, base: frozenset[str]) -> Found | None:
    """Return what a word means by itself, or as a usual one for another; those here first."""
    itself = _by_word(specs, wanted, base)
    proper = usual(wanted.word)
    if proper == wanted.word or (itself and _is_here(itself, wanted)):
        return itself
    other = _by_word(specs, replace(wanted, word=proper), base)
    if other is None or (itself and not _is_here(other, wanted)):
        return itself
    return replace(other, reason=f"{wanted.word} is a usual word for {proper}; {other.reason}")


def _is_here(found: Found, wanted: Wanted) -> bool:
    return any(one.device == wanted.device for one in found.specs)


def _by_word(specs: Sequence[ModelSpec], wanted: Wanted, base: frozenset[str]) -> Found | None:
    word = wanted.word.strip().lower()
    ways: tuple[tuple[How, str, Callable[[ModelSpec], bool]], ...] = (
        ("name", f"{wanted.word} is a model's name", lambda s: _is_named(s, word)),
        ("alias", f"{wanted.word} is an alias", lambda s: _has_alias(s, word)),
        ("family", f"{wanted.word} is a family", lambda s: family_of(s.model) == word),
        ("task", f"{wanted.word} is a task", lambda s: is_good_for(s, word, base=s.model in base)),
    )
    anywhere: list[Found] = []
    for how, reason, fits in ways if word else ():
        if how == "task" and word not in TASKS:
            continue
        some = tuple(one for one in specs if fits(one))
        if not some:
            continue
        found = Found(specs=some, how=how, reason=reason, task=word if how == "task" else "")
        if how == "name" or any(one.device == wanted.device for one in some):
            return found
        anywhere.append(found)
    return max(anywhere, key=lambda one: len(one.specs)) if anywhere else None


def _alike(specs: Sequence[ModelSpec], wanted: Wanted, base: frozenset[str]) -> Found:
    """Return what the likest names mean, each as if it had been typed, those here first."""
    near = alike(_words(specs), wanted.word, limit=SHOWN)
    if not near or near[0][1] < ENOUGH or not wanted.guesses:
        raise unknown_model(specs, wanted.word)
    best = near[0][1]
    named = [
        (name, found)
        for name, score in near
        if score == best and (found := _meant(specs, replace(wanted, word=name), base))
    ]
    here = [one for one in named if any(s.device == wanted.device for s in one[1].specs)]
    taken = here or named
    name, first = taken[0]
    meant = {id(spec) for _, found in taken for spec in found.specs}
    return Found(
        specs=tuple(one for one in specs if id(one) in meant),
        how="likeness",
        reason=f"{wanted.word!r} is like {name!r}, score {best:.0f} of 100",
        task=first.task,
        score=best,
    )


def _words(specs: Sequence[ModelSpec]) -> frozenset[str]:
    """Return every word that means something: names, aliases, families and tasks."""
    families = {family_of(one.model) for one in specs}
    used = {tag.task for one in specs for tag in tasks_of(one)}
    words = frozenset(names_of(specs)) | families | used
    return words | {word for word, proper in USUAL.items() if proper in words}


def _is_named(spec: ModelSpec, word: str) -> bool:
    model = spec.model.lower()
    return model == word or (model.endswith(word) and model.rpartition("/")[2] == word)


def _has_alias(spec: ModelSpec, word: str) -> bool:
    return bool(spec.aliases) and word in {alias.lower() for alias in spec.aliases}


def _found_in(specs: Sequence[ModelSpec]) -> str:
    """Say which models a word is found in that is too short to be like their names."""
    return f"It is found in {_some(specs)}." if specs else "No name is near to it."


def _some(specs: Sequence[ModelSpec]) -> str:
    names = sorted({one.model for one in specs})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
