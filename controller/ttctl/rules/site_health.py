# SPDX-License-Identifier: Apache-2.0
"""Is this place's way to its mirrors and hubs open? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup
from ttctl.rules.mending import set_site, unset_site
from ttctl.rules.redaction import redacted_value

if TYPE_CHECKING:
    from ttctl.model.health import Check, Destination, PlaceVitals, Use
    from ttctl.model.site import Site

_check = CheckGroup("Site")

_WITHOUT: dict[Use, str] = {
    "proxy": "Everything beyond this machine goes through it.",
    "build": "Images cannot be built without it.",
    "weights": "Weights cannot be fetched; a small model of ttctl's own stands in.",
    "base": "The base image is bootstrapped from the distribution's mirror in its place.",
    "sources": "Sources that builds take from it cannot be fetched.",
}


def settings_check(site: Site) -> Check:
    """Say how much is peculiar here. That the settings could be read is what is checked."""
    entries = site.entries()
    if not entries:
        return _check("settings", "ok", "nothing is peculiar here")
    return _check("settings", "ok", f"{len(entries)} found; `ttctl config site` shows them")


def ca_check(site: Site, place: PlaceVitals) -> Check:
    """Say whether the CA bundle can be used."""
    if site.ca_bundle is None:
        return _check("CA bundle", "ok", "the system's")
    where = f"{site.ca_bundle.value} (from {site.ca_bundle.source})"
    if place.ca_error:
        return _check(
            "CA bundle",
            "failed",
            "it cannot be used",
            evidence=f"{where}: {place.ca_error}",
            fix=unset_site("ca_bundle", site.ca_bundle.source),
        )
    if place.expired and place.expired == place.certificates:
        return _check(
            "CA bundle",
            "failed",
            "every certificate is past its end",
            evidence=f"{where}: {place.expired} of {place.certificates}.",
            fix=set_site("ca_bundle"),
        )
    past = f", {place.expired} past their end" if place.expired else ""
    return _check("CA bundle", "ok", f"{place.certificates} certificates{past}")


def addresses_check(place: PlaceVitals) -> Check:
    """Say which setting kept the addresses from being known; for a place with a refusal."""
    return _check(
        "addresses",
        "failed",
        "a setting names no address",
        evidence=place.refusal,
        fix="ttctl config site",
    )


def offline_check(site: Site, destinations: tuple[Destination, ...]) -> Check:
    """Say that nothing was asked, and why."""
    source = site.offline.source if site.offline else ""
    several = "address was" if len(destinations) == 1 else "addresses were"
    return _check(
        "network", "skipped", f"offline by {source}: {len(destinations)} {several} not asked"
    )


def unasked_check(one: Destination) -> Check:
    """Say that an address was not asked, since nothing could be trusted."""
    return _check(one.name, "skipped", "not asked: the CA bundle cannot be used")


def reach_check(
    one: Destination, *, reason: str, building: bool, has_wheels: bool = False
) -> Check:
    """Say whether an address answers.

    Args:
        reason: Why it does not, empty where it does.
        building: Whether images are still to be built; then what builds need must answer.
        has_wheels: Whether a wheelhouse is set and there; to name one would change nothing.
    """
    where = f"{redacted_value(one.path or one.url)} (from {one.source})"
    if not reason:
        return _check(one.name, "ok", _host(one))
    for_index = one.setting == "wheelhouses" and has_wheels and not one.path
    fatal = one.use == "proxy" or bool(one.path) or (one.use == "build" and building)
    return _check(
        one.name,
        "failed" if fatal else "warning",
        reason,
        evidence=f"{where}. {_WITHOUT[one.use]}",
        fix=set_site("pip_extra_index_urls" if for_index else one.setting),
    )


def _host(one: Destination) -> str:
    if one.path:
        return one.path
    address = redacted_value(one.url).partition("://")[2].rstrip("/")
    # Of a mirror's folders each is shown; in other paths a token may stand.
    shown = address if one.setting == "apt_sources" else address.partition("/")[0]
    return f"{shown} answers"
