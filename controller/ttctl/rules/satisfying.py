# SPDX-License-Identifier: Apache-2.0
"""Does a version satisfy a specifier, as far as that can be told? Pure."""

from __future__ import annotations

from ttctl.rules.specifiers import NotUnderstoodError, firmware_satisfies


def satisfies(version: str, specifier: str) -> bool | None:
    """Return whether a firmware or driver satisfies a PEP 440 specifier.

    None where one of them is not understood: that neither lets a model start nor keeps it from it.
    """
    try:
        return firmware_satisfies(specifier, version)
    except NotUnderstoodError:
        return None
