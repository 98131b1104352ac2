# SPDX-License-Identifier: Apache-2.0
"""ttctl on a machine without an engine, beside a stack that a test serves.

`python -m tests.standins.ttctl_beside STACK=PORT[,STACK=PORT] WORDS...`: all is real, flags and
exit codes too, but the engine, its stacks and their keys.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from tests.unit.fakes import KEY, Scene

from ttctl.adapters.gateway import StackGateway
from ttctl.cli import wiring
from ttctl.cli.main import main
from ttctl.cli.shelf import WiredShelf
from ttctl.model.spec import Request
from ttctl.operations.up import up

if __name__ == "__main__":
    scene = Scene()
    key_file = Path(os.environ["XDG_STATE_HOME"]) / "api-key"
    key_file.write_text(f"{KEY}\n")
    scene.store.key_file = lambda stack: key_file  # type: ignore[method-assign] # noqa: ARG005
    for word in sys.argv.pop(1).split(","):
        stack, _, port = word.partition("=")
        up(scene.world, Request(model="demo-llama", name=stack, port=int(port)))
    world = replace(scene.world, gateway=StackGateway(), shelf=WiredShelf(os.environ))
    wiring.wire = lambda *_, **__: world
    main()
