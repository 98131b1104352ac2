# SPDX-License-Identifier: Apache-2.0
"""The refusal of an image that can be neither pulled nor built: which, why, what helps. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError, OfflineError

if TYPE_CHECKING:
    from ttctl.model.pins import Pins
    from ttctl.model.plan import How
    from ttctl.model.prebuilt import Obtain, Prebuilt
    from ttctl.model.site import Site


def not_had(
    pins: Pins,
    prebuilt: Prebuilt,
    obtain: Obtain,
    *,
    how: How,
    site: Site,
    commits: OfflineError | None = None,
) -> OfflineError | EngineError:
    """Return the refusal.

    Args:
        commits: Why its commits are not known, where a build would need them.
    """
    if commits and not prebuilt.reference:
        # Nothing is published: the commits are all that is missing.
        return commits
    silent = prebuilt.state == "silent" or site.is_offline or commits is not None
    kind = OfflineError if silent else EngineError
    return kind(
        f"The image {prebuilt.reference or 'of this entry'!r} cannot be had.",
        why=f"{obtain.reason[0].upper()}{obtain.reason[1:]}.",
        evidence=commits.evidence if commits else f"{pins.recipe}: {pins.reason}",
        next_step=_next_step(prebuilt.pulled_as, how=how, site=site),
    )


def _next_step(reference: str, *, how: How, site: Site) -> str:
    if reference and not how.build:
        if site.offline and site.is_offline:
            forbids = f"{site.offline.source} keeps ttctl from it"
            return f"docker pull {reference}   # where there is a network; {forbids}"
        if how.pull == "never":
            return f"docker pull {reference}   # or leave out --pull never: then ttctl pulls it"
        if how.pull == "always":
            return "ttctl config site   # its registry; without --pull always, what is here serves"
    return "ttctl config site   # its registry and git_mirror"
