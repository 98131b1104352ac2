# SPDX-License-Identifier: Apache-2.0
"""What a reset of boards touches, and what came of one. Values, and what is asked of a tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.protocols import Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPlan:
    """Everything that a reset takes down."""

    asked: tuple[str, ...]
    """Ids of the boards that were meant."""
    boards: tuple[str, ...]
    """Ids of all boards that are reset: those, and what is linked to them."""
    nodes: tuple[str, ...]
    names: tuple[str, ...]
    """Every ASIC id and PCI address of them."""
    stacks: tuple[str, ...] = ()
    """Stacks with a container, running or ended, that leases one of them."""
    dirty: tuple[tuple[str, str], ...] = ()
    """(board, why it needs it) of those that do."""
    galaxy: bool = False
    """Whether all of a Galaxy is reset, in its own way."""
    reasons: tuple[str, ...] = ()
    """Why more than was asked for is reset, and what is not known of that."""
    warnings: tuple[str, ...] = ()
    """What is known to go wrong on such a machine."""
    blocked: tuple[str, ...] = ()
    """Who has one of the boards; while anybody does, nothing is reset."""
    release: str = ""
    """The command that lets the first of those go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbered:
    """A board whose nodes have other numbers than before."""

    board: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetResult:
    """What was done, or would be."""

    plan: ResetPlan
    done: bool
    renumbered: tuple[Renumbered, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearResult:
    """Boards that count as clean from now on, and the files that were removed."""

    boards: tuple[str, ...]
    hugepages: tuple[str, ...] = ()
    """Files of the driver library on /dev/hugepages-1G that nobody used any more."""
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetOrder:
    """What the tool is told."""

    nodes: tuple[str, ...]
    galaxy: bool
    image: str = ""
    """The image whose tt-smi does it; empty for the host's."""
    root: str = ""
    """Folder that stands for `/` where the devices are made up."""


class Resets(Protocol):
    """The tool that resets boards, and what is known of the place where it works."""

    def virtual(self) -> str:
        """Return what shows that this is a virtual machine, empty where nothing does."""

    def reset(self, order: ResetOrder, reporter: Reporter) -> None:
        """Reset boards.

        Raises:
            EngineError: The tool failed.
            ToolMissingError: It is not installed.
            WaitError: It took longer than 180 s.
        """

    def remove_hugepages(self, files: Sequence[str]) -> None:
        """Remove files of the driver library.

        Raises:
            PrivilegeError: One belongs to another user.
        """
