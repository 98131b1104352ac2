# SPDX-License-Identifier: Apache-2.0
"""Is the room of a pull what is sent and what it unpacks to, without the layers that are here?"""

from __future__ import annotations

from pathlib import Path

import pytest

from ttctl.model.prebuilt import Layer
from ttctl.rules.pull_room import UNPACKED, pull_bytes, room_finding

LAYERS = tuple(
    Layer(name=name, size_bytes=size) for name, size in (("a", 1), ("b", 10), ("c", 100))
)
ROOT = Path("/var/lib/docker")
GIB = 1 << 30


@pytest.mark.parametrize(
    ("here", "sent"),
    [
        pytest.param((), 111, id="nothing is here"),
        pytest.param((("a", "x"),), 110, id="the lowest layer is here"),
        pytest.param((("a",), ("a", "b", "y")), 100, id="the image that shares most counts"),
        pytest.param((("x", "b", "c"),), 111, id="a layer over another one is another"),
        pytest.param((("b", "c"),), 111, id="a layer that lies elsewhere is another"),
        pytest.param((("a", "b", "c", "d"),), 0, id="all are here"),
    ],
)
def test_only_layers_that_lie_on_the_same_ones_are_here_already(
    here: tuple[tuple[str, ...], ...], sent: int
) -> None:
    assert pull_bytes(LAYERS, here) == sent * (1 + UNPACKED)


@pytest.mark.parametrize(
    ("needed", "free", "verdict"),
    [
        pytest.param(GIB, GIB, "ok", id="just enough"),
        pytest.param(GIB, GIB - 1, "blocked", id="one byte short"),
        pytest.param(None, GIB, "unknown", id="no registry told"),
    ],
)
def test_room_that_is_short_is_blocked_and_named(
    needed: int | None, free: int, verdict: str
) -> None:
    found = room_finding(needed, free=free, root=ROOT)
    assert (found.subject, found.verdict) == ("disk", verdict)
    assert str(ROOT) in found.summary
    assert bool(found.next_step) is (verdict == "blocked")
