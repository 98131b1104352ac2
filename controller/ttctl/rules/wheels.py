# SPDX-License-Identifier: Apache-2.0
"""Which wheel files a requirements file with hashes asks for. Pure.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import re

REQUIREMENT = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([A-Za-z0-9][A-Za-z0-9.+!_-]*)"
)


def wheel_names(requirements: str) -> frozenset[tuple[str, str]]:
    """Return what `wheel_key` gives for each wheel that is asked for."""
    found = (REQUIREMENT.match(line) for line in requirements.splitlines())
    return frozenset((_normal(match[1]), match[2]) for match in found if match)


def wheel_key(file_name: str) -> tuple[str, str]:
    """Return (name, version) of a wheel's file.

    Wheels made before 2022 keep the case and the dots of the project's name.
    """
    name, _, rest = file_name.partition("-")
    return _normal(name), rest.partition("-")[0].replace("%2B", "+")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
