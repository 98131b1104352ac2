# SPDX-License-Identifier: Apache-2.0
"""What does a lock say that is worth showing? Asked often, so pydantic stays out.

A lock whose digest fits its values is ttctl's own text, and is believed as far as it is shown. What
names files, images or commits is checked by `lock_file`, for every command that acts on it.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from ttctl.model.lock_summary import LockSummary
from ttctl.rules import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
HEADER = "# Made by ttctl. Every floating reference is exact here; an empty one is unresolved.\n"
SEAL = "# sha256 of what follows: "
"""What the second line begins with; locks of the first release have none."""
HIGHEST_PORT = 65535


def lock_summary(path: Path) -> LockSummary | None:
    """Return what is shown of the lock at `path`; None where there is none.

    Raises:
        BadFileError: It is damaged, was edited, or was written by a newer ttctl.
    """
    try:
        # Not as text: a line's end is a byte, too.
        text = path.read_bytes().decode()
        values = tomllib.loads(text)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return _checked(path)
    head = (values.pop("schema", None), values.pop("digest", None))
    tried, tls = values.get("experimental", ""), str(values.get("tls", ""))
    match values:
        case {"model": str(model), "device": str(device), "port": int(port), "reason": str(reason)}:
            if 0 < port <= HIGHEST_PORT and head == (SCHEMA, _digest(values)) and is_sealed(text):
                return LockSummary(
                    model=model,
                    device=device,
                    port=port,
                    reason=reason,
                    tls=tls,
                    experimental=str(tried),
                )
        case _:
            pass
    return _checked(path)


def sealed(body: str) -> str:
    """Return a lock's text with the line that shows any change of a byte."""
    return f"{HEADER}{SEAL}{fingerprint.sha256_text(body)}\n{body}"


def is_sealed(text: str) -> bool:
    """Return whether every byte is as ttctl wrote it, blanks and comments too."""
    _, _, body = text.removeprefix(HEADER).partition("\n")
    unsealed = text.startswith(f"{HEADER}schema =")
    return unsealed or text == sealed(body)


def _digest(values: dict[str, object]) -> str:
    try:
        return f"sha256:{fingerprint.of_json(values)}"
    except TypeError:
        # A date or a time, which no lock of ours holds.
        return ""


def _checked(path: Path) -> LockSummary | None:
    """Read it with every check, which is also what says what is wrong with it."""
    from ttctl.adapters.lock_file import read_lock  # noqa: PLC0415 - loads pydantic

    lock = read_lock(path)
    if lock is None:
        return None
    return LockSummary(
        model=lock.model,
        device=lock.device,
        port=lock.port,
        reason=lock.reason,
        tls=lock.tls,
        experimental=lock.experimental,
    )
