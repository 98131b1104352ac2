# SPDX-License-Identifier: Apache-2.0
"""ttctl on a machine with cards that is made up, with a registry and a hub of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.standins.fake_hub import FakeHub
from tests.standins.hand_launches import memlock
from tests.standins.nodes import made_nodes
from tests.standins.registry import registry
from tests.standins.roomy import roomy
from tests.standins.server_images import served_from, standin_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.e2e.driver import Ttctl

FILES = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer.json": b"{}"}
"""What the hub has of each model."""
SMALL = "1g"
"""A stand-in needs little, and the machine that tests run on has little."""


def lay_over(rendered: Path, *engines: str) -> None:
    """Say what this machine cannot give: much memory, and any of it locked without a limit.

    Args:
        rendered: The folder of a stack that was never up.
        engines: Its services that are made for cards.
    """
    limit = int(memlock().rpartition(":")[2])
    changed = {
        "ulimits": {"memlock": {"soft": limit, "hard": limit}},
        "mem_limit": SMALL,
        "memswap_limit": SMALL,
    }
    rendered.mkdir(parents=True, exist_ok=True)
    rendered.parent.chmod(0o700)
    rendered.chmod(0o755)
    text = json.dumps({"services": dict.fromkeys(engines, changed)})
    (rendered / "compose.override.yaml").write_text(text, encoding="utf-8")


@contextmanager
def made_machine(
    ttctl: Ttctl, folder: Path, models: Iterable[str], *, device: str = "t3k"
) -> Iterator[tuple[Ttctl, str]]:
    """Yield ttctl on the machine, and its registry's address.

    Args:
        ttctl: The installed program.
        folder: Where all files of the machine go.
        models: What the hub has.
        device: A kind of `machines.KINDS`; a t3k is four n300.
    """
    root = folder / "machine"
    made_nodes(root, device)
    (root / "dev/hugepages-1G").mkdir()
    with registry() as served, FakeHub() as hub, roomy(folder / "cache") as cache:
        for name in models:
            hub.add(name, FILES, large={"model.safetensors"})
        place = {
            "TTCTL_DEVICE_ROOT": str(root),
            "TTCTL_REGISTRY": served,
            "TTCTL_HUB_ENDPOINT": hub.url,
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(cache),
        }
        yield replace(ttctl, environ={**ttctl.environ, **place}), served


def serve(
    machine: tuple[Ttctl, str],
    model: str,
    release: str,
    *,
    device: str = "n300",
    faults: Mapping[str, str] | None = None,
) -> str:
    """Put a stand-in into the registry under the name of an entry's pins; return the engine."""
    ttctl, served = machine
    spec = ttctl.run("models", "show", model, "--device", device, "--json").data["spec"]
    contract, reference = spec["pins"]["contract"], spec["pins"]["image"]
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    served_from(served, standin_image(contract, release=release, faults=faults), repository, tag)
    return str(spec["engine"])
