# SPDX-License-Identifier: Apache-2.0
"""ttctl on a machine without an engine, where a stack seems to run.

`python -m tests.standins.ttctl_live WORDS...`: the command, its screen, its signals are real.
LIVE_HANGS=1 lets the engine never answer; LIVE_BREAKS=N lets ttctl's own clock fail from the Nth
question on.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from itertools import count

from tests.unit.fakes import Scene, container
from tests.unit.living import GATEWAY_UP, START, VLLM

from ttctl.adapters.clock import MonotonicClock
from ttctl.cli import wiring
from ttctl.cli.main import main
from ttctl.model.live import MemoryUse
from ttctl.model.spec import Request
from ttctl.operations.up import up

if __name__ == "__main__":
    scene = Scene()
    up(scene.world, Request(model="demo-llama", name="llama", port=8000))
    live = scene.live
    live.containers = (
        container("gateway", container_id="a" * 64),
        container("vllm", container_id="b" * 64),
    )
    live.memory = (MemoryUse(container_id="b" * 64, used_bytes=2**30, limit_bytes=2**32),)
    looks = count(1)

    def on_metrics() -> None:
        number = next(looks)
        live.texts = {
            "/gateway/metrics": GATEWAY_UP.format(requests=number),
            "/metrics": VLLM.format(requests=number, tokens=40 * number),
        }

    live.on_metrics = on_metrics
    if "LIVE_HANGS" in os.environ:
        live.on_engine = threading.Event().wait
    breaks = int(os.environ.get("LIVE_BREAKS", "1000000"))
    asked = count(1)

    def now() -> float:
        if next(asked) >= breaks:
            raise RuntimeError("a test says so")
        return START + 60

    live.now = now  # type: ignore[method-assign]
    world = replace(scene.world, clock=MonotonicClock())
    wiring.wire = lambda console, **_: world  # noqa: ARG005
    main()
