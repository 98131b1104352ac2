# SPDX-License-Identifier: Apache-2.0
"""A machine with made-up boards, an entry with pins for two of them, and who holds the guard."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.fakes import DEMO_MODEL, HUB_MODEL, FakeLeases, FakeResets, Scene
from tests.unit.rules.leasing import stack
from tests.unit.rules.validated import PINS, entry, t3k

from ttctl.model.health import CardVitals
from ttctl.model.spec import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import Reporter
    from ttctl.model.spec import ModelSpec

PINNED = entry("acme/Llama-8B-Instruct", "n300")
NAME = "llama-8b-instruct"
SERVER = entry(
    "acme/Whisper-1B",
    "n300",
    engine="media",
    implementation="whisper",
    engine_args=(),
    type="AUDIO",
    pins=replace(
        PINS,
        image="registry.example.org/media:0.10.0-25305db",
        contract="media",
        recipe="media",
        flag="",
        vllm="",
    ),
)
"""One whose server of this version wants a key."""
PINNED_IMAGE = f"registry.example.org/vllm@sha256:{'d' * 64}"
LLAMA = Request(model=PINNED.model, device="n300")
FIRST = "0000:00:00.0"
"""The first of the boards, by the name that leases have for it."""


WELL = CardVitals(
    pci=(),
    iommu=(("0000:00:00.0", "DMA-FQ"),),
    hugepages=16,
    hugepages_free=16,
    hugepages_mounted=True,
)


class WatchedLeases(FakeLeases):
    """Notes when the guard is taken and let go."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.host)
        self._calls = scene.calls

    @contextmanager
    def guard(self, *, timeout_s: float, reporter: Reporter) -> Iterator[None]:
        with super().guard(timeout_s=timeout_s, reporter=reporter):
            self._calls.append("guard")
            yield
        self._calls.append("let go")


def card_scene(spec: ModelSpec = PINNED) -> Scene:
    """Return a t3k whose four boards are free and well, and a registry that has the image."""
    scene = Scene()
    scene.leases = WatchedLeases(scene)
    scene.resets = FakeResets(scene.calls, scene.leases)
    scene.catalog.entries = (HUB_MODEL, DEMO_MODEL, spec)
    scene.host.found = t3k()
    scene.vitals.the_cards = WELL
    assert spec.pins is not None
    scene.registry.digests[spec.pins.image] = f"sha256:{'d' * 64}"
    scene.gateway.lists = (spec.model,)
    return scene


def without_cards(spec: ModelSpec = PINNED) -> Scene:
    """Return a machine that has no card, and the same catalog."""
    scene = card_scene(spec)
    scene.host.found = Scene().host.found
    scene.vitals.the_cards = CardVitals(pci=())
    return scene


def held(scene: Scene, *boards: str) -> None:
    """Let another stack lease boards."""
    nodes = tuple(f"/dev/tenstorrent/{int(board[5:7])}" for board in boards)
    scene.leases.containers = (stack("chat", *boards, paths=nodes),)


def killed(scene: Scene, board: str = FIRST) -> None:
    """Let a container that leased a board have been killed."""
    ended = {"exit_code": 137, "finished_at": "2026-01-31T10:00:00Z"}
    scene.leases.containers = (stack("old", board, phase="exited", **ended),)
