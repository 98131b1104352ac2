# SPDX-License-Identifier: Apache-2.0
"""Whether a stack's one door is encrypted, by which certificate, and how that is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

Tls = Literal["", "generated", "own"]
"""Whose certificate a gateway shows: one that ttctl made, the user's own, or none."""

NONE = "none"
"""What is said where TLS is to be off; what is neither this nor the next is a file's path."""
GENERATED: Final = "generated"
OWN: Final = "own"
PORT = 8443
"""On which a gateway with TLS listens in its container; the other one is left to its own check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says of itself."""

    names: tuple[str, ...]
    """Host names and addresses that it is for, in its order; a name may begin with `*.`."""
    until: int
    """Last second of its time, since 1970."""
    ends: str
    """The day of that in UTC, `2026-01-31`."""
    sha256: str
    """Over its text, with those of the authorities that come with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """How a client of ours knows a gateway: by this very certificate, and no other."""

    file: str
    """The certificate, in PEM form."""
    name: str
    """One of its names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where a gateway is asked on this machine."""

    port: int
    pin: Pin | None = None
    """None where it is not encrypted."""

    @property
    def url(self) -> str:
        """Return its address without a path."""
        if self.pin is None:
            return f"http://127.0.0.1:{self.port}"
        name = f"[{self.pin.name}]" if ":" in self.pin.name else self.pin.name
        return f"https://{name}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of a stack's certificate, and whether what is there does."""

    mode: Tls = ""
    file: str = ""
    """The user's own; empty where it was copied before, or for another mode."""
    key_file: str = ""
    """Its key, where that is in a file of its own."""
    names: tuple[str, ...] = ()
    """What one that is generated has to name."""
    sha256: str = ""
    """Of the certificate that serves in the end; empty while it is not made."""
    why: str = ""
    """Why one is made, copied or put in its place; empty where the one that is in use does."""
    put: bool = False
    """Whether one that does is kept, and only has to be put in its place."""
    said: str = ""
    """What the one that is there, or the user's own, says: names and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The files of a stack's certificates as they were at one time, to be put back as they are."""

    texts: tuple[tuple[str, str], ...] = field(repr=False)
    """Where each lies, and its text; keys are among them, so that they are never shown."""


class Certificates(Protocol):
    """The certificates of the stacks' gateways, each with its key in the stack's own folder.

    Of each kind one is kept, and one of them is in use.
    """

    def found(self, stack: str) -> Certificate | None:
        """Return what the certificate says that is in use; None where none is whole."""

    def kept(self, stack: str, mode: Tls) -> Certificate | None:
        """Return what the one of a kind says, in use or not; None where none is whole."""

    def use(self, stack: str, mode: Tls) -> None:
        """Put the one of a kind that is kept in its place.

        Raises:
            BadFileError: None is kept.
        """

    def held(self, stack: str) -> Held:
        """Return all that is there of a stack, in use or not."""

    def put_back(self, held: Held) -> None:
        """Write again what is another since; what came besides is left alone.

        Raises:
            TtctlError: It cannot be written.
        """

    def file(self, stack: str) -> Path:
        """Return where a stack's certificate lies, without its key: for clients."""

    def is_trusted(self, stack: str) -> bool:
        """Return whether the authorities that this machine trusts stand for it."""

    def names(self, *, everywhere: bool) -> tuple[str, ...]:
        """Return what this machine is called: on itself, and by others where that is asked."""

    def read(self, file: str, key_file: str) -> Certificate:
        """Look at a certificate of the user's own.

        Raises:
            BadFileError: It cannot be read, is none, has ended, or the key is another's.
        """

    def take(self, stack: str, file: str, key_file: str) -> None:
        """Copy a certificate of the user's own, with its key, and use it.

        Raises:
            BadFileError: As `read`.
        """

    def make(self, stack: str, names: tuple[str, ...]) -> None:
        """Make a certificate that is signed by itself, and use it.

        Raises:
            ToolMissingError: OpenSSL is not installed.
            TtctlError: It made none.
        """
