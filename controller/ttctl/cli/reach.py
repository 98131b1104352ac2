# SPDX-License-Identifier: Apache-2.0
"""From where is a stack reached? The option that says it, and what the screen says of it."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.errors import UsageError
from ttctl.model.service import EVERYWHERE, LOOPBACK

BINDS = (LOOPBACK, EVERYWHERE)
WARNING = (
    "reachable from other machines; every request needs the key, save the health check and a chat "
    "page's files; not encrypted: whoever carries it on the way can read key and words"
)


def _known_host(address: str | None) -> str | None:
    if address is None or address in BINDS:
        return address
    raise UsageError(
        f"The gateway does not listen on {address!r}.",
        why="ttctl's own client asks it on loopback, which another address alone would shut out.",
        evidence=f"{LOOPBACK}: this machine only. {EVERYWHERE}: other machines, too.",
        next_step="ttctl up --host 0.0.0.0",
        mistyped=address,
        meant=LOOPBACK if address == "localhost" else EVERYWHERE,
    )


Host = Annotated[
    str | None,
    typer.Option(
        "--host",
        help="127.0.0.1, or 0.0.0.0 for other machines too: by key, not encrypted.",
        show_default="what is locked, else 127.0.0.1",
        callback=_known_host,
    ),
]


def reach_line(bind: str) -> list[str]:
    """Say that other machines reach a stack; nothing of one that only this machine does."""
    return [] if bind == LOOPBACK else [f"{WARNING}."]
