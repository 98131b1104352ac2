# SPDX-License-Identifier: Apache-2.0
"""What works here in place of what was asked for? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.match import Offer
from ttctl.rules.advised import fallback, gated
from ttctl.rules.experimental import experimental
from ttctl.rules.model_families import parameters_of
from ttctl.rules.near_misses import in_order, lacks, status_of
from ttctl.rules.ranking import fits, ranked
from ttctl.rules.tasks import base_models, is_good_for, starts_from_text, tasks_of
from ttctl.rules.usable_devices import usable_devices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.spec import ModelSpec
    from ttctl.rules.near_misses import Look

_TALKS = frozenset({"LLM", "VLM"})


def offers(look: Look, chosen: ModelSpec | None) -> tuple[Offer, ...]:
    """Return what works on this machine in place of what was asked for, the nearest first.

    Where `chosen` serves the request, only what does without the token that it needs.
    """
    if chosen is not None and _is_had(look, chosen):
        needs_token = gated(chosen, look.advice) is not None
        return tuple(_of_the_class(look, chosen, ungated=True)) if needs_token else ()
    made = [*_on_other_devices(look), *_by_fallback(look)]
    if chosen is None and look.wanted.device in usable_devices(look):
        made += _to_try(look)
    made += _of_the_class(look, chosen)
    return tuple(one for one in dict.fromkeys(made) if chosen is None or _is_other(one, chosen))


def _on_other_devices(look: Look) -> list[Offer]:
    return [
        Offer(
            kind="device",
            model=one.model,
            engine=one.engine_to_name,
            device=device,
            reason=f"this machine is also {device}, where it is {one.status}",
        )
        for device in look.place.devices
        if device != look.wanted.device and device not in look.place.held
        for one in _best(look, (s for s in look.found.specs if s.device == device))
    ]


def _by_fallback(look: Look) -> list[Offer]:
    if look.wanted.device not in usable_devices(look):
        return []
    found: dict[str, list[ModelSpec]] = {}
    why: dict[str, str] = {}
    for one in sorted(look.found.specs, key=in_order):
        known = fallback(one, look.advice, here=look.wanted.device)
        if known is not None and lacks(look, one) is None:
            found.setdefault(one.device, []).append(one)
            why[one.id] = f"fallback of {look.wanted.device}: {known.reason}"
    return [
        Offer(kind="fallback", model=one.model, device=device, reason=why[one.id])
        for device, specs in found.items()
        for one in _in_rank(look, specs)
    ]


def _to_try(look: Look) -> list[Offer]:
    tried = experimental(look.found.specs, look.specs, device=look.wanted.device)
    return [
        Offer(
            kind="experimental",
            model=one.model,
            engine=one.engine_to_name,
            device=one.device,
            reason=one.experimental,
            experimental=True,
        )
        for one in _best(look, tried)
    ]


def _of_the_class(look: Look, chosen: ModelSpec | None, *, ungated: bool = False) -> list[Offer]:
    """Return the model of the same task and nearest size that runs here, without a token if any.

    Args:
        look: The search.
        chosen: What is to be replaced; None where nothing was found.
        ungated: Whether only what needs no token is in its place.
    """
    base = base_models(look.specs)
    like = chosen or min(look.found.specs, key=_first_meant)
    task = look.found.task or _task_of(like)
    meant = {one.model for one in look.found.specs}
    devices = usable_devices(look)
    near = [
        one
        for one in look.specs
        if one.device in devices
        and one.model not in meant
        and _is_of_class(one, like, task=task, base=one.model in base)
        and not (ungated and gated(one, look.advice))
        and lacks(look, one) is None
    ]
    if not near:
        return []
    best = min(
        near,
        key=lambda one: (
            devices.index(one.device),
            gated(one, look.advice) is not None,
            one.demo,
            not (one.default and one.pins is None),
            starts_from_text(one) != starts_from_text(like),
            *_apart(one, like),
            -status_of(one),
            in_order(one),
        ),
    )
    token = "a token is needed" if gated(best, look.advice) else "no token needed"
    return [
        Offer(
            kind="ungated" if ungated else "model",
            model=best.model,
            engine=best.engine_to_name,
            device=best.device,
            reason=f"{task or 'the same kind'}, {best.status}, {token}",
        )
    ]


def _first_meant(one: ModelSpec) -> tuple[object, ...]:
    return (one.type not in _TALKS, not starts_from_text(one), in_order(one))


def _apart(one: ModelSpec, like: ModelSpec) -> tuple[bool, float]:
    """Return how far two sizes are apart; one that nobody says is far from every other."""
    sizes = (parameters_of(one), parameters_of(like))
    return (True, 0.0) if not all(sizes) else (False, abs(sizes[0] - sizes[1]))


def _task_of(spec: ModelSpec) -> str:
    """Return what a model is in the first place: one that reads images is no text model."""
    if spec.type == "VLM":
        return "vision"
    return next((one.task for one in tasks_of(spec)), "")


def _is_of_class(one: ModelSpec, like: ModelSpec, *, task: str, base: bool) -> bool:
    if task == "vision":
        # A detector reads images too, and answers nothing.
        return one.type == "VLM" if like.type in _TALKS else one.type == like.type
    same = one.type == like.type or (one.type in _TALKS and like.type in _TALKS)
    return same and (not task or is_good_for(one, task, base=base))


def _is_had(look: Look, chosen: ModelSpec) -> bool:
    """Return whether an entry may start here, as far as is known."""
    known = fallback(chosen, look.advice, here=next(iter(look.place.devices), ""))
    is_here = known is not None or chosen.device in usable_devices(look)
    return is_here and lacks(look, chosen) is None


def _is_other(offer: Offer, chosen: ModelSpec) -> bool:
    return (offer.model, offer.device) != (chosen.model, chosen.device)


def _best(look: Look, specs: Iterable[ModelSpec]) -> Sequence[ModelSpec]:
    """Return the one that would be chosen of these entries of one device, or nothing."""
    usable = [one for one in specs if lacks(look, one) is None and fits(one, look.place)]
    return _in_rank(look, usable)[:1] if usable else ()


def _in_rank(look: Look, specs: Sequence[ModelSpec]) -> Sequence[ModelSpec]:
    """Return entries of one device, one a model, as they would be chosen: the best first."""
    ranking = ranked(specs, place=look.place, base=base_models(look.specs), is_bad=lambda _: False)
    return [one.spec for one in ranking.entries]
