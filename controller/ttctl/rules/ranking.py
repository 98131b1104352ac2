# SPDX-License-Identifier: Apache-2.0
"""Which of several entries comes first, and by which rule? Pure; the order given is no matter."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ttctl.model.spec import STATUSES
from ttctl.rules.model_families import (
    family_of,
    generation_of,
    is_for_speed,
    is_plain_member,
    is_preview,
    parameters_of,
)
from ttctl.rules.tasks import is_good_for, starts_from_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ttctl.model.match import Place
    from ttctl.model.spec import ModelSpec

    Key = Callable[[ModelSpec], Any]

ENGINES = ("vllm", "media", "forge", "direct", "sd")
"""The order of engines where nothing else tells two entries of one model apart."""
ONLY = "it is the only one"
FULL = "of one family, the full model before one made for speed"
QUICK = frozenset({"chat", "agent"})
"""Tasks where an answer comes before reasoning: a person waits, and an agent asks many times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """An entry with its keys, the less the better, one for each rule."""

    spec: ModelSpec
    keys: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Entries, one for each model, the best first."""

    rules: tuple[str, ...]
    entries: tuple[Ranked, ...]

    @property
    def first(self) -> ModelSpec:
        """The best; of several of equal rank the first by name."""
        return self.entries[0].spec

    @property
    def equals(self) -> tuple[ModelSpec, ...]:
        """The entries that no rule puts behind the first, itself among them."""
        best = self.entries[0].keys
        return tuple(one.spec for one in self.entries if one.keys == best)

    def rule_between(self, place: int) -> str:
        """Return the rule that put the entry at `place` behind the first."""
        best, other = self.entries[0].keys, self.entries[place].keys
        pairs = zip(self.rules, best, other, strict=True)
        return next((rule for rule, one, two in pairs if one != two), "its name, by the alphabet")

    @property
    def deciding(self) -> str:
        """The rule that put the first before the second."""
        return self.rule_between(1) if len(self.entries) > 1 else ONLY


def ranked(
    specs: Sequence[ModelSpec],
    *,
    place: Place,
    base: frozenset[str],
    is_bad: Callable[[ModelSpec], bool],
    typed: str = "",
    task: str = "",
    defaults: bool = False,
) -> Ranking:
    """Rank entries of one device: instruct before base, then status, then what fits, then size.

    A size that neither entry nor name says is not small: it is not compared at all, and a rule of
    its own puts it behind those that are said.

    Args:
        specs: At least one, all of the same device.
        place: The machine, for what fits its disk and memory; what is not known fits.
        base: Models that are the base of another one.
        is_bad: Whether an entry is known not to work.
        typed: What was typed, where it is a name: the entry of exactly this name is first.
        task: What the model is wanted for.
        defaults: Whether `typed` is an alias that the catalog gives a default for.
    """
    rules: list[tuple[str, Key]] = [
        ("exactly this name", lambda one: bool(typed) and one.model != typed),
        ("the catalog's default for this alias", lambda one: defaults and not one.default),
        ("what works before what is known not to work", is_bad),
        ("a useful model before a demonstration", lambda one: one.demo),
        ("instruct before base", lambda one: _does_not_answer(one, base)),
        ("an image from text before one from an image", lambda one: not starts_from_text(one)),
        ("the better status", lambda one: -_status(one)),
        ("what fits disk and memory here", lambda one: not fits(one, place)),
        ("the catalog's default", lambda one: not (one.default and one.pins is None)),
        ("a finished model before a preview", lambda one: is_preview(one.model)),
        ("a known size before one that nobody says", lambda one: not parameters_of(one)),
        ("the larger one", lambda one: -parameters_of(one)),
    ]
    entries = [
        Ranked(spec=one, keys=tuple(key(one) for _, key in rules))
        for one in _one_for_each_model(specs, is_bad)
    ]
    return _finished(entries, [name for name, _ in rules], task)


def _finished(entries: Sequence[Ranked], names: Sequence[str], task: str) -> Ranking:
    """Rank by what looks at several entries, and by what comes after that."""
    last = _last_rules(task)
    aged = [
        Ranked(spec=one.spec, keys=(*one.keys, age, *(key(one.spec) for _, key in last)))
        for one, age in _with_age(entries)
    ]
    return Ranking(
        rules=(*names, "the newer generation", *(name for name, _ in last), FULL),
        entries=tuple(sorted(_with_haste(aged), key=lambda one: (one.keys, one.spec.model))),
    )


def _last_rules(task: str) -> list[tuple[str, Key]]:
    """Return what decides between entries that are alike in size and generation."""
    return [
        (f"for {task}, an answer before reasoning", lambda one: task in QUICK and _reasons(one)),
        ("text alone before text with images", lambda one: task != "vision" and one.type == "VLM"),
        ("the family's own name", lambda one: not is_plain_member(one.model)),
    ]


def fits(spec: ModelSpec, place: Place) -> bool:
    """Return whether disk and memory are enough, as far as both sides are known."""
    memory = not place.memory_mib or spec.memory_mib <= place.memory_mib
    disk = not place.disk_mib or spec.disk_mib <= place.disk_mib
    return memory and disk


def _status(spec: ModelSpec) -> int:
    return STATUSES.index(spec.status) if spec.status in STATUSES else -1


def _does_not_answer(spec: ModelSpec, base: frozenset[str]) -> bool:
    return not is_good_for(spec, "chat", base=spec.model in base)


def _reasons(spec: ModelSpec) -> bool:
    return is_good_for(spec, "reasoning")


def _one_for_each_model(
    specs: Iterable[ModelSpec], is_bad: Callable[[ModelSpec], bool]
) -> list[ModelSpec]:
    """Of a model's implementations, the default one; then by status and engine."""
    of: defaultdict[str, list[ModelSpec]] = defaultdict(list)
    for spec in specs:
        of[spec.model].append(spec)
    return [
        several[0]
        if len(several) == 1
        else min(several, key=lambda one: (is_bad(one), *_implementation(one)))
        for several in of.values()
    ]


def _implementation(spec: ModelSpec) -> tuple[Any, ...]:
    engine = ENGINES.index(spec.engine) if spec.engine in ENGINES else len(ENGINES)
    return (not spec.default, -_status(spec), engine, spec.implementation, spec.id, repr(spec))


def _with_age(entries: Sequence[Ranked]) -> list[tuple[Ranked, int]]:
    """Put to each entry how many newer generations of its family are ranked like it so far.

    Generations of different families say nothing about each other, nor does a name without one.
    """
    of: defaultdict[tuple[Any, ...], set[tuple[int, ...]]] = defaultdict(set)
    for one in entries:
        of[(family_of(one.spec.model), one.keys)].add(generation_of(one.spec.model))
    aged = []
    for one in entries:
        generations = of[(family_of(one.spec.model), one.keys)]
        own = generation_of(one.spec.model)
        aged.append((one, sum(other > own for other in generations) if own else 0))
    return aged


def _with_haste(entries: Sequence[Ranked]) -> list[Ranked]:
    """Put behind its like a model made for speed, where one of its family that is not is there.

    Of models of different families the rule says nothing: they stay equal.
    """
    full = {
        (family_of(one.spec.model), one.keys) for one in entries if not is_for_speed(one.spec.model)
    }
    return [
        Ranked(
            spec=one.spec,
            keys=(
                *one.keys,
                is_for_speed(one.spec.model) and (family_of(one.spec.model), one.keys) in full,
            ),
        )
        for one in entries
    ]
