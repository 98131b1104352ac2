# SPDX-License-Identifier: Apache-2.0
"""Do the engines of one stack fit into a machine's memory together? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.rules.beside import CHAT_SERVICE
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.spec import Request

MIB_PER_GIB = 1024


def check_sum(
    engines: Sequence[tuple[str, int]], *, here_mib: int, request: Request, words: Sequence[str]
) -> None:
    """Refuse several engines whose limits are more than a machine has; one alone may be tried.

    Args:
        engines: (name of its container, its limit in MiB), the stack's own engine first.
        here_mib: The machine's memory; 0 for not known.
        request: What was asked for.
        words: Of `--with`, a word for each engine beside the own one, and the chat page's.

    Raises:
        NothingFitsError: They are more than it has.
    """
    wanted = sum(mib for _, mib in engines)
    if len(engines) == 1 or not here_mib or wanted <= here_mib:
        return
    named = ", ".join(f"{name} {_gib(mib)}" for name, mib in engines)
    kept = _kept(engines, here_mib=here_mib, words=words)
    raise NothingFitsError(
        f"{len(engines)} engines need more memory together than this machine has.",
        why=f"Their limits are {_gib(wanted)} in all, and {_gib(here_mib)} are here.",
        evidence=f"{named}; nothing was changed.",
        next_step=typed("up", replace(request, services=kept)),
    )


def _kept(
    engines: Sequence[tuple[str, int]], *, here_mib: int, words: Sequence[str]
) -> tuple[str, ...]:
    """Return the words without as few engines as can be, the smallest that does first."""
    beside = [word for word in words if word != CHAT_SERVICE]
    sizes = dict(zip(beside, (mib for _, mib in engines[1:]), strict=True))
    left = sum(mib for _, mib in engines)
    gone: set[str] = set()
    while left > here_mib and len(gone) < len(sizes):
        rest = sorted((one for one in sizes if one not in gone), key=sizes.__getitem__)
        out = next((one for one in rest if left - sizes[one] <= here_mib), rest[-1])
        gone.add(out)
        left -= sizes[out]
    return tuple(word for word in words if word not in gone)


def _gib(mib: int) -> str:
    return f"{mib / MIB_PER_GIB:.1f} GiB"
