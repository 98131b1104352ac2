# SPDX-License-Identifier: Apache-2.0
"""Certificates in memory, as a test says them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.tls import Certificate, Held

if TYPE_CHECKING:
    from ttctl.model.tls import Tls

HOME = Path("/state/stacks")
YEAR_S = 365 * 86400
OWN = Certificate(
    names=("llm.example.org",), until=2_000_000_000, ends="2033-05-18", sha256="0" * 64
)


@dataclass
class FakeCertificates:
    """Makes certificates that say what they were asked to; the user's own lie in `files`."""

    used: dict[str, Certificate] = field(default_factory=dict)
    copies: dict[tuple[str, str], Certificate] = field(default_factory=dict)
    files: dict[str, Certificate] = field(default_factory=dict)
    trusted: bool = False
    addresses: tuple[str, ...] = ("10.0.0.7",)
    now: int = 1_800_000_000
    calls: list[str] = field(default_factory=list)
    states: dict[str, tuple[dict[str, Certificate], dict[tuple[str, str], Certificate]]] = field(
        default_factory=dict
    )

    def found(self, stack: str) -> Certificate | None:
        return self.used.get(stack)

    def kept(self, stack: str, mode: Tls) -> Certificate | None:
        return self.copies.get((stack, mode))

    def use(self, stack: str, mode: Tls) -> None:
        self.calls.append(f"use {mode}")
        self.used[stack] = self.copies[stack, mode]

    def held(self, stack: str) -> Held:
        number = str(len(self.states))
        self.states[number] = (dict(self.used), dict(self.copies))
        return Held(texts=((stack, number),))

    def put_back(self, held: Held) -> None:
        ((_, number),) = held.texts
        used, copies = self.states[number]
        self.used |= used
        self.copies |= copies

    def alter(self, stack: str, mode: Tls, *, until: int = 0, sha256: str = "") -> None:
        """Let the one that is in use say something else."""
        was = self.copies[stack, mode]
        now = replace(was, until=until or was.until, sha256=sha256 or was.sha256)
        self.copies[stack, mode] = self.used[stack] = now

    def file(self, stack: str) -> Path:
        return HOME / stack / "secrets/certificate.pem"

    def is_trusted(self, stack: str) -> bool:
        return self.trusted and stack in self.used

    def names(self, *, everywhere: bool) -> tuple[str, ...]:
        return ("localhost", "box", "127.0.0.1", "::1", *(self.addresses if everywhere else ()))

    def read(self, file: str, key_file: str) -> Certificate:
        if file not in self.files:
            raise BadFileError(f"The certificate {file!r} cannot be used.", evidence=key_file)
        return self.files[file]

    def take(self, stack: str, file: str, key_file: str) -> None:
        self.calls.append(f"take {file} {key_file}".strip())
        self.copies[stack, "own"] = self.used[stack] = self.read(file, key_file)

    def make(self, stack: str, names: tuple[str, ...]) -> None:
        self.calls.append(f"make {' '.join(names)}")
        made = Certificate(
            names=names,
            until=self.now + YEAR_S,
            ends="2028-01-15",
            sha256=f"{len(self.calls):064d}",
        )
        self.copies[stack, "generated"] = self.used[stack] = made
