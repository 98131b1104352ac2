# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the folders in which stacks are kept. Protocols only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ttctl.model.generation import Generation
    from ttctl.model.lock import Lock
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.override import Override
    from ttctl.model.protocols import Reporter
    from ttctl.model.spec import Request


class StackStore(Protocol):
    """The stacks' state folders: what was locked and rendered."""

    def stacks(self) -> tuple[str, ...]:
        """Return the names of the stacks that have a lock."""

    def lock(self, stack: str) -> Lock | None:
        """Read a stack's lock, None where there is none.

        Raises:
            BadFileError: It is damaged.
        """

    def summary(self, stack: str) -> LockSummary | None:
        """Read what is shown of a stack's lock, None where there is none.

        Raises:
            BadFileError: It is damaged.
        """

    def exclusive(
        self, stack: str, *, timeout_s: float, reporter: Reporter
    ) -> AbstractContextManager[None]:
        """Hold the stack for the length of the block.

        Raises:
            LockedError: Another command holds it.
        """

    def pulling(self, reporter: Reporter) -> AbstractContextManager[None]:
        """Tell others of what is fetched for no stack, for the length of the block."""

    def folder(self, stack: str) -> Path:
        """Return where the stack's rendered folder lies."""

    def owner(self) -> str:
        """Return a short name of this state folder, for the containers' labels."""


class WantedStacks(Protocol):
    """Which stacks were brought up and not ended since; change it while the stack is held."""

    def names(self) -> tuple[str, ...]:
        """Return those that are wanted, by name."""

    def is_wanted(self, stack: str) -> bool:
        """Return whether a stack is."""

    def want(self, stack: str) -> None:
        """Keep that a stack was brought up."""

    def end(self, stack: str) -> None:
        """Keep that a stack was ended; nothing where it was not wanted."""


class Folders(Protocol):
    """Reads and writes rendered folders."""

    def lock_text(self, lock: Lock) -> str:
        """Return the lock file's text."""

    def forget(self, stack: str) -> None:
        """Remove a stack's lock and rendered folder; call it while the stack is held."""

    def read_folder(self, folder: Path) -> dict[str, str]:
        """Return the files as they are, by relative path."""

    def write_folder(
        self, folder: Path, files: dict[str, tuple[str, bool]], *, prune: bool
    ) -> None:
        """Make `folder` hold these files: path to (text, executable)."""

    def override(self, folder: Path) -> Override | None:
        """Return what the user's own file beside compose.yaml says, None where there is none."""


class Keys(Protocol):
    """The secrets of a stack."""

    def has_key(self, stack: str) -> bool:
        """Return whether the key and its hash are there and belong together."""

    def ensure_key(self, stack: str) -> Path:
        """Make the key and its hash where they are missing; return the key's file.

        Raises:
            PrivilegeError: Others of this host could read them.
        """

    def key(self, stack: str) -> str:
        """Return the key."""

    def key_file(self, stack: str) -> Path:
        """Return where the key lies."""

    def secrets(self, stack: str) -> Path:
        """Return the folder that the gateway mounts."""


class Generations(Protocol):
    """What is kept of the states in which stacks were ready; call it while the stack is held."""

    def stacks(self) -> tuple[str, ...]:
        """Return the stacks of which one is kept, whether they have a lock or not."""

    def kept(self, stack: str) -> tuple[Generation, ...]:
        """Return those that are kept, the oldest first.

        Raises:
            BadFileError: One of them is damaged.
        """

    def files(self, stack: str, number: int) -> dict[str, str]:
        """Return the rendered folder of one, by relative path, its lock among it.

        Raises:
            BadFileError: It is damaged.
        """

    def is_kept_for(self, stack: str) -> bool:
        """Return whether generations were kept already when the stack was last changed."""

    def begin(self, stack: str) -> None:
        """Keep generations for a stack from now on."""

    def keep(self, stack: str, files: dict[str, str], *, request: Request, why: str) -> int:
        """Keep a state that is ready now as the newest generation; return its number.

        Of those before as many stay as are kept; a kill at any moment leaves whole ones only.
        """
