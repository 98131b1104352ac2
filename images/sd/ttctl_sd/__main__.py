# SPDX-License-Identifier: Apache-2.0
"""Start the server: python -m ttctl_sd --weights FOLDER --backend cpu|card."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# Behind what tt-metal's own environment has: what its tree pins wins.
sys.path.append(str(Path(__file__).parents[1] / "lib"))

from ttctl_sd.asked import Limits
from ttctl_sd.card import CardBackend, Mesh
from ttctl_sd.processor import ProcessorBackend
from ttctl_sd.service import Service
from ttctl_sd.tree import pipelines_in
from ttctl_sd.wire import Wire
from ttctl_serving.key import read_key
from ttctl_serving.log import QUIET, hold_libraries, log
from ttctl_serving.server import Server, config_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl_sd.drawing import Backend

PORT = 8000
ROOM = 16
"""How many requests may wait."""
BACKEND, BACKENDS = "TTCTL_SD_BACKEND", ("cpu", "card")
"""The variable by which an image says what it is made for; the flag wins."""
FINISH_S = 80
"""Seconds in which what is computed may end after SIGTERM; the stop has 120 in all."""


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="ttctl_sd", description=__doc__, allow_abbrev=False)
    parser.add_argument("--weights", type=Path, help="the weights, as diffusers lays them out")
    parser.add_argument("--name", default="", help="default: the folder's name")
    parser.add_argument(
        "--backend", choices=BACKENDS, default=os.environ.get(BACKEND) or BACKENDS[0]
    )
    parser.add_argument("--host", default="0.0.0.0", help="default: every address")  # noqa: S104 - inside a container's own network
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--room", type=int, default=ROOM, help="how many requests may wait")
    parser.add_argument(
        "--threads", type=int, default=0, help="of the processor; 0: as torch likes"
    )
    parser.add_argument("--largest-side", type=int, default=Limits().side_px, help="pixels")
    parser.add_argument(
        "--check", action="store_true", help="say which pipelines tt-metal's tree has, and end"
    )
    found = parser.parse_args(arguments)
    # argparse holds no default against the choices.
    if found.backend not in BACKENDS:
        parser.error(f"{BACKEND} is {found.backend!r}; there are {' and '.join(BACKENDS)}")
    if not found.check and found.weights is None:
        parser.error("--weights is missing")
    return found


def check(tree: Path) -> str:
    """Return which pipelines a tree has.

    Raises:
        SystemExit: It has none that this program calls.
    """
    found = [one for one in pipelines_in(tree) if one.driven]
    if not found:
        old = "".join(f"; {one.path} is of an earlier time" for one in pipelines_in(tree))
        raise SystemExit(
            "ttctl: error: the source tree is not one that the recipe sd builds: "
            f"it has no Stable Diffusion pipeline{old}"
        )
    return "\n".join(f"{one.family} {one.module}.{one.name}" for one in found)


def backend_of(chosen: argparse.Namespace) -> Backend:
    """Return the back end; nothing is loaded yet."""
    if chosen.backend == "cpu":
        return ProcessorBackend(chosen.weights, threads=chosen.threads)
    mesh = Mesh(
        device=os.environ.get("MESH_DEVICE", ""),
        shape=os.environ.get("DEVICE_MESH_SHAPE", ""),
    )
    return CardBackend(chosen.weights, _tree(), mesh)


def _tree() -> Path:
    return Path(os.environ.get("TT_METAL_HOME", "/opt/tt-metal"))


def main() -> None:
    """Serve until told to stop."""
    chosen = options(sys.argv[1:])
    if chosen.check:
        print(check(_tree()))
        return
    hold_libraries()
    os.environ.update(QUIET)
    key = read_key()
    service = Service(
        backend_of(chosen),
        served=chosen.name or chosen.weights.name,
        limits=Limits(side_px=chosen.largest_side),
        room=chosen.room,
    )

    def cannot_load() -> None:
        server.should_exit = True

    door = Wire(service, cannot_load=cannot_load).door(key)
    config = config_of(door, host=chosen.host, port=chosen.port, finish_s=FINISH_S)
    server = Server(config, at_stop=service.stop, at_last=service.line.interrupt)
    log("starting", model=service.served, backend=chosen.backend, port=chosen.port)
    server.run_until_told()
    log("stopped")
    sys.exit(service.state == "broken")


if __name__ == "__main__":
    main()
