# SPDX-License-Identifier: Apache-2.0
"""What comes back after a boot, and the unit that brings it back. Values and Protocols only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

Outcome = Literal["started", "up already", "ended", "failed", "would start"]
Scope = Literal["user", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFailure:
    """Why one stack did not come back: a refusal's parts."""

    what: str
    why: str
    evidence: str
    next_step: str
    exit_code: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BootedStack:
    """What became of one stack that is wanted."""

    stack: str
    outcome: Outcome
    """`ended` where another command ended it meanwhile; `would start` under `--dry-run` only."""
    url: str = ""
    """Of its gateway, where it is up."""
    seconds: float = 0
    failure: BootFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """What became of every stack that is wanted, by name."""

    stacks: tuple[BootedStack, ...]
    dry_run: bool
    engine_s: float
    """Seconds that the container engine was waited for."""

    @property
    def exit_code(self) -> int:
        """Return the first failure's, 0 where there is none."""
        return next((one.failure.exit_code for one in self.stacks if one.failure), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitWish:
    """What a boot unit is to run, and with which surroundings."""

    scope: Scope
    program: str
    """The whole path of ttctl."""
    user: str
    """Whose stacks; the unit of a whole system names the user."""
    environ: tuple[tuple[str, str], ...]
    """Variables that hold now and lead to this user's files and engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootUnit:
    """A boot unit that was written or removed, or under `--dry-run` would be."""

    path: str
    name: str
    scope: Scope
    text: str
    changed: bool
    """Whether the file is another now, or is gone."""
    removed: bool
    dry_run: bool
    enabled: bool
    """Whether systemctl was run, and said that it is done."""
    failures: tuple[str, ...]
    """What systemctl was asked for in vain, each with what it said."""
    left_out: tuple[str, ...]
    """Settings by variables that hold now and will not at a boot."""
    commands: tuple[str, ...]
    """What is to be typed next."""


class UnitFiles(Protocol):
    """The folder of units of one scope, and systemd itself."""

    def path(self, name: str) -> Path:
        """Return where a unit lies."""

    def text(self, name: str) -> str | None:
        """Return what it holds, None where there is none.

        Raises:
            BadFileError: It cannot be read.
        """

    def write(self, name: str, text: str) -> None:
        """Replace what it holds, in one step.

        Raises:
            PrivilegeError: This user may not.
        """

    def remove(self, name: str) -> None:
        """Remove it, and the links by which it is enabled.

        Raises:
            PrivilegeError: This user may not.
        """

    def systemctl(self, words: tuple[str, ...]) -> str:
        """Run systemctl with a limit; return why it failed, nothing where it did not."""

    def lingers(self, user: str) -> bool:
        """Return whether the user's units run without a login."""
