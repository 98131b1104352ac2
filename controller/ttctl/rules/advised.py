# SPDX-License-Identifier: Apache-2.0
"""What is known of an entry beyond what it says itself? Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ttctl.model.pins import DERIVED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.pins import Advice, Fallback, Gated, KnownBad
    from ttctl.model.spec import ModelSpec

Satisfies = Callable[[str, str], bool | None]
"""(version, PEP 440 specifier) to whether it satisfies; None where it cannot be told."""


def known_bad(
    spec: ModelSpec, advice: Advice, *, firmware: str, satisfies: Satisfies
) -> KnownBad | None:
    """Return why an entry is known not to work here, None where nothing is known.

    A report about some firmware only counts where the machine's own satisfies its specifier.
    """
    for bad in advice.known_bad:
        if not _is_about(bad, spec):
            continue
        if not bad.firmware or satisfies(firmware, bad.firmware):
            return bad
    return None


def reports(spec: ModelSpec, advice: Advice) -> tuple[KnownBad, ...]:
    """Return everything that is known against an entry, with whatever firmware."""
    return tuple(bad for bad in advice.known_bad if _is_about(bad, spec))


def reported(specs: Iterable[ModelSpec], advice: Advice) -> tuple[ModelSpec, ...]:
    """Return entries as they are listed: each with the reasons why it is known not to work."""
    return tuple(
        replace(spec, known_bad=tuple(map(report_text, found)))
        if (found := reports(spec, advice))
        else spec
        for spec in specs
    )


def report_text(bad: KnownBad) -> str:
    """Return a report's reason, with the firmware that it is about."""
    return f"{bad.reason} (with firmware {bad.firmware} only)" if bad.firmware else bad.reason


def gated(spec: ModelSpec, advice: Advice) -> Gated | None:
    """Return why an entry's weights need a token, None where anyone may fetch them."""
    repository = spec.weights.repository
    return next((one for one in advice.gated if _fits(one.model, repository)), None)


def fallback(spec: ModelSpec, advice: Advice, *, here: str) -> Fallback | None:
    """Return what lets the device `here` use an entry of another device."""
    return next(
        (
            one
            for one in advice.fallbacks
            if one.device == here and one.instead == spec.device and _fits(one.engine, spec.engine)
        ),
        None,
    )


def _is_about(bad: KnownBad, spec: ModelSpec) -> bool:
    pin = spec.pins.tt_metal if spec.pins else ""
    # What fails with the validated server may be tt-metal's fault: it counts for ours, too.
    engine = DERIVED.get(spec.engine, spec.engine)
    return (
        _fits(bad.model, spec.model)
        and _fits(bad.device, spec.device)
        and (_fits(bad.engine, spec.engine) or _fits(bad.engine, engine))
        and (not bad.tt_metal or bad.tt_metal[:7] == pin[:7])
    )


def _fits(pattern: str, text: str) -> bool:
    """Return whether a name is meant; an empty pattern means every one."""
    return not pattern or fnmatchcase(text.lower(), pattern.lower())
