# SPDX-License-Identifier: Apache-2.0
"""A stack of several services that a file names. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStack:
    """What `ttctl up NAME` stands for."""

    name: str
    description: str
    model: str
    """What its own engine serves."""
    services: tuple[str, ...]
    """The words of `--with`."""
