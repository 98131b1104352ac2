# SPDX-License-Identifier: Apache-2.0
"""Which containers of this user's podman may open which cards? Not yet run on a card.

Podman has no daemon: each user has containers of their own, root too. Those of others are seen by
their processes only, from when they open a node.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ttctl.adapters.container_uses import use_of
from ttctl.adapters.docker_look import NEVER
from ttctl.adapters.process import run
from ttctl.adapters.tree import rooted
from ttctl.errors import ToolMissingError, WaitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ttctl.adapters.container_uses import Nodes
    from ttctl.model.lease import ContainerUse

ANSWER_S = 10.0
"""For each of its answers."""
TRIES = 2
"""A container may go between the two questions."""
LOG_LINES = 200
PHASES = {"stopped": "exited", "configured": "created", "initialized": "created"}
"""Its words for phases, where docker has others.

Source: https://github.com/containers/podman/blob/d54478d8eaec9481d482942b87065af36995d39a/libpod/define/containerstate.go
"""
MAPPING = frozenset({"--device", "--volume", "-v", "--mount"})
"""Options by which a container gets a path of the host.

Source: podman-create(1)
"""
TEMPORARY = ("podman-run", "run", "storage-run")
"""What its folder under /tmp is called where this user has none under /run."""
CLOSED = "podman is in use here and does not tell its containers"


def in_use(environ: Mapping[str, str], root: Path) -> bool:
    """Return whether this user's podman was used since the machine started.

    Its folder for that time is gone after a restart, and with it all that ran.

    Source: containers.conf(5), tmp_dir, and
    https://github.com/containers/podman/blob/b8670f99cf906426941a7bda3c2cba199db55f80/contrib/tmpfile/podman.conf
    """
    user = os.geteuid()
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}"
    temporary = (f"/tmp/{name}-{user}" for name in TEMPORARY)  # noqa: S108 - looked at only
    own = ("/run",) if user == 0 else (runtime, *temporary)
    return any((rooted(root, folder) / "libpod").is_dir() for folder in own)


def podman_uses(environ: Mapping[str, str], nodes: Nodes) -> tuple[tuple[ContainerUse, ...], str]:
    """Return the containers of this user's podman, and why they could not be seen."""
    try:
        for _ in range(TRIES):
            listed = _said(["ps", "--all", "--quiet", "--no-trunc"], environ)
            if listed is None:
                break
            if not listed.split():
                return (), ""
            shown = _said(["inspect", "--type", "container", *listed.split()], environ)
            if shown is not None:
                return tuple(_use(raw, nodes, environ) for raw in json.loads(shown)), ""
    except ToolMissingError:
        return (), ""
    except WaitError:
        return (), f"{CLOSED}: it did not answer within {ANSWER_S:g} s"
    except (KeyError, TypeError, AttributeError, ValueError):
        return (), f"{CLOSED}: its answer is not understood"
    return (), CLOSED


def _said(words: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return all that podman prints, None where it fails."""
    lines: list[str] = []
    done = run(
        ["podman", *words],
        timeout_s=ANSWER_S,
        on_line=lines.append,
        environ=environ,
        with_errors=False,
    )
    return None if done.returncode else "\n".join(lines)


def _use(raw: dict[str, Any], nodes: Nodes, environ: Mapping[str, str]) -> ContainerUse:
    state = raw["State"]
    status = str(state["Status"])
    # Without root a device is a mount that `inspect` does not show: what was typed tells it.
    typed = [{"Source": path} for path in _mapped(raw["Config"].get("CreateCommand") or ())]
    told = {
        **raw,
        "Mounts": [*(raw.get("Mounts") or ()), *typed],
        "State": {
            **state,
            "Status": PHASES.get(status, status),
            "FinishedAt": _utc(str(state.get("FinishedAt") or NEVER)),
        },
    }
    words = ["logs", "--tail", str(LOG_LINES), raw["Id"]]
    return use_of(told, nodes, lambda: _said(words, environ) or "", engine="podman")


def _mapped(command: Sequence[str]) -> Iterator[str]:
    """Yield the paths of the host that the command which made a container maps.

    Source: https://github.com/containers/podman/blob/0d96c46c7c4de3f4464e8d55b6134b9bd082cf34/pkg/specgen/generate/config_linux.go,
    addDevice
    """
    for before, word in zip(["", *command], command, strict=False):
        option, _, value = word.partition("=")
        given = value if option in MAPPING else word if before in MAPPING else ""
        for part in given.split(","):
            # `--mount type=bind,source=/dev/x`, else /dev/x:/dev/x:rw
            path = part.removeprefix("source=").removeprefix("src=").partition(":")[0]
            if path.startswith("/"):
                yield path


def _utc(text: str) -> str:
    """Return a moment in UTC, as docker writes it; podman writes the place's own time."""
    if text.startswith("0001-01-01"):
        return NEVER
    found = datetime.fromisoformat(text).astimezone(UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond:06d}Z"
