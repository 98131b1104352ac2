# SPDX-License-Identifier: Apache-2.0
"""Which wheel files a requirements file with hashes asks for. Pure."""

from __future__ import annotations

import re

REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.+!_-]*)")


def wheel_names(requirements: str) -> frozenset[tuple[str, str]]:
    """Return (name, version) as they stand in a wheel's file name.

    Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    found = (REQUIREMENT.match(line) for line in requirements.splitlines())
    return frozenset((re.sub(r"[-_.]+", "_", match[1]), match[2]) for match in found if match)
