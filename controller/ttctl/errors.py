# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, and the exit code that says which kind it was."""

from __future__ import annotations

from typing import ClassVar


class TtctlError(Exception):
    """A refusal that a person can act on: what, why, evidence, what to type next."""

    exit_code: int = 1
    """A known failure of an engine gives the error its own."""
    code: ClassVar[str] = "failed"

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        evidence: str = "",
        next_step: str = "",
        mistyped: str = "",
        meant: str = "",
        added: str = "",
    ) -> None:
        """Keep the four parts; `message` says what was refused, with names quoted.

        The command line knows the whole command: it puts `meant` in the place of the word
        `mistyped`, or adds the words `added` where that one was not typed. `next_step` is for
        where neither helps, or nobody knows the command.
        """
        super().__init__(message)
        self.message = message
        self.why = why
        self.evidence = evidence
        self.next_step = next_step
        self.mistyped = mistyped
        self.meant = meant
        self.added = added


class UsageError(TtctlError):
    """The words of the command are off."""

    exit_code = 2
    code = "usage"


class SeveralDevicesError(UsageError):
    """Several devices of this machine serve what was asked for, and none is named."""

    code = "several-devices"


class NoDeviceError(TtctlError):
    """The device that was asked for is not in this machine."""

    exit_code = 3
    code = "no-device"


class ToolMissingError(TtctlError):
    """A program that is needed is not installed."""

    exit_code = 4
    code = "tool-missing"


class EngineError(TtctlError):
    """The container engine, or a container in it, failed."""

    exit_code = 5
    code = "engine-failed"


class TooLongError(EngineError):
    """A prompt does not fit into what the model can read."""

    code = "too-long"


class BuildError(EngineError):
    """An image could not be built."""

    code = "build-failed"


class PrivilegeError(TtctlError):
    """The user may not do this."""

    exit_code = 6
    code = "needs-privilege"


class NothingFitsError(TtctlError):
    """Nothing that was validated fits the request."""

    exit_code = 7
    code = "nothing-fits"


class OfflineError(TtctlError):
    """What is needed lies on a network that does not answer."""

    exit_code = 8
    code = "offline"


class BadFileError(TtctlError):
    """A config, catalog or lock file does not hold what it must."""

    exit_code = 9
    code = "bad-file"


class LockedError(TtctlError):
    """Another command holds the stack."""

    exit_code = 75
    code = "locked"


class HeldError(LockedError):
    """Somebody else has a board: what lets it go is known, and to wait does not help."""

    code = "held"
    holder: str = ""
    """The one stack of this user that has all that is in the way; empty where it is not so."""


class DirtyError(TtctlError):
    """A killed engine left boards behind that need a reset, which nobody agreed to."""

    code = "dirty"


class StaleFilesError(DirtyError):
    """Files of a killed engine are in a start's way, perhaps, and nobody said what to do."""

    code = "stale-files"


class WaitError(TtctlError):
    """A wait came to its limit."""

    exit_code = 124
    code = "timed-out"


class TerminatedError(TtctlError):
    """SIGTERM ended the command."""

    exit_code = 143
    code = "terminated"


class HungUpError(TtctlError):
    """SIGHUP ended the command: its terminal is gone."""

    exit_code = 129
    code = "hung-up"


class InterruptedByUserError(TtctlError):
    """The user stopped the command."""

    exit_code = 130
    code = "interrupted"
