# SPDX-License-Identifier: Apache-2.0
"""What do catalog entries ask of driver and firmware, and does the host satisfy it? Pure.

Upstream refuses to start without what it calls STRICT, and warns without what it calls SUGGESTED.
What is not understood counts as unmet: it never passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ttctl.model.devices import Demand
from ttctl.rules.checks import CheckGroup
from ttctl.rules.host_steps import UPDATE
from ttctl.rules.specifiers import (
    LEGACY_MAJOR,
    NotUnderstoodError,
    contains,
    firmware_satisfies,
    lowest,
    together,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ttctl.model.devices import Golden
    from ttctl.model.health import Check
    from ttctl.model.pins import Requirement
    from ttctl.model.spec import ModelSpec

What = Literal["firmware", "driver"]

_check = CheckGroup("Cards")


def requirements_of(specs: Iterable[ModelSpec], device: str) -> tuple[Requirement, ...]:
    """Return what the entries for a device ask of the host, each demand once."""
    found = (one for spec in specs if spec.device == device for one in spec.requirements)
    return tuple(dict.fromkeys(found))


def satisfied(requirement: Requirement, version: str) -> bool | None:
    """Return whether a version satisfies a requirement, None where one is not understood."""
    try:
        return _test_of(requirement.what)(requirement.specifier, version)
    except NotUnderstoodError:
        return None


def demands_of(
    uses: Iterable[tuple[str, ModelSpec]], *, driver: str, firmware: Sequence[str]
) -> tuple[Demand, ...]:
    """Return what every pin in use asks, and whether it is met by every board.

    Args:
        uses: (stack, or a word for a model that was named; its entry).
        driver: Version of the driver, empty for none.
        firmware: Versions of the boards, each once.
    """
    return tuple(
        Demand(
            who=who,
            model=spec.model,
            device=spec.device,
            what=one.what,
            specifier=one.specifier,
            strict=one.strict,
            met=_met(one, [driver] if one.what == "driver" else firmware),
        )
        for who, spec in uses
        for one in spec.requirements
    )


def wanted(demands: Iterable[Demand], what: What) -> str:
    """Return the versions that satisfy every demand; empty where nothing is asked."""
    asked = dict.fromkeys(one.specifier for one in demands if one.what == what)
    try:
        return together(asked)
    except NotUnderstoodError:
        return ", ".join(asked)


def demand_checks(
    demands: Sequence[Demand], *, driver: str, firmware: Sequence[str]
) -> tuple[Check, ...]:
    """Judge driver and firmware by all demands together."""
    found = {"driver": driver, "firmware": ", ".join(firmware)}
    whats: tuple[What, ...] = ("driver", "firmware")
    return tuple(_demanded(what, demands, found[what]) for what in whats)


def golden_checks(golden: Golden, *, driver: str, firmware: Sequence[str]) -> tuple[Check, ...]:
    """Compare driver and firmware with the versions that were validated together."""
    return (
        _golden("driver", [driver] if driver else [], golden.driver, golden),
        _golden("firmware", firmware, golden.firmware, golden),
    )


def _met(requirement: Requirement, versions: Sequence[str]) -> bool | None:
    verdicts = [satisfied(requirement, version) for version in versions]
    if not verdicts or None in verdicts:
        return False if False in verdicts else None
    return all(verdicts)


def _demanded(what: What, demands: Sequence[Demand], found: str) -> Check:
    own = [one for one in demands if one.what == what]
    name = f"{what}: pins"
    if not own:
        return _check(
            name, "skipped", "no pin in use asks for a version; --model NAME adds a model's"
        )
    all_of = wanted(own, what)
    if not _possible(all_of):
        each = "; ".join(f"{one.who}: {one.specifier}" for one in own)
        return _check(
            name,
            "failed",
            "no version satisfies every pin in use",
            evidence=f"{each}; found {found or 'none'}.",
            fix="ttctl ps   # one of the stacks has to go, or to be upgraded",
        )
    unmet = [one for one in own if not one.met]
    if not unmet:
        return _check(name, "ok", f"{found} satisfies {all_of}")
    each = "; ".join(_asks(one, found) for one in unmet)
    return _check(
        name,
        "failed" if any(one.strict for one in unmet) else "warning",
        f"{found} does not satisfy every pin in use"
        if found
        else f"no version of the {what} is told, and pins in use ask for one",
        evidence=f"{each}. Satisfying all: {all_of}.",
        fix=UPDATE[what],
    )


def _asks(demand: Demand, found: str) -> str:
    how = "must have" if demand.strict else "should have"
    unread = " (not understood)" if found and demand.met is None else ""
    return f"{demand.who} ({demand.model} on {demand.device}) {how} {demand.specifier}{unread}"


def _possible(specifier: str) -> bool:
    try:
        return bool(lowest(specifier))
    except NotUnderstoodError:
        return True


def _test_of(what: str) -> Callable[[str, str], bool]:
    """Return how versions are compared: those of firmware were numbered anew once."""
    return firmware_satisfies if what == "firmware" else contains


def _golden(what: What, versions: Sequence[str], best: str, golden: Golden) -> Check:
    name = f"{what}: golden"
    found = ", ".join(versions) or "none"
    validated = f"{best} was validated ({golden.source}, {golden.date})"
    test = _test_of(what)
    try:
        same = [test(f"=={best}", version) for version in versions]
        enough = all(test(f">={best}", version) for version in versions)
    except NotUnderstoodError:
        return _check(name, "warning", f"{found} is not understood", evidence=f"{validated}.")
    if same and all(same):
        return _check(name, "ok", f"{found}, as validated together")
    if same and enough:
        return _check(name, "ok", f"{found} is newer; {validated}")
    told = f"{validated}.{_legacy(versions) if what == 'firmware' else ''}"
    return _check(name, "warning", f"{found} is not what was validated", evidence=told)


def _legacy(versions: Sequence[str]) -> str:
    old = [version for version in versions if version.startswith(f"{LEGACY_MAJOR}.")]
    return f" Bundles 80.* ({', '.join(old)}) came before 18.2.0." if old else ""
