# SPDX-License-Identifier: Apache-2.0
"""What is said where nothing serves a request, or what would is known not to work? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.near_misses import misses
from ttctl.rules.offers import offers
from ttctl.rules.ranking import ranked
from ttctl.rules.set_aside import set_aside
from ttctl.rules.tasks import base_models
from ttctl.rules.usable_devices import has_cards, is_served

if TYPE_CHECKING:
    from ttctl.model.match import NearMiss
    from ttctl.model.pins import KnownBad
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.near_misses import Look

SHOWN = 6
"""Near misses that a refusal names; `plan --why` has all of them."""
NOTHING_HERE = "ttctl models ls --fits"
"""What to type where nothing like what was asked for works on this machine."""


def nothing_fits(look: Look) -> NothingFitsError:
    """Return the refusal where no entry is validated on the wanted device."""
    found, wanted = look.found, look.wanted
    devices = sorted({one.device for one in found.specs})
    what = f"No spec of {wanted.word!r} is validated on {wanted.device!r}."
    why = f"{found.reason}, and the catalog has it for other devices only."
    if wanted.device == "cpu":
        why = f"{found.reason}, and needs a card: nothing of it runs on the processor."
    if aside := set_aside(look.quarantined, wanted.word, wanted.device):
        what = f"The entry of {wanted.word!r} for {wanted.device!r} is set aside."
        why = f"The catalog in use lists it, and it is not used: {aside[0].reason.rstrip('.')}."
    return _refusal(
        look,
        what,
        why=why,
        head=f"Validated on: {', '.join(devices)}.",
        fallback_step=_first_elsewhere(look),
    )


def is_bad(look: Look, chosen: ModelSpec, why: KnownBad) -> NothingFitsError:
    """Return the refusal of an entry that is listed upstream and known not to work."""
    return _refusal(
        look,
        f"{chosen.model!r} on {chosen.device!r} is known not to work.",
        why=f"{why.reason} Source: {why.source}, {why.date}.",
        head=f"Upstream lists it as {chosen.status}; --experimental takes it all the same.",
        fallback_step=f"ttctl plan {chosen.model} --device {chosen.device} --experimental",
    )


def _refusal(look: Look, what: str, *, why: str, head: str, fallback_step: str) -> NothingFitsError:
    found = misses(look)
    offered = offers(look, None)
    lines = [head, *(_line(one) for one in found[:SHOWN])]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    lines += [
        f"works {_where(look, one.device)}: {one.model} on {one.device} ({one.reason})"
        for one in offered[:3]
    ]
    return NothingFitsError(
        what,
        why=why,
        evidence="\n".join(lines),
        next_step=offered[0].command if offered else fallback_step,
    )


def _where(look: Look, device: str) -> str:
    """Say whether a device is of this machine, or of one like that which was named."""
    return "here" if device in look.place.devices or has_cards(look) else "there"


def _line(miss: NearMiss) -> str:
    where = f" on {miss.device}" if miss.device else ""
    return f"{miss.kind}: {miss.model}{where} {miss.reason}"


def _first_elsewhere(look: Look) -> str:
    """Return what to type where nothing works in place.

    A machine without cards is asked about others: there, the smallest device on which what was
    asked for is validated. A machine with cards only uses its own.
    """
    if has_cards(look):
        return NOTHING_HERE
    if look.wanted.device in SIZES:
        return f"ttctl models ls --device {look.wanted.device}"
    served = [one for one in look.found.specs if one.device in SIZES and is_served(one.device)]
    usable = [one for one in served if look.bad(one) is None]
    if not usable:
        return "ttctl models ls"
    device = min((one.device for one in usable), key=lambda name: (SIZES[name].chips, name))
    ranking = ranked(
        [one for one in usable if one.device == device],
        place=look.place,
        base=base_models(look.specs),
        is_bad=lambda _: False,
    )
    first = ranking.first
    engine = f" --engine {first.engine_to_name}" if first.engine_to_name else ""
    return f"ttctl plan {first.model} --device {device}{engine}"
