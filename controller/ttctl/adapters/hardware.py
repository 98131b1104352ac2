# SPDX-License-Identifier: Apache-2.0
"""Which entries ran on cards? The signed results beside the catalog, read without a library."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.clock import utc_day
from ttctl.adapters.files import write_atomically
from ttctl.errors import BadFileError, ToolMissingError, TtctlError
from ttctl.model.acceptance import RanOn
from ttctl.rules.acceptance import claimed
from ttctl.rules.acceptance_text import (
    file_name,
    file_text,
    is_named_for,
    read_file,
    signed_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ttctl.model.acceptance import Ran, Signed
    from ttctl.model.spec import ModelSpec

FOLDER = "hardware"
"""In the folder of the built-in catalog."""
LIMIT_BYTES = 1 << 20
MOST = 100
"""Runs of one entry on one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A result as its file has it; the signature is not checked yet."""

    path: Path
    ran: Ran
    signed: Signed


class KeptResults:
    """One folder of signed results."""

    def __init__(self, folder: Path, *, today: Callable[[], str] = utc_day) -> None:
        """Nothing is read yet; `today` is a day in UTC, `2026-01-31`."""
        self._folder, self._today = folder, today

    def ran(self, spec: ModelSpec) -> tuple[RanOn, ...]:
        """Return the runs of one entry, the newest first; their signatures are checked.

        Raises:
            BadFileError: A file of this entry is not what was signed; others are not read.
        """
        paths = (one for one in self._folder.glob("*.json")
                 if is_named_for(one.name, entry=spec.id, device=spec.device))  # fmt: skip
        own = [one for one in _newest(paths) if one.ran.entry == spec.id]
        return self._last_ahead(told(one, spec=spec, today=self._today()) for one in own)

    def all(self) -> tuple[RanOn, ...]:
        """Return every run, the newest first; their signatures are checked.

        Raises:
            BadFileError: A file is not what was signed.
        """
        return self._last_ahead(told(one, today=self._today()) for one in self.kept())

    @staticmethod
    def _last_ahead(runs: Iterable[RanOn]) -> tuple[RanOn, ...]:
        """Put those whose day is still to come behind the others: they are no newest run."""
        return tuple(sorted(runs, key=lambda one: one.ahead))

    def kept(self) -> tuple[Kept, ...]:
        """Return every file that is here, the newest run first.

        Raises:
            BadFileError: One is damaged.
        """
        return _newest(self._folder.glob("*.json"))


def _newest(paths: Iterable[Path]) -> tuple[Kept, ...]:
    found = [read_result(path) for path in sorted(paths)]
    return tuple(sorted(found, key=lambda one: one.ran.date, reverse=True))


def read_result(path: Path) -> Kept:
    """Read one file.

    Raises:
        BadFileError: It is not byte for byte what ttctl writes.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT_BYTES + 1).decode("ascii")
        ran, signed = read_file(text)
    except (OSError, ValueError) as exc:
        raise BadFileError(
            f"{str(path)!r} is no result of an acceptance run.",
            why="It was changed by something else than ttctl.",
            evidence=f"{path}: {exc}"[:400],
            next_step=f"git log -p -- {quote(str(path))}",
        ) from exc
    return Kept(path=path, ran=ran, signed=signed)


def write_result(folder: Path, ran: Ran, signed: Signed) -> Path:
    """Write a run's file and return where; another run's is never replaced.

    Raises:
        TtctlError: The file system refused.
    """
    first = folder / file_name(ran)
    names = (first, *(first.with_stem(f"{first.stem}-{number}") for number in range(2, MOST)))
    path = next((one for one in names if not one.exists()), None)
    if path is None:
        raise TtctlError(
            f"{str(first)!r} and all its further names are there already.",
            why="A result is never replaced.",
            evidence=str(first),
            next_step=f"ls {quote(str(folder))}",
        )
    write_atomically(path, file_text(ran, signed), mode=0o644)
    return path


def told(kept: Kept, *, spec: ModelSpec | None = None, today: str = "") -> RanOn:
    """Return what is told of a result, its signature checked where OpenSSH is here.

    A result of a later day than `today` is marked, where that is given.

    Raises:
        BadFileError: The signature does not fit.
    """
    # Runs a program, and only where there is a result.
    from ttctl.adapters import signing  # noqa: PLC0415

    good = False
    with suppress(ToolMissingError):
        signing.check(signed_text(kept.ran), kept.signed, path=kept.path)
        good = True
    ran = kept.ran
    return RanOn(
        entry=ran.entry,
        model=ran.model,
        device=ran.device,
        date=ran.date,
        verdict=ran.verdict,
        reached=claimed(ran.verdict, ran.tiers),
        file=kept.path.name,
        signer=signing.fingerprint(kept.signed.public_key),
        signature="good" if good else "not checked",
        driver=ran.bench.driver,
        firmware=ran.bench.firmware,
        contract=ran.contract,
        ttctl=ran.build.version,
        same_pins=spec is None or _same_pins(ran, spec),
        modified=ran.build.modified,
        ahead=bool(today) and ran.date > today,
    )


def _same_pins(ran: Ran, spec: ModelSpec) -> bool:
    pins = spec.pins
    if pins is None:
        return True
    return (ran.tt_metal, ran.vllm, ran.image) == (pins.tt_metal, pins.vllm, pins.image)
