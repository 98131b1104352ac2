# SPDX-License-Identifier: Apache-2.0
"""Which entry serves a request on this machine, and why no other? Pure.

An ambiguity is what no rule decides: a word that is only *like* a name, or several models that
every rule of the ranking puts on the same place. A person gets the first by name, and is told; a
script is refused with the candidates. Several implementations of one model are none: upstream
names the default one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.match import Match, RunnerUp
from ttctl.model.pins import Advice
from ttctl.rules.advised import gated, known_bad
from ttctl.rules.derived import derived_text
from ttctl.rules.experimental import experimental
from ttctl.rules.find import SHOWN, find
from ttctl.rules.model_families import is_instruct, stem_of
from ttctl.rules.near_misses import Look, around
from ttctl.rules.offers import offers
from ttctl.rules.ranking import ranked
from ttctl.rules.refusals import is_bad, nothing_fits
from ttctl.rules.tasks import base_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.match import Place, Wanted
    from ttctl.model.pins import Quarantined
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.advised import Satisfies
    from ttctl.rules.find import Found
    from ttctl.rules.ranking import Ranking


def cannot_tell(version: str, specifier: str) -> None:
    """Say of no version whether it satisfies."""


def match(
    specs: Sequence[ModelSpec],
    wanted: Wanted,
    *,
    place: Place,
    advice: Advice = Advice(),  # noqa: B008 - frozen
    quarantined: Sequence[Quarantined] = (),
    satisfies: Satisfies = cannot_tell,
) -> Match:
    """Return the entry that serves `wanted` on its device; equal arguments give equal answers.

    Raises:
        UsageError: Nothing has this name, or a script asked for what is ambiguous.
        NothingFitsError: Nothing was validated there; the evidence has every near miss.
    """
    found = find(specs, wanted)
    look = Look(
        specs=tuple(specs),
        found=found,
        wanted=wanted,
        place=place,
        advice=advice,
        quarantined=tuple(quarantined),
        satisfies=satisfies,
    )
    here = tuple(one for one in found.specs if one.device == wanted.device)
    if not here and wanted.experimental:
        here = experimental(found.specs, specs, device=wanted.device)
    if not here:
        raise nothing_fits(look)
    bad = partial(known_bad, advice=advice, firmware=place.firmware, satisfies=satisfies)
    base = base_models(specs)
    ranking = ranked(
        here,
        place=place,
        base=base,
        is_bad=lambda one: bad(one) is not None,
        typed=wanted.word if found.how == "name" else "",
        task=found.task,
        defaults=found.how == "alias",
    )
    if wanted.unattended and len(ranking.equals) > 1:
        raise _ambiguous(ranking, wanted)
    chosen = ranking.first
    if (why := bad(chosen)) is not None and not wanted.experimental:
        raise is_bad(look, chosen, why)
    return _match(look, ranking, found, base)


def _match(look: Look, ranking: Ranking, found: Found, base: frozenset[str]) -> Match:
    chosen = ranking.first
    reasons = [found.reason, _standing(chosen)]
    if chosen.experimental:
        reasons[-1] = chosen.experimental
    others = [one for one in look.specs if _is_other_implementation(one, chosen)]
    if others:
        names = ", ".join(sorted(f"{one.engine} {one.implementation}".strip() for one in others))
        reasons.append(f"its default implementation is {chosen.implementation}, not {names}")
    return Match(
        spec=chosen,
        how=found.how,
        score=found.score,
        reasons=tuple(reasons),
        deciding=ranking.deciding,
        runners_up=_runners_up(ranking),
        warnings=_warnings(look, ranking, base),
        near_misses=around(look, chosen),
        offers=offers(look, chosen),
    )


def _runners_up(ranking: Ranking) -> tuple[RunnerUp, ...]:
    return tuple(
        RunnerUp(
            model=one.spec.model,
            device=one.spec.device,
            status=one.spec.status,
            rule=ranking.rule_between(place),
        )
        for place, one in enumerate(ranking.entries[: SHOWN + 1])
        if place
    )


def _warnings(look: Look, ranking: Ranking, base: frozenset[str]) -> tuple[str, ...]:
    chosen, found = ranking.first, []
    if len(ranking.equals) > 1:
        found.append(f"several are of equal rank, this is the first by name: {_names(ranking)}")
    found += _unproven(chosen)
    if bad := known_bad(
        chosen, look.advice, firmware=look.place.firmware, satisfies=look.satisfies
    ):
        found.append(f"known not to work: {bad.reason} ({bad.source}, {bad.date})")
    if chosen.model in base:
        child = next(
            one.model
            for one in sorted(look.specs, key=lambda one: one.model)
            if one.model != chosen.model and _is_child(one, chosen)
        )
        found.append(f"this is the base model, which continues text; {child} answers")
    if gate := gated(chosen, look.advice):
        found.append(f"its weights {chosen.weights.repository} are gated: {gate.reason}")
    if chosen.issues:
        where = ", ".join(sorted({issue.workflow for issue in chosen.issues}))
        found.append(f"upstream knows {len(chosen.issues)} issues with it ({where}): models show")
    found += [f"suspect value: {value}" for value in chosen.suspect]
    return tuple(found)


def _unproven(chosen: ModelSpec) -> list[str]:
    """Say what of an entry was not validated."""
    found = [derived_text(chosen.derived_from)] if chosen.derived_from else []
    if chosen.experimental:
        found.append(f"experimental: {chosen.experimental}; limits are two thirds at most")
    elif chosen.status == "EXPERIMENTAL" and chosen.pins is not None and chosen.status_is_told:
        found.append(f"upstream's status on {chosen.device} is EXPERIMENTAL")
    return found


def _standing(spec: ModelSpec) -> str:
    """Return what upstream says of an entry's state; of a word unknown here nothing follows."""
    if spec.derived_from:
        return derived_text(spec.derived_from)
    if spec.status_is_told:
        return f"validated on {spec.device} with status {spec.status}"
    return f"listed for {spec.device}; its status was not understood, so it counts as {spec.status}"


def _is_child(one: ModelSpec, base: ModelSpec) -> bool:
    return stem_of(one.model) == stem_of(base.model) and is_instruct(one.model)


def _is_other_implementation(one: ModelSpec, chosen: ModelSpec) -> bool:
    if (one.model, one.device) != (chosen.model, chosen.device):
        return False
    return (one.engine, one.implementation) != (chosen.engine, chosen.implementation)


def _names(ranking: Ranking) -> str:
    names = sorted({one.model for one in ranking.equals})
    return ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")


def _ambiguous(ranking: Ranking, wanted: Wanted) -> UsageError:
    return UsageError(
        f"{wanted.word!r} means several models on {wanted.device!r}.",
        why="No rule puts one of them first, and a script never guesses.",
        evidence=f"Candidates: {_names(ranking)}.",
        next_step=f"ttctl plan {ranking.first.model} --device {wanted.device}",
    )
