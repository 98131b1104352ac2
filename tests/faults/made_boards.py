# SPDX-License-Identifier: Apache-2.0
"""A machine with four boards that is made up, an engine of its own, and ttctl.

Its nodes are device files of the kernel's memory device, which real processes and containers open.
"""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.faults.stage import ttctl_on
from tests.standins import machines
from tests.standins.fake_hub import FakeHub
from tests.standins.nodes import device_file
from tests.standins.roomy import roomy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Ttctl
    from tests.faults.own_engine import OwnEngine

MINORS = (5, 7, 8, 9)
"""Of the memory device, major 1: zero, full, random and urandom."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Four boards, an engine that lets containers at them, and ttctl."""

    root: Path
    engine: OwnEngine
    ttctl: Ttctl
    image: str

    def node(self, number: int) -> Path:
        return self.root / "dev/tenstorrent" / str(number)

    def boards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ttctl.run("devices", "ls", "--json").data["boards"]
        return sorted(found, key=lambda one: one["nodes"])

    def process(self, stack: ExitStack, *numbers: int, listed: bool) -> str:
        """Let a process open nodes until the block ends; return how it is called."""
        opened = "import sys, time; all = [open(p, 'rb') for p in sys.argv[1:]]; print(); "
        words = [sys.executable, "-c", opened + "time.sleep(3600)"]
        child = stack.enter_context(
            subprocess.Popen([*words, *map(str, map(self.node, numbers))], stdout=subprocess.PIPE)
        )
        stack.callback(child.kill)
        assert child.stdout is not None
        child.stdout.readline()
        link = self.root / "proc" / str(child.pid)
        link.symlink_to(f"/proc/{child.pid}")
        stack.callback(link.unlink)
        for number in numbers if listed else ():
            pids = self.root / "proc/driver/tenstorrent" / str(number) / "pids"
            pids.write_text(f"{child.pid}\n")
            stack.callback(pids.write_text, "")
        return f"pid {child.pid} (python"

    def container(self, stack: ExitStack, *words: str) -> str:
        """Run a container of somebody else until the block ends; return its name."""
        name = f"somebody-{random.randbytes(4).hex()}"  # noqa: S311 - a name
        own = ("--detach", "--name", name, "--entrypoint", "sleep")
        self.engine.docker("run", *own, *words, self.image, "3600")
        stack.callback(self.engine.docker, "rm", "--force", name)
        return f"container {name}"

    def device(self, number: int, inside: int) -> str:
        return f"--device={self.node(number)}:/dev/tenstorrent/{inside}"


@contextmanager
def four_boards(engine: OwnEngine, tmp_path: Path, model: str, image: str) -> Iterator[Machine]:
    """Yield a machine of four p150 with a hub of its own, on the network of the quiet engine.

    Args:
        engine: On whose network this is called.
        tmp_path: Where all files of the machine go.
        model: What the hub has.
        image: Of this engine; it gets the name of the model's validated image.
    """
    root = machines.tree(tmp_path / "root", "p150x4")
    (root / "run/lock").mkdir(parents=True)
    (root / "run/lock").chmod(0o1777)
    (root / "dev/hugepages-1G").mkdir()
    for number, minor in enumerate(MINORS):
        device_file(root / "dev/tenstorrent" / str(number), 1, minor)
    ttctl = ttctl_on(engine, tmp_path)
    files = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer.json": b"{}"}
    with FakeHub() as hub, roomy(tmp_path / "room") as cache:
        hub.add(model, files, large={"model.safetensors"})
        own = {
            "TTCTL_DEVICE_ROOT": str(root),
            "TTCTL_HUB_ENDPOINT": hub.url,
            "XDG_CACHE_HOME": str(cache),
        }
        ttctl = replace(ttctl, environ={**ttctl.environ, **own})
        made = Machine(root=root, engine=engine, ttctl=ttctl, image=image)
        # So no registry is asked: the validated image is here by its name.
        shown = ttctl.run("models", "show", model, "--device", "p150", "--json").data
        validated = shown["spec"]["pins"]["image"]
        engine.docker("tag", image, validated)
        yield made
        engine.docker("rmi", validated)
