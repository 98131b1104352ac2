# SPDX-License-Identifier: Apache-2.0
"""What an acceptance run on cards found. Values only; all of `Ran` is written, signed and shared.

Nothing in here names a machine or a person: no serial number, host, user, address, key, prompt or
path has a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Part = Literal["contract", "door", "smoke"]
"""What is seen of the containers; what the gateway lets in; whether the model works."""

Outcome = Literal["passed", "failed", "skipped"]
FigureName = Literal["ttft_ms", "tput_user", "tput"]
FigureVerdict = Literal["met", "below", "not judged"]
Verdict = Literal["passed", "below target", "failed", "incomplete"]
"""`below target`: all works, and slower than the entry's highest tier."""

OUTCOMES: tuple[str, ...] = get_args(Outcome)
VERDICTS: tuple[str, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at one thing."""

    name: str
    part: Part
    outcome: Outcome
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A check, and what a person at the machine is told of it; that part is never written."""

    check: Check
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What some requests took. None: it could not be told."""

    requests: int
    failed: int
    ttft_ms: float | None = None
    """Mean time to the first token, or to the whole answer where nothing is streamed; ms."""
    tput_user: float | None = None
    """Tokens (or images, or answers) a second for each user, after the first token."""
    tput: float | None = None
    """The same for all users together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a tier, and what was measured."""

    name: FigureName
    target: float
    measured: float | None
    verdict: FigureVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRun:
    """One of the entry's speeds, measured."""

    task: str
    shape: str
    concurrency: int
    tier: str
    """The highest that the entry names for this task and shape."""
    requests: int
    failed: int
    figures: tuple[Figure, ...]
    reached: str
    """The highest tier whose figures are all met, empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The machine, as far as it may be told."""

    device: str
    boards: tuple[tuple[str, int], ...]
    """(family, how many), `("n300", 4)`."""
    driver: str
    firmware: tuple[str, ...]
    """Versions of the bundles; more than one where boards differ."""
    kernel: str
    """The numbers of the kernel's release, without what a builder added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The ttctl that ran."""

    version: str
    commit: str
    """40 hex digits, empty for an installation that is no checkout."""
    modified: bool
    """Whether the checkout had changes that are not committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One acceptance run."""

    entry: str
    """The catalog entry's id."""
    model: str
    device: str
    engine: str
    implementation: str
    tt_metal: str
    vllm: str
    image: str
    """Reference in the catalog; which mirror it came from is no matter."""
    image_digest: str
    """`sha256:...` of a pulled image, empty for one that was built here."""
    image_fingerprint: str
    """Of what a built image is made from, empty for a pulled one."""
    contract: str
    catalog: str
    """Release of the catalog that names the entry, empty where it is none of upstream's."""
    catalog_sha256: str
    """Over the catalog's files, as in the lock."""
    build: Build
    bench: Bench
    checks: tuple[Check, ...]
    tiers: tuple[TierRun, ...]
    started_s: float
    """How long `up` took, s."""
    date: str
    """Day, UTC, `2026-01-31`."""
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A text's signature by an SSH key."""

    public_key: str
    """`ssh-ed25519 AAAA...`, without a comment."""
    signature: str
    """The signature's bytes in base64, without armour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RanOn:
    """What is told of a kept result."""

    entry: str
    model: str
    device: str
    date: str
    verdict: Verdict
    reached: str
    """The tier that every measured speed reached, empty for none."""
    file: str
    """Name of the result's file in the catalog's folder `hardware`."""
    signer: str
    """Fingerprint of the key, `SHA256:...`, in OpenSSH's words."""
    signature: Literal["good", "not checked"]
    """`not checked` where OpenSSH is not installed; a wrong one is refused."""
    driver: str
    firmware: tuple[str, ...]
    contract: str
    ttctl: str
    """Version that ran."""
    same_pins: bool = True
    """Whether the entry's pins and image are still those that ran."""
    modified: bool = False
    """Whether the ttctl that ran had changes that are in no commit."""
    ahead: bool = False
    """Whether its day is still to come by this machine's clock."""
