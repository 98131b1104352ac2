# SPDX-License-Identifier: Apache-2.0
"""Machines, containers and processes for the rules on leases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.standins import machines

from ttctl.adapters.host import LocalHost
from ttctl.model.lease import Claims, ContainerUse, ProcessUse, Remembered

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import System

NOBODY = Claims()
NOTHING = Remembered()
ME = "0123456789abcdef"


def machine(root: Path, device: str, **how: Any) -> System:  # noqa: ANN401 - as `tree` takes it
    return LocalHost(machines.tree(root, device, **how), affinity=8).system()


def container(name: str = "box", **what: Any) -> ContainerUse:  # noqa: ANN401 - any field
    values: dict[str, Any] = {"container_id": "c" * 64, "phase": "running", **what}
    return ContainerUse(name=name, **values)


def stack(name: str = "llama", *boards: str, **what: Any) -> ContainerUse:  # noqa: ANN401
    values: dict[str, Any] = {"stack": name, "owner": ME, "boards": boards, **what}
    return container(f"ttctl-{name}-vllm-1", **values)


def seen(*found: ContainerUse | ProcessUse, **what: Any) -> Claims:  # noqa: ANN401 - any field
    return Claims(
        containers=tuple(one for one in found if isinstance(one, ContainerUse)),
        processes=tuple(one for one in found if isinstance(one, ProcessUse)),
        **what,
    )


def node(number: int) -> str:
    return f"/dev/tenstorrent/{number}"


def process(pid: int, *numbers: int, **what: Any) -> ProcessUse:  # noqa: ANN401 - any field
    nodes = tuple(node(number) for number in numbers)
    return ProcessUse(name=f"pid {pid} (python3)", nodes=nodes, **what)
