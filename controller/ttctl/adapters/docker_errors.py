# SPDX-License-Identifier: Apache-2.0
"""Say why the container engine did not answer, whichever way it was asked."""

from __future__ import annotations

from ttctl.errors import EngineError, PrivilegeError, UsageError

SHOWN = 300
"""Characters of what the engine said that an error shows."""


def unreachable(said: str) -> EngineError | PrivilegeError:
    """Return the refusal for `said`, the words of docker's command line or of its library."""
    if "permission denied" in said.casefold():
        return PrivilegeError(
            "This user may not talk to the container engine.",
            why="Its socket belongs to root and the group docker.",
            evidence=said[:SHOWN],
            next_step="sudo usermod -aG docker $USER && newgrp docker",
        )
    return EngineError(
        "No container engine answers.",
        why="ttctl builds images and starts containers through a Docker engine.",
        evidence=said[:SHOWN],
        next_step="make engine   # or start the engine that you have",
    )


def no_such_context(name: str) -> UsageError:
    """Return the refusal for a context that the environment names and docker does not know."""
    return UsageError(
        f"There is no docker context {name!r}.",
        why="DOCKER_CONTEXT names it, and another engine than the one meant is not used.",
        evidence=f"DOCKER_CONTEXT={name}",
        next_step="docker context ls",
    )
