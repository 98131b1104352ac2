# SPDX-License-Identifier: Apache-2.0
"""What a contract makes of files, variables and arguments: what is served, where, to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.standins.servers.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server that has read everything and refused nothing."""

    contract: str
    model: str
    port: int = 8000
    kind: str = "chat"
    """`chat`, `image`, `audio`, `embedding`, `speech`, `video` or `cnn`."""
    key: str = ""
    """Bearer key, empty where nobody is asked for one."""
    listens_early: bool = False
    """Whether it answers 503 while it loads, as the media servers do; vLLM does not listen."""
    answers_health: bool = True
    """Whether `/health` is a path of its own; older media servers have `/tt-liveness` alone."""
    lists_models: bool = True
    old_paths: bool = False
    """Whether its paths begin with `/image` and not with `/v1/images`."""
    release: tuple[int, ...] = ()
    """Of a media server, whose requests are read as it reads them; empty for the others."""
    places: tuple[Place, ...] = ()
    arguments: dict[str, str] = field(default_factory=dict)
    """What the engine was told, whether by file or by argument."""
