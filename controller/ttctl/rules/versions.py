# SPDX-License-Identifier: Apache-2.0
"""Which of two versions is newer? Pure. For versions of programs, which follow no one standard."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def numbers(text: str) -> tuple[int, ...]:
    """Return the first dotted number of a text: `v2.26.1-4` is (2, 26, 1), `dev` is ()."""
    found = _NUMBERS.search(text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def at_least(text: str, minimum: str) -> bool:
    """Return whether a version is `minimum` or newer; one without a number is not."""
    found, wanted = numbers(text), numbers(minimum)
    length = max(len(found), len(wanted))
    return bool(found) and _padded(found, length) >= _padded(wanted, length)


def _padded(parts: tuple[int, ...], length: int) -> tuple[int, ...]:
    return parts + (0,) * (length - len(parts))
