# SPDX-License-Identifier: Apache-2.0
"""The entries of the built-in catalog, and machines to match them with."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ttctl.adapters import places
from ttctl.adapters.catalog import OTHERS
from ttctl.adapters.catalog_checks import checked_catalog
from ttctl.model.device import Board, Formed, System
from ttctl.model.match import Place, Wanted
from ttctl.model.pins import Advice, Pins
from ttctl.model.spec import Limits, ModelSpec, Weights
from ttctl.rules.fit_pages import Pages
from ttctl.rules.match import match
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from ttctl.adapters.compiled import Checked
    from ttctl.model.match import Match

TRANSLATED = Pages(total=16, mounted=True, iommu=("DMA",))
"""An IOMMU that translates, and the mount that images may ask for all the same."""
PINS = Pins(
    tt_metal="25305db",
    vllm="6e67d2d",
    image="registry.example.org/vllm:0.9.0-25305db-6e67d2d",
    version="0.9.0",
    contract="vllm-legacy",
    recipe="vllm-fork",
    flag="--override_tt_config",
)


@cache
def built_in() -> Checked:
    """Return the catalog that is shipped, checked once for all tests."""
    folder = places.catalog()
    found = (*sorted(folder.glob("*.toml")), *sorted(folder.glob("*/*.toml")))
    return checked_catalog(path for path in found if path.name not in OTHERS)


def entry(model: str, device: str, **changes: Any) -> ModelSpec:  # noqa: ANN401
    """Return a made-up entry with pins."""
    plain = ModelSpec(
        id=f"id_{model.rpartition('/')[2]}_{device}",
        model=model,
        device=device,
        engine="vllm",
        implementation="tt_transformers",
        image="",
        weights=Weights(kind="hub", repository=model),
        limits=Limits(max_model_len=65536, max_num_seqs=16, block_size=64),
        engine_args=(("model", model), ("max_model_len", "65536"), ("max-num-seqs", "16")),
        environment=(("MESH_DEVICE", device.upper()),),
        memory_mib=1000,
        disk_mib=1000,
        parameters=8,
        status="COMPLETE",
        default=True,
        pins=PINS,
        source="a test",
    )
    return replace(plain, **changes)


def asked(word: str, device: str, *specs: ModelSpec, **more: Any) -> Match:  # noqa: ANN401
    """Match a word on a device: among these entries, or in the built-in catalog."""
    place = more.pop("place", Place(devices=(device, "cpu")))
    advice = more.pop("advice", Advice() if specs else built_in().advice)
    quarantined = more.pop("quarantined", ())
    return match(
        specs or built_in().specs,
        Wanted(word=word, device=device, **more),
        place=place,
        advice=advice,
        quarantined=quarantined,
        satisfies=satisfies,
    )


def machine(device: str, *forms: Formed, boards: tuple[Board, ...], **more: Any) -> System:  # noqa: ANN401
    """Return a machine with cards."""
    plain = System(
        device=device,
        cores=8,
        memory_bytes=512 << 30,
        machine="x86_64",
        driver="2.10.0",
        reason="a test",
        boards=boards,
        forms=forms,
    )
    return replace(plain, **more)


def board(name: str, family: str, **more: Any) -> Board:  # noqa: ANN401
    """Return a board that is well and free."""
    plain = Board(
        id=name,
        family=family,
        nodes=(f"/dev/tenstorrent/{name}",),
        pci_addresses=(f"0000:0{name}:00.0",),
        chips=2 if family in {"n300", "p300"} else 1,
        firmware="19.13.1.0",
        verdict="healthy",
        free="free",
    )
    return replace(plain, **more)


def t3k(**of_the_first: Any) -> System:  # noqa: ANN401
    """Return a t3k, whose four boards are also four n300."""
    boards = (board("0", "n300", **of_the_first), *(board(str(n), "n300") for n in (1, 2, 3)))
    single = [Formed(device="n300", boards=(one.id,), reason="1 x n300") for one in boards]
    whole = Formed(device="t3k", boards=tuple(one.id for one in boards), reason="4 x n300")
    return machine("t3k", whole, *single, boards=boards)
