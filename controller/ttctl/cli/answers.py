# SPDX-License-Identifier: Apache-2.0
"""What is printed under `--json`, by kind. The published schemas are generated from this.

Types in here are frozen dataclasses of strings, numbers, booleans, paths, tuples and further
dataclasses. No verb loads this module: it is what the schemas and their tests read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ttctl.model.boot import Booted, BootUnit
from ttctl.model.catalog import CatalogDiff, Refreshed
from ttctl.model.connect import Connection, Tool
from ttctl.model.container import ContainerState, StackWithout
from ttctl.model.device import System
from ttctl.model.devices import DevicesCheck, DevicesInfo
from ttctl.model.generation import Difference, Exchanged, GenerationRow
from ttctl.model.health import Diagnosis
from ttctl.model.keys import KeyChange, NamedKey
from ttctl.model.litter import Pruned
from ttctl.model.live import LiveFrame
from ttctl.model.lock import Lock
from ttctl.model.match import Packing
from ttctl.model.model_page import Hit, ModelPage
from ttctl.model.picture import Drawn
from ttctl.model.plan import Plan
from ttctl.model.project import Project
from ttctl.model.report import Report
from ttctl.model.reset import ClearResult, ResetResult
from ttctl.model.settings import FoundSetting, SettingsChange, SettingsPlace
from ttctl.model.shell import ShellScript
from ttctl.model.site import SiteEntry
from ttctl.model.spec import ModelSpec
from ttctl.model.talk import Completion
from ttctl.model.weights import Snapshot, Verdict
from ttctl.operations.diagnose import Cause
from ttctl.operations.eject import Ejection
from ttctl.operations.execute import Executed
from ttctl.operations.fetch import Fetched, Images
from ttctl.operations.logs import LogLine
from ttctl.operations.plan import Rendered
from ttctl.operations.restart import Restarted
from ttctl.operations.stack_status import StackStatus
from ttctl.operations.swap import Swapped
from ttctl.operations.up_result import UpResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a command ended, and what to type next."""

    what: str
    """What was refused, with names quoted."""
    why: str
    evidence: str
    """What was found and what was expected, or the last lines of a log."""
    next_step: str
    """A command to type."""
    exit_code: int
    """Exit code of the command."""
    code: str
    """A word for the kind of refusal; README.md has the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """A step began or ended."""

    title: str
    state: Literal["started", "done", "failed"]
    seconds: float
    """How long it took, 0 where it has just begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """How far a step is. Only real counts."""

    title: str
    """The step's."""
    done: float
    total: float
    unit: str
    """`steps` or `bytes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEvent:
    """What an engine on a card does while it starts; about four times a minute."""

    title: str
    """The step's."""
    text: str
    phase: str
    """One of `PHASES` in `rules/start_phase.py`: container, engine, device, download, weights,
    tensors, kernels, traces or serving."""
    seconds: float
    """Since the start."""
    limit_s: float
    """When the wait ends."""
    cache_bytes: int
    """What the engine keeps for the next start, until now."""
    bytes_per_s: float
    """By which that grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteEvent:
    """Something to know by the way."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputEvent:
    """A line of a program that ttctl runs; under `--verbose` only."""

    line: str


ANSWERS: dict[str, object] = {
    "boot": Booted,
    "boot-unit": BootUnit,
    "build": Images,
    "catalog": Refreshed,
    "catalog-diff": CatalogDiff,
    "causes": tuple[Cause, ...],
    "chat": Completion,
    "completion": ShellScript,
    "connect": Connection,
    "devices": System,
    "devices-check": DevicesCheck,
    "devices-clear": ClearResult,
    "devices-info": DevicesInfo,
    "devices-reset": ResetResult,
    "diff": Difference,
    "doctor": Diagnosis,
    "down": tuple[Plan, ...],
    "eject": Ejection,
    "exec": Executed,
    "history": tuple[GenerationRow, ...],
    "image": Drawn,
    "key": KeyChange,
    "keys": tuple[NamedKey, ...],
    "init": Project,
    "lock": Lock,
    "model-page": ModelPage,
    "models": tuple[ModelSpec, ...],
    "pack": Packing,
    "plan": Plan,
    "ps": tuple[ContainerState | StackWithout, ...],
    "prune": Pruned,
    "pull": Fetched,
    "render": Rendered,
    "restart": Restarted,
    "rollback": Exchanged,
    "report": Report,
    "search": tuple[Hit, ...],
    "settings": tuple[FoundSetting, ...],
    "settings-change": SettingsChange,
    "settings-path": SettingsPlace,
    "site": tuple[SiteEntry, ...],
    "status": StackStatus,
    "stop": tuple[Plan, ...],
    "swap": Swapped,
    "tools": tuple[Tool, ...],
    "up": UpResult,
    "upgrade": Exchanged,
    "verify": tuple[Verdict, ...],
    "weights": tuple[Snapshot, ...],
}
"""Kind to the type of `data`, in the one envelope that a command prints on stdout."""

LINES: dict[str, object] = {"logs": LogLine, "status-live": LiveFrame}
"""The same where a command prints many envelopes, one a line."""

EVENTS: dict[str, type] = {
    "step": StepEvent,
    "progress": ProgressEvent,
    "status": StatusEvent,
    "note": NoteEvent,
    "output": OutputEvent,
}
"""Kind of an event to its values: one object a line on stderr while a command runs. A reader
ignores kinds that it does not know."""
