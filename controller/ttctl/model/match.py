# SPDX-License-Identifier: Apache-2.0
"""What a request was matched with, and why nothing else. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

Task = Literal[
    "chat", "code", "reasoning", "agent", "image", "video", "audio", "speech", "embedding",
    "vision", "classification",
]  # fmt: skip
"""What a model is wanted for."""

TASKS: tuple[str, ...] = get_args(Task)

How = Literal["name", "alias", "family", "task", "likeness"]
"""By what a request found its model."""

Miss = Literal[
    "device", "boards", "firmware", "driver", "ram", "disk", "status", "gated", "known-bad",
    "multihost", "gpu", "quarantined",
]  # fmt: skip
"""What keeps an entry from being the answer."""

Subject = Literal[
    "hosts", "boards", "health", "driver", "firmware", "memory", "disk", "pages", "rights",
    "topology", "weights", "status", "known-bad",
]  # fmt: skip
"""What of a machine is looked at before anything starts."""

Verdict = Literal["ok", "warning", "blocked", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A task of a model, and what says so."""

    task: Task
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for."""

    word: str
    """A name, an alias, a family or a task, as it was typed."""
    device: str
    task: str = ""
    """The model has to be good for it, too."""
    experimental: bool = False
    """Whether what was not validated on this device may be taken."""
    unattended: bool = False
    """Whether nobody can choose: then what is ambiguous is refused."""
    guesses: bool = False
    """Whether what only looks like a name is taken for it; never in a script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What of a machine decides between entries. 0 and empty mean: not known."""

    devices: tuple[str, ...] = ("cpu",)
    """What its boards can make up, the machine's own device first; `cpu` always works."""
    held: tuple[str, ...] = ()
    """Those of `devices` that no free and healthy boards make up now."""
    memory_mib: int = 0
    disk_mib: int = 0
    firmware: str = ""
    """That of the boards which the wanted device would get."""
    firmwares: tuple[tuple[str, str], ...] = ()
    """(another of `devices`, firmware of the boards that it would get)."""
    driver: str = ""
    boards: tuple[str, ...] = ()
    """Families of its boards, one word for each board."""
    parts: tuple[str, ...] = ()
    """Those of `devices` that are one chip of a larger board and nothing else here."""

    def firmware_on(self, device: str) -> str:
        """Return the firmware that decides on a device: parts of a machine may differ."""
        return dict(self.firmwares).get(device, self.firmware)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerUp:
    """An entry that would do as well, and the rule that put it behind."""

    model: str
    device: str
    status: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An entry that is nearly what was asked for."""

    model: str
    device: str
    kind: Miss
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What can be had in place of what cannot."""

    kind: Literal["device", "fallback", "ungated", "model", "experimental"]
    model: str
    device: str
    reason: str
    experimental: bool = False
    """Whether it needs `--experimental`."""
    engine: str = ""
    """The engine of ours that has to be named for it; empty for the entry's own."""

    @property
    def command(self) -> str:
        """What to type for it."""
        flag = " --experimental" if self.experimental else ""
        flag += f" --engine {self.engine}" if self.engine else ""
        return f"ttctl plan {self.model} --device {self.device}{flag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The entry that serves a request, and why this one."""

    spec: ModelSpec
    how: How
    score: float = 100
    """Likeness of what was typed and the name, 100 for the same."""
    reasons: tuple[str, ...] = ()
    deciding: str
    """The rule that put this entry before the next one."""
    runners_up: tuple[RunnerUp, ...] = ()
    yours: tuple[str, ...] = ()
    """Limits that the user changed, each with the validated one."""
    warnings: tuple[str, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a model needs, held against the machine."""

    subject: Subject
    verdict: Verdict
    summary: str
    next_step: str = ""
    """A command to type, empty where nothing is to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One model and the boards that it would get."""

    model: str
    device: str
    boards: tuple[str, ...]
    """Ids of boards; empty for the processor."""
    memory_mib: int
    """Host memory that it takes, 0 where the entry does not say."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """Several models on the boards of one machine, or what is in the way."""

    fits: bool
    placed: tuple[Packed, ...]
    left: tuple[str, ...] = ()
    """Ids of boards that stay free."""
    memory_mib: int = 0
    """Sum of the models' host memory."""
    machine_mib: int = 0
    disk_mib: int = 0
    """Sum of what they take on disk; weights that two of them share count once."""
    free_disk_mib: int = 0
    obstacles: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Ids of boards that others have, without whom all would fit; empty where that is not it."""
    warnings: tuple[str, ...] = ()
    """What does not keep them from it, such as weights that need a token."""
    unknown: tuple[str, ...] = ()
    """What no source says, so that only a trial can tell."""
