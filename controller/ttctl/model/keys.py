# SPDX-License-Identifier: Apache-2.0
"""The keys of a stack's gateway, by name. Never a key itself, save the one that was just made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

OWN_KEY = "default"
"""The name of the key that ttctl's own client uses; it is a file, where others are a hash alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One line of the gateway's map."""

    name: str
    sha256: str
    """Of the key, in lower-case hex."""
    until: int = 0
    """Second since 1970 from which the gateway refuses it; 0 for never."""
    made: int = 0
    """Second since 1970; 0 where nobody wrote it down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The keys of one stack."""

    rows: tuple[KeyRow, ...]
    own_sha256: str
    """Of the stack's own key as its file has it; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedKey:
    """What is shown of a key."""

    stack: str
    name: str
    made: str
    """Time in UTC, `2026-01-31T12:00:00Z`; empty where it is not known."""
    until: str
    """Time in UTC from which it is refused; empty for never."""
    state: Literal["valid", "ending", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What a change of the keys did, or would do."""

    stack: str
    name: str
    change: Literal["made", "revoked", "rotated"]
    key: str
    """The new key, which is shown this once; empty where none is shown."""
    key_file: Path | None
    """Where the new key lies; None for a named one, of which only a hash is kept."""
    until: str
    """Time in UTC until which the key before it goes on being valid; empty where it does not."""
    gateway: Literal["told", "not running", "not asked"]
    """Whether the running gateway knows of it; one that is not running reads it at its start."""
    dry_run: bool


class KeyRing(Protocol):
    """Keeps the keys of the stacks, and tells gateways of them."""

    def read(self, stack: str) -> Ring:
        """Return the keys of a stack.

        Raises:
            PrivilegeError: Others of this host can read or change where they lie.
        """

    def write(self, stack: str, rows: tuple[KeyRow, ...]) -> None:
        """Put other rows in the place of all that are there, in one step."""

    def new_key(self) -> tuple[str, str]:
        """Return a new key and its SHA-256; nothing is kept."""

    def set_own(self, stack: str, key: str) -> None:
        """Put another key in the place of the stack's own."""

    def tell(self, container: str) -> tuple[int, str]:
        """Let a running gateway read its keys again; return the exit code and what it said.

        Raises:
            WaitError: It did not answer.
        """
