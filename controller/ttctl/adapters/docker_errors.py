# SPDX-License-Identifier: Apache-2.0
"""Say why the container engine did not answer, whichever way it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.errors import EngineError, PrivilegeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = 300
"""Characters of what the engine said that an error shows."""
NAMES_THE_ENGINE = ("DOCKER_HOST", "DOCKER_CONTEXT")
"""What may say which engine is meant, in docker's own order."""

LATE = ("did not answer within", "read timed out")
"""Words of the wire and of docker's library for an engine that is there and says nothing."""


def chosen_by(environ: Mapping[str, str]) -> str:
    """Return the variable that says which engine is meant, nothing where none does."""
    return next((name for name in NAMES_THE_ENGINE if environ.get(name)), "")


def unreachable(said: str, environ: Mapping[str, str]) -> EngineError | PrivilegeError:
    """Return the refusal for `said`, the words of docker's command line or of its library."""
    setting = chosen_by(environ)
    if setting:
        said = f"{setting}={environ[setting]}: {said}"
    if "permission denied" in said.casefold():
        return PrivilegeError(
            "This user may not talk to the container engine.",
            why="Its socket belongs to root and the group docker.",
            evidence=said[:SHOWN],
            next_step="sudo usermod -aG docker $USER && newgrp docker",
        )
    if any(word in said.casefold() for word in LATE):
        return EngineError(
            "The container engine hangs.",
            why="It was asked and did not answer in time, so nothing is known of any stack.",
            evidence=said[:SHOWN],
            next_step="docker version   # hangs too until the engine is well or started anew",
        )
    return EngineError(
        "No container engine answers.",
        why="ttctl builds images and starts containers through a Docker engine.",
        evidence=said[:SHOWN],
        next_step=f"unset {setting}" if setting else _start(),
    )


def _start() -> str:
    start = places.engine_start()
    return f"{start}   # or start the engine that you have" if start.startswith("make") else start


def no_such_context(name: str) -> UsageError:
    """Return the refusal for a context that the environment names and docker does not know."""
    return UsageError(
        f"There is no docker context {name!r}.",
        why="DOCKER_CONTEXT names it, and another engine than the one meant is not used.",
        evidence=f"DOCKER_CONTEXT={name}",
        next_step="docker context ls",
    )
