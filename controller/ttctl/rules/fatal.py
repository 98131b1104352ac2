# SPDX-License-Identifier: Apache-2.0
"""Which line of an engine's log means that it will not come up? Pure; the rows are elsewhere."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from ttctl.rules.fatal_signs import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.rules.fatal_signs import Sign

NOT_RUN = "OCI runtime exec failed"
"""How Docker begins what it says, on stdout, of a command that a container cannot start."""
HARMLESS = re.compile(
    r"\b(WARNING|INFO|DEBUG)\b|\| *(warning|info|debug|trace) *\||^\[W\d|\b\w*Warning:"
)
"""Python's levels, tt-logger's, PyTorch's (`[W1121 08:36:10...`), and the warnings module's."""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Sign], ...]:
    # Made when a log is read: whoever only starts does without.
    return tuple((re.compile(sign.pattern), sign) for sign in SIGNS)


def sign_of(line: str) -> tuple[Sign, tuple[str, ...]] | None:
    """Return the sign that a line is, with its groups; None for a line that is not fatal."""
    harmless = HARMLESS.search(line) is not None
    for pattern, sign in _patterns():
        if harmless and not sign.as_warning:
            continue
        if found := pattern.search(line):
            return sign, tuple(group or "" for group in found.groups())
    return None


def cause_of(line: str) -> str | None:
    """Return what a log line means, None for a line that is not fatal."""
    found = sign_of(line)
    return found[0].cause.format(*found[1]) if found else None


def card_cause_of(line: str) -> str | None:
    """Return what a line means that leaves a card in disorder, None for any other line."""
    found = sign_of(line)
    return cause_of(line) if found and found[0].of_card else None


def is_vague(line: str) -> bool:
    """Return whether a fatal line says little, so that its neighbours are worth a look.

    The C++ libraries print where they gave up first, and why two lines later.
    """
    found = sign_of(line)
    return found is not None and found[0].vague


def exact(lines: Sequence[str], line: str) -> str:
    """Return the first line that says more than `line`, which is vague; else `line` itself."""
    better = (one for one in lines if sign_of(one) is not None and not is_vague(one))
    return next(better, line)
