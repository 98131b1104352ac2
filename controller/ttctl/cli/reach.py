# SPDX-License-Identifier: Apache-2.0
"""From where is a stack reached? The option that says it, and what the screen says of it."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from ttctl.errors import UsageError
from ttctl.model.service import EVERYWHERE, LOOPBACK
from ttctl.model.tls import GENERATED, NONE

BINDS = (LOOPBACK, EVERYWHERE)
WORDS = (GENERATED, NONE)
MISSPELT = {
    **{one: one for one in WORDS},
    **dict.fromkeys(("self-signed", "selfsigned", "generate", "on", "yes", "true"), GENERATED),
    **dict.fromkeys(("off", "no", "false"), NONE),
}
"""What is typed in the place of a word, and the word."""
REACHED = (
    "reachable from other machines; every request needs the key, save the health check and a chat "
    "page's files"
)
READABLE = (
    "not encrypted: whoever carries it on the way can read key and words; --tls generated encrypts"
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
        help="127.0.0.1, or 0.0.0.0 for other machines too: by key; --tls encrypts.",
        show_default="what is locked, else 127.0.0.1",
        callback=_known_host,
    ),
]


def _known_tls(said: str | None) -> str | None:
    """Return it with a file's whole path: a later command may be typed elsewhere."""
    if said is None or said in WORDS:
        return said
    meant = next(iter(get_close_matches(said.lower(), MISSPELT, n=1, cutoff=0.7)), "")
    if meant and not Path(said).exists():
        raise UsageError(
            f"There is no certificate {said!r}.",
            why="--tls takes a file with a certificate, or one of two words.",
            evidence=f"{GENERATED}: ttctl makes one. {NONE}: nothing is encrypted.",
            next_step=f"ttctl up --tls {MISSPELT[meant]}",
            mistyped=said,
            meant=MISSPELT[meant],
        )
    return _whole(said)


def _whole(said: str | None) -> str | None:
    """Return a file's whole path; an empty word names none, in spite of a setting."""
    return str(Path(said).expanduser().absolute()) if said else said


TlsOf = Annotated[
    str | None,
    typer.Option(
        "--tls",
        metavar="generated|none|FILE",
        help="Encrypt the gateway: by a certificate made here, or yours, in PEM form.",
        show_default="what is locked, else none",
        callback=_known_tls,
    ),
]
TlsKey = Annotated[
    str | None,
    typer.Option(
        "--tls-key",
        metavar="FILE",
        help="Key of that certificate, where it is in a file of its own.",
        show_default=False,
        callback=_whole,
    ),
]


def reach_line(bind: str, tls: str) -> list[str]:
    """Say that other machines reach a stack; nothing of one that only this machine does."""
    if bind == LOOPBACK:
        return []
    return [f"{REACHED}."] if tls else [f"{REACHED}; {READABLE}."]
