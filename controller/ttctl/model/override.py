# SPDX-License-Identifier: Apache-2.0
"""What a user adds to a stack's compose file. Values only."""

from __future__ import annotations

from dataclasses import dataclass

OVERRIDE_NAME = "compose.override.yaml"
"""The file beside compose.yaml that is the user's own: read, never written and never removed.

Source: https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A file that compose lays over the rendered one."""

    path: str
    services: tuple[tuple[str, str], ...]
    """(service, SHA-256 of what the file says of it), for those whose containers it changes."""
    warnings: tuple[str, ...]
    """What it opens that ttctl keeps shut, a sentence each."""
