# SPDX-License-Identifier: Apache-2.0
"""What an `up` leaves behind: two that are equal here came to the same end."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.driver import tree

if TYPE_CHECKING:
    from tests.e2e.driver import Stack

STRAYS = (".ttctl-*", "*.tmp", "*.incomplete")


@dataclass(frozen=True, kw_only=True)
class LeftBehind:
    """Everything of a stack, but what is random: ids, times, addresses, the key itself."""

    containers: dict[str, tuple[str, str, str, dict[str, str]]]
    """By name: image, state, health, labels."""
    networks: dict[str, dict[str, str]]
    volumes: tuple[str, ...]
    rendered: dict[str, bytes]
    weights: dict[str, str]
    names: tuple[str, ...]


def home(stack: Stack) -> Path:
    return stack.ttctl.stacks / stack.name


def weights(stack: Stack) -> Path:
    return Path(stack.ttctl.environ["XDG_CACHE_HOME"]) / "ttctl" / "weights"


def forget(stack: Stack) -> None:
    """Remove everything of the stack, so that an `up` has every step to do."""
    stack.remove()
    shutil.rmtree(home(stack), ignore_errors=True)
    shutil.rmtree(weights(stack), ignore_errors=True)


def left_behind(stack: Stack) -> LeftBehind:
    """Look at everything that the engine and the disk have of a stack."""
    project = f"label=com.docker.compose.project=ttctl-{stack.name}"
    docker = stack.ttctl.docker
    networks = docker("network", "ls", "--quiet", "--filter", project).split()
    volumes = docker("volume", "ls", "--quiet", "--filter", project).split()
    return LeftBehind(
        containers=_containers(stack),
        networks={
            one["Name"]: one["Labels"]
            for one in (json.loads(docker("network", "inspect", *networks)) if networks else [])
        },
        volumes=tuple(sorted(volumes)),
        rendered=tree(stack.folder),
        weights={
            name: content.hex()
            for name, content in tree(weights(stack)).items()
            if name.endswith(".safetensors")
        },
        names=tuple(
            sorted(
                str(path.relative_to(folder))
                for folder in (home(stack), weights(stack))
                for path in folder.rglob("*")
            )
        ),
    )


def strays(stack: Stack) -> list[str]:
    """Return what a kill has left half written in any folder of ttctl's."""
    folders = (Path(stack.ttctl.environ[f"XDG_{one}_HOME"]) for one in ("STATE", "CACHE", "CONFIG"))
    return [str(path) for one in folders for pattern in STRAYS for path in one.rglob(pattern)]


def _containers(stack: Stack) -> dict[str, tuple[str, str, str, dict[str, str]]]:
    """Return the stack's containers, also those whose names say nothing of it."""
    project = f"label=com.docker.compose.project=ttctl-{stack.name}"
    ids = stack.ttctl.docker("ps", "--all", "--quiet", "--filter", project).split()
    found = json.loads(stack.ttctl.docker("inspect", *ids)) if ids else []
    return {
        one["Name"]: (
            one["Config"]["Image"],
            one["State"]["Status"],
            one["State"].get("Health", {}).get("Status", ""),
            one["Config"]["Labels"],
        )
        for one in found
    }
