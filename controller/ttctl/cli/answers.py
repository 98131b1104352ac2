# SPDX-License-Identifier: Apache-2.0
"""What each answer under `--json` is made of. The published schemas are generated from this."""

from __future__ import annotations

from ttctl.model.device import System
from ttctl.model.lock import Lock
from ttctl.model.plan import Plan
from ttctl.model.protocols import Completion
from ttctl.model.service import ContainerState
from ttctl.model.spec import ModelSpec
from ttctl.operations.stacks import StackStatus
from ttctl.operations.up import UpResult

ANSWERS: dict[str, object] = {
    "chat": Completion,
    "devices": System,
    "down": tuple[Plan, ...],
    "lock": Lock,
    "model": ModelSpec,
    "models": tuple[ModelSpec, ...],
    "plan": Plan,
    "ps": tuple[ContainerState, ...],
    "status": StackStatus,
    "up": UpResult,
}
"""Kind to the type of its `data`; `ttctl.KIND/1` is the envelope's schema. Types in here are
frozen dataclasses of strings, numbers, booleans, paths, tuples and further dataclasses."""
