# SPDX-License-Identifier: Apache-2.0
"""A small model for the tests of the weights, and a reporter that remembers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ttctl.adapters.hub import HuggingFace
from ttctl.adapters.weights import LocalWeights
from ttctl.model.site import Site, Sourced
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.fake_hub import FakeHub

FIRST = bytes(range(256)) * 1200
SECOND = bytes(reversed(range(256))) * 1200
FILES = {"config.json": b'{"a": 1}', "one.safetensors": FIRST, "two.safetensors": SECOND}
TINY = Weights(kind="hub", repository="acme/tiny")


class Notes:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.counts: list[tuple[float, float, str]] = []
        self.parts: list[tuple[str, float, float]] = []
        self.notes: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.notes.append(title)
        yield

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        if part:
            self.parts.append((part, done, total))
        else:
            self.counts.append((done, total, unit))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def detail(self, line: str) -> None:
        self.notes.append(line)


def publish(hub: FakeHub) -> None:
    hub.add("acme/tiny", FILES, large={"one.safetensors", "two.safetensors"})


def site_of(hub: FakeHub) -> Site:
    return Site(hub_endpoint=Sourced(value=hub.url, source="test"))


def store_in(folder: Path, **places: Any) -> LocalWeights:  # noqa: ANN401 - Elsewhere, HubShare
    """Return a store with its cache in a folder, which waits for no hub that asks it to."""
    return LocalWeights(
        cache=folder / "cache",
        bundled=lambda name: folder / "images" / name,
        hub=lambda site: HuggingFace(site, pause=lambda _: None),
        **places,
    )
