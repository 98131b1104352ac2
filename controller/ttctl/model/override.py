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
    nodes: tuple[str, ...] = ()
    """Those of the warnings about device nodes of boards: no lease would know of them."""
    every_card: tuple[str, ...] = ()
    """Those about what opens every card of a machine, where there is one."""
    images: tuple[tuple[str, str], ...] = ()
    """(service, image) of those that it names; what is not here is pulled before a start."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(service, its keys); those beside the services under an empty name. Only compose reads them.
    """
    on_boards: tuple[tuple[str, str], ...] = ()
    """(service, sentence) of what does harm where that service has boards, until that is known."""
