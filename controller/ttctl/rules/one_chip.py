# SPDX-License-Identifier: Apache-2.0
"""May one chip of a board with two serve an entry, and what tells it so? Pure.

Not yet run on a card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.boards import in_order
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.families import SINGLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.device import Board
    from ttctl.model.spec import ModelSpec

LARGER = {device: family for family, device in SINGLE.items()}
DESCRIPTOR = "TT_MESH_GRAPH_DESC_PATH"

SEEN_ON_P300 = ("c49bb76",)
"""Commits of tt-metal that were seen to start one chip of a p300 as a p150 by its descriptor.

Source: tenstorrent/tt-inference-server pull request 5057. It takes tt-metal's pull requests 35294
and 39245; entries of commits with them name the descriptor themselves (pull request 2587).
"""

ETHERNET_DISPATCH = ("WH_ARCH_YAML", "wormhole_b0_80_arch_eth_dispatch.yaml")
"""What upstream gives every entry of n300 boards: without it their chips have fewer cores for work.

Source: tenstorrent/tt-inference-server:workflows/model_spec.py@v0.20.0
"""


def part_of(device: str, boards: Iterable[Board]) -> str:
    """Return the family of the board of which a device is one chip; empty for whole boards."""
    larger = LARGER.get(device, "")
    return larger if larger and {board.family for board in boards} == {larger} else ""


def nodes_used(device: str, boards: Sequence[Board]) -> tuple[str, ...]:
    """Return the nodes through which a device on some boards is used, in their order."""
    nodes = in_order(node for board in boards for node in board.nodes)
    return nodes[:1] if part_of(device, boards) else nodes


def why_whole(spec: ModelSpec) -> str:
    """Return why an entry is not started on one chip of a larger board; empty where it is.

    Source: for n150 tenstorrent/tt-metal:models/tt_transformers/README.md at 00b0fa3, by which
    MESH_DEVICE makes that implementation use one chip of several; for p150 `SEEN_ON_P300`.
    """
    if spec.device == "n150" and (spec.engine, spec.implementation) != ("vllm", "tt_transformers"):
        return (
            f"that {spec.engine} with {spec.implementation} keeps to one of two chips that it sees "
            "is not known; vllm with tt_transformers does"
        )
    if spec.device == "p150" and not _knows_one_of_p300(spec):
        commit = spec.pins.tt_metal if spec.pins else ""
        return (
            f"that tt-metal {commit} starts one chip of a p300 as a p150 is not known; "
            f"{', '.join(SEEN_ON_P300)} does, and whatever entry names {DESCRIPTOR}"
        )
    return ""


def told(spec: ModelSpec, *, part_of: str, metal: str) -> dict[str, str]:
    """Return the environment by which one chip of a larger board is used, and no more.

    The driver library counts a lone chip of a p300 as a cluster of its own kind, which has to be
    described; it sees both chips of an n300, and MESH_DEVICE alone makes it use the first.

    Args:
        spec: The entry; what it says itself wins.
        part_of: Family of the board.
        metal: Where tt-metal lies in the image.

    Source: tenstorrent/tt-model-manager, src/tt_kernel/container.py; tenstorrent/tt-metal pull
    request 35294. The file is `.yaml` in older commits, whose entries name it themselves.
    """
    if not part_of or part_of == SIZES[spec.device].board:
        return {}
    folder = f"{metal}/tt_metal/fabric/mesh_graph_descriptors"
    further = {
        "n300": ETHERNET_DISPATCH,
        "p300": (DESCRIPTOR, f"{folder}/{spec.device}_mesh_graph_descriptor.textproto"),
    }
    given = dict([("MESH_DEVICE", SIZES[spec.device].mesh), further[part_of]])
    return {name: dict(spec.environment).get(name, value) for name, value in given.items()}


def _knows_one_of_p300(spec: ModelSpec) -> bool:
    if DESCRIPTOR in dict(spec.environment):
        return True
    return spec.pins is not None and spec.pins.tt_metal.startswith(SEEN_ON_P300)
