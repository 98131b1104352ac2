# SPDX-License-Identifier: Apache-2.0
"""ttctl on a machine without an engine, beside a stack that a test serves.

`python -m tests.standins.ttctl_beside STACK=PORT[:ENGINE][,...] WORDS...`: all is real, flags and
exit codes too, but the engine, its stacks and their keys.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from tests.unit.fakes import KEY, Scene

from ttctl.adapters.clock import MonotonicClock
from ttctl.adapters.gateway import StackGateway
from ttctl.adapters.picture_files import PictureFiles
from ttctl.cli import wiring
from ttctl.cli.main import main
from ttctl.cli.reporters import reporter_for
from ttctl.cli.shelf import WiredShelf
from ttctl.model.spec import Request
from ttctl.operations.up import up

ROOT = Path(__file__).parents[2]


def environ_in(folder: Path) -> dict[str, str]:
    """Return the variables of a user whose folders are in `folder`, which are made."""
    for name in ("state", "config", "home"):
        (folder / name).mkdir()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


if __name__ == "__main__":
    scene = Scene()
    key_file = Path(os.environ["XDG_STATE_HOME"]) / "api-key"
    key_file.write_text(f"{KEY}\n")
    scene.store.key_file = lambda stack: key_file  # type: ignore[method-assign] # noqa: ARG005
    for word in sys.argv.pop(1).split(","):
        stack, _, port = word.partition("=")
        port, _, engine = port.partition(":")
        up(scene.world, Request(model="demo-llama", name=stack, port=int(port)))
        lock = scene.store.locks[stack]
        scene.store.locks[stack] = replace(lock, engine=engine or lock.engine)
    world = replace(
        scene.world,
        gateway=StackGateway(),
        shelf=WiredShelf(os.environ),
        pictures=PictureFiles(),
        clock=MonotonicClock(),
    )
    log = Path(os.environ["XDG_STATE_HOME"]) / "log"
    wiring.wire = lambda console, **_: replace(world, reporter=reporter_for(console, log))
    main()
