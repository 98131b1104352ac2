# SPDX-License-Identifier: Apache-2.0
"""Are tt-metal's pipelines found and called under each of their names? On stand-ins of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.images.sd import metal

from ttctl_sd.__main__ import check
from ttctl_sd.card import CardBackend, Mesh
from ttctl_sd.drawing import CannotLoadError, Drawing
from ttctl_sd.tree import PLACES, Place, pipelines_in
from ttctl_sd.xl import GRID

if TYPE_CHECKING:
    from pathlib import Path

NOW, THEN, FIRST, XL_NOW, XL_THEN = PLACES
CLASSES = {"sd35": "StableDiffusion3Pipeline", "sdxl": "StableDiffusionXLPipeline"}


def drawing(*, steps: int = 3, guidance: float = 3.5) -> Drawing:
    return Drawing(
        prompt="a red circle", negative_prompt="blue", width=1024, height=1024, steps=steps,
        guidance=guidance, seed=9,
    )  # fmt: skip


def tree(folder: Path, *places: Place) -> Path:
    """Make a tree that has some pipelines, none of which can be imported."""
    for place in places:
        file = folder / place.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"import no_such_module\nclass {place.name}:\n    pass\n", encoding="utf-8")
    return folder


def weights(folder: Path, kind: str) -> Path:
    folder.mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": kind}), encoding="utf-8")
    return folder


@dataclass
class Bench:
    """A back end before stand-ins."""

    backend: CardBackend
    seen: metal.Seen
    folder: Path
    told: list[tuple[int, int]] = field(default_factory=list)

    def draw(self, wanted: Drawing) -> tuple[int, int]:
        found = self.backend.draw(wanted, lambda done, steps: self.told.append((done, steps)))
        assert len(found.rgb) == 3 * found.width * found.height
        return found.width, found.height

    def of(self, *kinds: str) -> list[Any]:
        return [call for call in self.seen.calls if call[0] in kinds]


def bench(tmp_path: Path, place: Place, module: object, mesh: Mesh, seen: metal.Seen) -> Bench:
    sizes = SimpleNamespace(SDXL_L1_SMALL_SIZE=30000, SDXL_TRACE_REGION_SIZE=34000000)
    modules = {
        "ttnn": metal.ttnn_of(seen),
        "torch": SimpleNamespace(float32="float32"),
        "diffusers": metal.diffusers_of(seen),
        place.module: module,
        place.module.replace("tt.tt_sdxl_pipeline", "tests.test_common"): module,
    }
    if place.family == "sdxl":
        modules[place.module.replace("tt.tt_sdxl_pipeline", "tests.test_common")] = sizes
    folder = weights(tmp_path / "weights", CLASSES[place.family])
    backend = CardBackend(folder, tree(tmp_path / "tree", place), mesh, library=modules.__getitem__)
    return Bench(backend, seen, folder)


def large(tmp_path: Path, place: Place, device: str = "T3K") -> Bench:
    seen = metal.Seen()
    kind = metal.large_now(seen) if place is NOW else metal.large_then(seen)
    module = SimpleNamespace(StableDiffusion3Pipeline=kind)
    return bench(tmp_path, place, module, Mesh(device=device), seen)


def xl(tmp_path: Path, place: Place, mesh: Mesh, *, seeded: bool = True) -> Bench:
    seen = metal.Seen()
    return bench(tmp_path, place, metal.xl(seen, seeded=seeded), mesh, seen)


@pytest.mark.parametrize("place", [NOW, THEN], ids=["now", "about v0.9"])
def test_the_large_one_is_called_as_at_its_time_and_tells_its_steps(
    tmp_path: Path, place: Place
) -> None:
    found = large(tmp_path, place)
    abilities = found.backend.load()
    assert abilities.sizes == ((1024, 1024),)
    assert abilities.guidance is (place is NOW)
    assert not abilities.interruptible
    assert found.seen.calls[:3] == [
        ("fabric", "1d"),
        ("open", (2, 4), 32768, 25_000_000),
        ("create", "mesh", 1024, 1024, found.folder),
    ]
    # The first is drawn before anybody asks: the trace is captured then.
    (warm_up,) = found.of("call")
    assert warm_up[2:] == ([""], 3.5 if place is NOW else None, 0, True)
    assert found.draw(drawing()) == (1024, 1024)
    assert found.told == [(1, 3), (2, 3), (3, 3)]
    guidance = 3.5 if place is NOW else None
    assert found.of("call")[1:] == [("call", ["a red circle"], ["blue"], guidance, 9, True)]
    found.backend.close()
    found.backend.close()
    assert found.seen.calls[-2:] == [("close", "mesh"), ("fabric", "off")]


@pytest.mark.parametrize("place", [XL_NOW, XL_THEN], ids=["now", "about v0.9"])
def test_xl_lays_the_tensors_in_again_after_it_compiled(tmp_path: Path, place: Place) -> None:
    found = xl(tmp_path, place, Mesh(device="N150"))
    abilities = found.backend.load()
    assert (abilities.default_steps, abilities.default_guidance) == (20, 5.0)
    assert not found.of("fabric")
    assert found.of("open") == [("open", (1, 1), 30000, 34000000)]
    (_, _, given) = found.of("weights")[0]
    assert given["local_files_only"]
    found.seen.calls.clear()
    assert found.draw(drawing(steps=7, guidance=2.0)) == (1024, 1024)
    assert found.seen.calls == [
        ("steps", 7),
        ("guidance", 2.0),
        ("encode", ["a red circle"], ["blue"]),
        ("seed", 9),
    ]
    assert found.told == [(7, 7)]


def test_xl_draws_the_two_halves_of_guidance_on_two_chips_where_it_is_told(
    tmp_path: Path,
) -> None:
    found = xl(tmp_path, XL_NOW, Mesh(device="N300", shape="2,1"))
    found.backend.load()
    assert found.of("fabric", "open")[:2] == [("fabric", "1d"), ("open", (2, 1), 30000, 34000000)]
    (created,) = found.of("create")
    assert created[2].use_cfg_parallel
    # A batch that is not full is filled up.
    found.draw(drawing())
    assert found.of("encode")[-1] == ("encode", ["a red circle", ""], ["blue", ""])


def test_xl_on_a_galaxy_gets_the_grid_that_it_insists_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GRID, "7,7")
    found = xl(tmp_path, XL_NOW, Mesh(device="TG"))
    found.backend.load()
    (created,) = found.of("create")
    assert created[2].is_galaxy


def test_a_pipeline_that_takes_no_seed_is_refused_and_the_mesh_is_given_back(
    tmp_path: Path,
) -> None:
    found = xl(tmp_path, XL_THEN, Mesh(device="N150"), seeded=False)
    with pytest.raises(CannotLoadError, match="takes no start_latent_seed: too old a tree"):
        found.backend.load()
    found.backend.close()
    assert found.seen.calls[-1] == ("close", "mesh")


@pytest.mark.parametrize(
    ("kind", "places", "says"),
    [
        pytest.param("FluxPipeline", [NOW], "the weights are of FluxPipeline", id="other weights"),
        pytest.param(CLASSES["sd35"], [XL_NOW], "no pipeline for sd35: none of models/", id="none"),
        pytest.param(CLASSES["sd35"], [FIRST], "of a time before the pipelines", id="too early"),
        pytest.param(CLASSES["sdxl"], [NOW], "no pipeline for sdxl", id="the other family"),
    ],
)
def test_weights_that_the_tree_does_not_draw_with_open_no_card(
    tmp_path: Path, kind: str, places: list[Place], says: str
) -> None:
    def nothing(name: str) -> None:
        raise AssertionError(name)

    made = tree(tmp_path / "tree", *places)
    folder = weights(tmp_path / "weights", kind)
    backend = CardBackend(folder, made, Mesh(device="T3K"), library=nothing)
    with pytest.raises(CannotLoadError, match=says):
        backend.load()


@pytest.mark.parametrize(
    ("mesh", "says"),
    [
        pytest.param(
            Mesh(device="N150"), "no mesh is known for sd35 on N150; known: T3K, TG", id="d"
        ),
        pytest.param(Mesh(device=""), "on no MESH_DEVICE", id="none"),
        pytest.param(Mesh(device="T3K", shape="8"), "DEVICE_MESH_SHAPE is '8'", id="one number"),
    ],
)
def test_a_mesh_that_nobody_named_is_refused(mesh: Mesh, says: str) -> None:
    with pytest.raises(CannotLoadError, match=says):
        mesh.of("sd35")


def test_a_tree_is_read_and_not_imported_and_its_newest_names_come_first(tmp_path: Path) -> None:
    assert pipelines_in(tree(tmp_path, *PLACES)) == PLACES
    assert check(tmp_path).splitlines() == [
        f"{one.family} {one.module}.{one.name}" for one in PLACES if one.driven
    ]


def test_a_file_without_the_class_is_no_pipeline(tmp_path: Path) -> None:
    tree(tmp_path, NOW)
    (tmp_path / NOW.path).write_text("StableDiffusion3Pipeline = None\n", encoding="utf-8")
    tree(tmp_path, XL_NOW)
    (tmp_path / XL_NOW.path).write_text("class (", encoding="utf-8")
    assert pipelines_in(tmp_path) == ()


def test_a_tree_without_a_pipeline_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no Stable Diffusion pipeline$"):
        check(tmp_path)
    with pytest.raises(SystemExit, match=r"fun_pipeline\.py is of an earlier time"):
        check(tree(tmp_path, FIRST))
