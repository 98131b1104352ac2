# SPDX-License-Identifier: Apache-2.0
"""Are driver and firmware new enough for the cards? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup
from ttctl.rules.families import family_of
from ttctl.rules.host_demands import satisfied
from ttctl.rules.host_steps import (
    FLASH_THE_SAME,
    LIMITED_BEFORE,
    LOAD_DRIVER,
    UPDATE,
    refused_driver,
)
from ttctl.rules.hugepages import translates
from ttctl.rules.satisfying import satisfies
from ttctl.rules.versions import at_least, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System
    from ttctl.model.health import CardVitals, Check
    from ttctl.model.pins import Requirement
    from ttctl.rules.host_demands import What

_check = CheckGroup("Cards")


def driver_check(system: System, cards: CardVitals, asked: Sequence[Requirement]) -> Check:
    """Return whether the kernel driver is new enough for its library and for the entries."""
    driver = system.driver
    if not driver:
        return _check(
            "driver",
            "failed",
            "the kernel driver is not loaded",
            evidence="There is no /sys/module/tenstorrent/version.",
            fix=LOAD_DRIVER,
        )
    if not numbers(driver):
        return _check(
            "driver",
            "warning",
            "it is not known whether it is new enough",
            evidence=f"{driver!r} in /sys/module/tenstorrent/version is no version.",
            fix="modinfo -F version tenstorrent",
        )
    translated = any(translates(kind) for _, kind in cards.iommu)
    oldest, why = refused_driver(driver, translated=translated)
    if oldest:
        return _check(
            "driver",
            "failed",
            f"{driver} is too old",
            evidence=f"Expected {oldest} or newer: {why}.",
            fix=UPDATE["driver"],
        )
    if unmet := _unmet("driver", driver, system.device, asked):
        return unmet
    if translated and not at_least(driver, LIMITED_BEFORE):
        return _check(
            "driver",
            "warning",
            f"{driver} supports an IOMMU in part only",
            evidence=f"Expected {LIMITED_BEFORE} or newer.",
            fix=UPDATE["driver"],
        )
    return _check("driver", "ok", driver)


def firmware_check(system: System, asked: Sequence[Requirement]) -> Check:
    """Return whether all cards of a kind have one bundle, and one that the entries ask for."""
    found = sorted({chip.firmware for chip in system.chips} - {""})
    if not found:
        return _check(
            "firmware",
            "warning",
            "the driver does not say which",
            evidence="tt_fw_bundle_ver is empty or missing for every card.",
            fix="tt-smi -s",
        )
    # Cards of different kinds make up no mesh: each kind has its own bundle.
    pairs = {(family_of(chip.card_type), chip.firmware) for chip in system.chips}
    kinds = {family for family, _ in pairs}
    if len(pairs) > len(kinds) or not all(chip.firmware for chip in system.chips):
        each = ", ".join(f"{chip.node} {chip.firmware or 'unknown'}" for chip in system.chips)
        return _check(
            "firmware",
            "failed",
            "the cards do not have the same",
            evidence=f"{each}; chips of one mesh must share one bundle.",
            fix=FLASH_THE_SAME,
        )
    if unmet := _unmet("firmware", found[0], system.device, asked):
        return unmet
    if unread := [one for one in found if satisfies(one, "") is None]:
        text = f"{', '.join(unread)} is not understood"
        return _check("firmware", "warning", text, fix="tt-smi -s")
    if len(found) > 1:
        return _check("firmware", "ok", f"{', '.join(found)}: the same on every card of a kind")
    return _check("firmware", "ok", f"{found[0]} on every card")


def _unmet(what: What, version: str, device: str, asked: Sequence[Requirement]) -> Check | None:
    """Return what the entries for this device do not find, a strict demand first."""
    unmet = [one for one in asked if one.what == what and not satisfied(one, version)]
    if not unmet:
        return None
    worst = max(unmet, key=lambda one: one.strict)
    return _check(
        what,
        "failed" if worst.strict else "warning",
        f"{version} is not what models for {device} are validated with",
        evidence=f"Expected {', '.join(dict.fromkeys(one.specifier for one in unmet))}; upstream "
        f"{'refuses to start without it' if worst.strict else 'warns without it'}.",
        fix=UPDATE[what],
    )
