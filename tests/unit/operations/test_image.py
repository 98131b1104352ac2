# SPDX-License-Identifier: Apache-2.0
"""Does a prompt go to the service that draws, and what it draws to a file of its own?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import HUB_MODEL, KEY, Scene

from ttctl.errors import EngineError, UsageError
from ttctl.model.picture import Drawn, ImageFile, Wanted
from ttctl.model.spec import Request
from ttctl.operations.image import draw, find_easel, place_of
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.picture import Place

WANTED = Wanted(prompt="a red circle")


@pytest.fixture
def scene() -> Scene:
    """Return a machine on which `llama` talks and `sd` draws."""
    scene = Scene()
    up(scene.world, Request(model="llama", port=8123))
    up(scene.world, Request(model="demo-llama", name="sd", port=8124))
    turned(scene, "sd", engine="sd")
    scene.gateway.asked.clear()
    return scene


def turned(scene: Scene, stack: str, **changes: str) -> None:
    """Let a stack be one of another engine."""
    scene.store.locks[stack] = replace(scene.store.locks[stack], **changes)  # type: ignore[arg-type]


def drawn(scene: Scene, wanted: Wanted = WANTED, *, place: Place | None = None) -> Drawn:
    easel = find_easel(scene.world, None)
    where = place or place_of(scene.world, None, wanted.prompt, force=False)
    return draw(scene.world, easel, wanted, where, on_file=lambda *_: None)


def test_the_stack_that_draws_is_found_among_others(scene: Scene) -> None:
    easel = find_easel(scene.world, None)
    assert (easel.stack, easel.at.port, easel.shape) == ("sd", 8124, "openai")
    assert find_easel(scene.world, "sd") == easel


def test_a_prompt_goes_to_that_stacks_port_with_its_key(scene: Scene) -> None:
    drawn(scene, replace(WANTED, seed=7))
    ((port, key, request),) = scene.gateway.drawn
    assert (port, key) == (8124, KEY)
    assert dict(request.body)["seed"] == 7


def test_a_stack_that_talks_is_refused_with_the_one_that_draws(scene: Scene) -> None:
    with pytest.raises(UsageError, match="'llama' draws no images") as caught:
        find_easel(scene.world, "llama")
    assert (caught.value.mistyped, caught.value.meant) == ("llama", "sd")
    turned(scene, "sd", engine="vllm")
    with pytest.raises(UsageError, match="draws no images") as caught:
        find_easel(scene.world, "llama")
    assert (caught.value.meant, caught.value.next_step) == ("", "ttctl up sd")


def test_where_no_stack_draws_it_is_said_how_one_does(scene: Scene) -> None:
    turned(scene, "sd", engine="direct")
    with pytest.raises(EngineError, match="No stack that draws") as caught:
        find_easel(scene.world, None)
    assert caught.value.next_step == "ttctl up sd"
    with pytest.raises(EngineError, match="No stack that draws"):
        find_easel(Scene().world, None)


def test_a_stack_that_draws_and_does_not_run_is_started_again(scene: Scene) -> None:
    scene.engine.states.clear()
    with pytest.raises(EngineError, match="'sd' does not run") as caught:
        find_easel(scene.world, "sd")
    assert caught.value.next_step == "ttctl up demo-llama --name sd"
    with pytest.raises(EngineError, match="No stack that draws"):
        find_easel(scene.world, None)


def test_several_that_draw_are_told_apart_by_name(scene: Scene) -> None:
    turned(scene, "llama", engine="sd")
    with pytest.raises(UsageError, match="Which stack") as caught:
        find_easel(scene.world, None)
    assert caught.value.added == "llama"


@pytest.mark.parametrize(
    ("model", "kind", "found"),
    [
        pytest.param("acme/diffusion-xl", "IMAGE", True, id="images"),
        pytest.param("acme/diffusion-img-2-img", "IMAGE", False, id="over a picture"),
        pytest.param("acme/whisper", "AUDIO", False, id="speech"),
    ],
)
def test_a_media_server_draws_where_its_model_does(
    scene: Scene, model: str, kind: str, *, found: bool
) -> None:
    entry = replace(HUB_MODEL, model=model, type=kind, engine="media", aliases=())  # type: ignore[arg-type]
    scene.catalog.entries = (*scene.catalog.entries, entry)
    turned(scene, "sd", engine="media", contract="media", model=model)
    if found:
        assert find_easel(scene.world, "sd").shape == "media"
    else:
        with pytest.raises(UsageError, match="draws no images"):
            find_easel(scene.world, "sd")


def test_each_image_is_written_and_shown_with_its_figures_as_it_comes(scene: Scene) -> None:
    shown: list[tuple[ImageFile, bytes]] = []
    easel = find_easel(scene.world, None)
    place = place_of(scene.world, None, "A red circle", force=False)
    wanted = replace(WANTED, images=2)
    answer = draw(
        scene.world, easel, wanted, place, on_file=lambda one, data: shown.append((one, data))
    )
    assert [str(one.path) for one in answer.files] == ["a-red-circle-1.png", "a-red-circle-2.png"]
    assert [(one.seed, one.width, one.height, one.size_bytes) for one in answer.files] == [
        (7, 4, 2, 3),
        (8, 4, 2, 3),
    ]
    assert shown == [(one, b"PNG") for one in answer.files]
    assert set(scene.pictures.files.values()) == {b"PNG"}
    assert not answer.stopped


def test_each_image_is_a_step_with_its_progress_and_no_prompt(scene: Scene) -> None:
    scene.reporter.steps.clear()
    drawn(scene, replace(WANTED, images=2))
    assert scene.reporter.steps == ["Draw image 1 of 2", "Draw image 2 of 2"]
    assert scene.reporter.counts[-1] == (1, 2, "steps")


def test_images_that_come_together_are_one_step(scene: Scene) -> None:
    entry = replace(HUB_MODEL, model="acme/xl", type="IMAGE", engine="media", aliases=())
    scene.catalog.entries = (*scene.catalog.entries, entry)
    turned(scene, "sd", engine="media", contract="media", model="acme/xl")
    scene.reporter.steps.clear()
    answer = drawn(scene, replace(WANTED, images=2))
    assert scene.reporter.steps == ["Draw the images"]
    assert len(answer.files) == 2


def test_ctrl_c_keeps_what_was_whole(scene: Scene) -> None:
    looks = iter([None, KeyboardInterrupt()])

    def look() -> None:
        if (stop := next(looks)) is not None:
            raise stop

    scene.gateway.on_look = look
    answer = drawn(scene, replace(WANTED, images=3))
    assert answer.stopped
    assert [one.path.name for one in answer.files] == ["a-red-circle-1.png"]


def test_a_file_that_is_there_is_refused_before_anything_is_drawn(scene: Scene) -> None:
    scene.pictures.files[Path("out.png")] = b"old"
    place = place_of(scene.world, Path("out.png"), "x", force=False)
    with pytest.raises(UsageError, match="is there already"):
        drawn(scene, place=place)
    assert scene.gateway.drawn == []
    drawn(scene, place=place_of(scene.world, Path("out.png"), "x", force=True))
    assert scene.pictures.files == {Path("out.png"): b"PNG"}


def test_a_file_that_appears_meanwhile_stays_and_the_image_is_kept_beside_it(scene: Scene) -> None:
    scene.pictures.appears.add(Path("out.png"))
    answer = drawn(scene, place=place_of(scene.world, Path("out.png"), "x", force=False))
    assert answer.files[0].path == Path("out-2.png")
    assert scene.pictures.files[Path("out.png")] == b"of another"


def test_a_folder_gets_a_name_of_our_own(scene: Scene) -> None:
    answer = drawn(scene, place=place_of(scene.world, Path("folder"), "A fox", force=False))
    assert answer.files[0].path == Path("folder/a-fox.png")


def test_what_is_no_file_is_not_written_over(scene: Scene) -> None:
    scene.pictures.others.add(Path("/dev/null"))
    with pytest.raises(UsageError, match="is no file"):
        place_of(scene.world, Path("/dev/null"), "x", force=True)


def test_a_stack_that_still_starts_is_to_be_waited_for(scene: Scene) -> None:
    scene.gateway.fails = EngineError("The engine answered 503.", next_step="ttctl status")
    with pytest.raises(EngineError) as caught:
        drawn(scene)
    assert caught.value.next_step == "ttctl status sd"
    scene.engine.set_state("vllm", stack="sd", health="starting")
    with pytest.raises(EngineError, match="'sd' is still starting") as caught:
        drawn(scene)
    assert caught.value.next_step == "ttctl wait sd"
