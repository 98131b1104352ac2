# SPDX-License-Identifier: Apache-2.0
"""Is diffusers called as a folder's pipeline wants it? On stand-ins of torch and diffusers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ttctl_sd.drawing import CannotLoadError, Drawing, Pixels, StoppedError
from ttctl_sd.processor import ProcessorBackend

DRAWING = Drawing(
    prompt="a red circle", negative_prompt="blue", width=16, height=8, steps=3, guidance=2.0, seed=9
)


class Image:
    """As Pillow's."""

    def __init__(self, mode: str, size: tuple[int, int]) -> None:
        self.mode, self.size = mode, size

    def convert(self, mode: str) -> Image:
        return Image(mode, self.size)

    def tobytes(self) -> bytes:
        assert self.mode == "RGB"
        return b"\x01" * (3 * self.size[0] * self.size[1])


class Output:
    def __init__(self, images: list[Image]) -> None:
        self.images = images


class Pipeline:
    """As StableDiffusionPipeline and its kin."""

    vae_scale_factor = 8
    unet = SimpleNamespace(config=SimpleNamespace(sample_size=64))

    def __init__(self) -> None:
        self.called: dict[str, Any] = {}
        self.steps = 0

    def set_progress_bar_config(self, *, disable: bool) -> None:
        assert disable

    def __call__(
        self,
        prompt: str | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        negative_prompt: str | None = None,
        generator: object = None,
        output_type: str = "pil",
        callback_on_step_end: Any = None,
    ) -> Output:
        self.called = {name: value for name, value in locals().items() if name != "self"}
        for step in range(num_inference_steps):
            self.steps += 1
            assert callback_on_step_end(self, step, 1000 - step, {"latents": 1}) == {"latents": 1}
        return Output([Image("RGBA", (width or 0, height or 0))])


class Unguided(Pipeline):
    """A pipeline of few words, whose sides divide by sixteen."""

    patch_size = 2
    unet = None  # type: ignore[assignment]

    def __call__(self, prompt: str, num_inference_steps: int = 4) -> Output:  # type: ignore[override]
        self.called = {"prompt": prompt, "steps": num_inference_steps}
        return Output([Image("RGB", (16, 16))])


class Xl(Pipeline):
    """A pipeline that says its side by itself."""

    default_sample_size = 128


class Library:
    """Gives torch and diffusers."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self.loaded: dict[str, Any] = {}
        self.threads = 0

    def __call__(self, name: str) -> Any:
        assert name in {"torch", "diffusers"}
        return self

    @property
    def DiffusionPipeline(self) -> Any:  # noqa: N802 - as in diffusers
        return self

    def from_pretrained(self, folder: str, **given: object) -> Any:
        self.loaded = {"folder": folder, **given}
        if isinstance(self.pipeline, Exception):
            raise self.pipeline
        return self.pipeline

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads

    def Generator(self, device: str) -> Any:  # noqa: N802 - as in torch
        assert device == "cpu"
        return self

    def manual_seed(self, seed: int) -> str:
        return f"seed {seed}"


def weights(folder: Path, **parts: object) -> Path:
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "U"], **parts}
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "size", "steps", "guidance"),
    [
        pytest.param('{"default_steps": 20, "default_guidance": 3}', 512, 20, 3.0, id="two"),
        pytest.param('{"default_size": [64, 64], "sizes": [[64, 64]]}', 64, 50, 7.5, id="size"),
        pytest.param("{}", 512, 50, 7.5, id="nothing"),
    ],
)
def test_what_a_folder_says_of_drawing_goes_before_what_its_pipeline_says(
    tmp_path: Path, text: str, size: int, steps: int, guidance: float
) -> None:
    (weights(tmp_path) / "drawing.json").write_text(text, encoding="utf-8")
    found = ProcessorBackend(tmp_path, library=Library(Pipeline())).load()
    assert found.default_size == (size, size)
    assert (found.default_steps, found.default_guidance) == (steps, guidance)
    assert found.sizes == ()


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"default_steps": 0}', '{"default_steps": 2.5}', '{"default_steps": true}',
        '{"default_guidance": -1}', '{"default_guidance": NaN}', '{"default_guidance": "3"}',
        '{"default_size": [64]}', '{"default_size": [0, 64]}', '{"default_size": 64}',
    ],
)  # fmt: skip
def test_what_a_folder_says_of_drawing_and_makes_no_sense_is_refused(
    tmp_path: Path, text: str
) -> None:
    (weights(tmp_path) / "drawing.json").write_text(text, encoding="utf-8")
    with pytest.raises(CannotLoadError, match=r"drawing\.json"):
        ProcessorBackend(tmp_path, library=Library(Pipeline())).load()


def test_the_demonstration_models_own_defaults_are_taken() -> None:
    model = Path(__file__).parents[4] / "images/demo-sd/model"
    found = ProcessorBackend(model, library=Library(Pipeline())).load()
    assert (found.default_steps, found.default_guidance) == (20, 3.0)
    assert found.default_size == (64, 64)


def test_what_is_asked_reaches_the_pipeline_and_its_steps_are_told(tmp_path: Path) -> None:
    library = Library(Pipeline())
    backend = ProcessorBackend(weights(tmp_path), threads=2, library=library)
    abilities = backend.load()
    assert abilities.default_size == (512, 512)
    assert (abilities.default_steps, abilities.default_guidance) == (50, 7.5)
    assert (abilities.multiple, abilities.interruptible) == (8, True)
    told: list[tuple[int, int]] = []
    found = backend.draw(DRAWING, lambda done, steps: told.append((done, steps)))
    assert found == Pixels(width=16, height=8, rgb=b"\x01" * 384)
    assert told == [(1, 3), (2, 3), (3, 3)]
    called = library.pipeline.called
    called.pop("callback_on_step_end")
    assert called == {
        "prompt": "a red circle", "negative_prompt": "blue", "width": 16, "height": 8,
        "num_inference_steps": 3, "guidance_scale": 2.0, "generator": "seed 9",
        "output_type": "pil",
    }  # fmt: skip
    assert library.threads == 2


def test_nothing_is_fetched_and_parts_that_are_not_there_are_said(tmp_path: Path) -> None:
    library = Library(Pipeline())
    folder = weights(tmp_path, text_encoder_3=[None, None], safety_checker=[None, None])
    ProcessorBackend(folder, library=library).load()
    assert library.loaded == {
        "folder": str(folder), "local_files_only": True, "text_encoder_3": None,
        "safety_checker": None,
    }  # fmt: skip


def test_the_side_is_the_one_that_the_model_was_trained_on(tmp_path: Path) -> None:
    found = ProcessorBackend(weights(tmp_path), library=Library(Xl())).load()
    assert found.default_size == (1024, 1024)


def test_a_step_may_end_it(tmp_path: Path) -> None:
    library = Library(Pipeline())
    backend = ProcessorBackend(weights(tmp_path), library=library)
    backend.load()

    def leave(_done: int, _steps: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        backend.draw(DRAWING, leave)
    assert library.pipeline.steps == 1


def test_a_pipeline_of_few_words_gets_only_those(tmp_path: Path) -> None:
    library = Library(Unguided())
    backend = ProcessorBackend(weights(tmp_path), library=library)
    abilities = backend.load()
    assert (abilities.negative_prompt, abilities.guidance) == (False, False)
    assert (abilities.default_size, abilities.multiple) == ((512, 512), 16)
    backend.draw(DRAWING, lambda _done, _steps: None)
    assert library.pipeline.called == {"prompt": "a red circle", "steps": 3}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(None, "no model_index.json that can be read", id="none"),
        pytest.param("{", "no model_index.json that can be read", id="no JSON"),
        pytest.param("[]", "names no pipeline", id="a list"),
        pytest.param('{"_class_name": 3}', "names no pipeline", id="no name"),
    ],
)
def test_a_folder_without_an_index_is_refused_before_anything_is_imported(
    tmp_path: Path, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "model_index.json").write_text(text, encoding="utf-8")

    def nothing(name: str) -> None:
        raise AssertionError(name)

    with pytest.raises(CannotLoadError, match=says):
        ProcessorBackend(tmp_path, library=nothing).load()


def test_what_diffusers_refuses_is_said(tmp_path: Path) -> None:
    library = Library(OSError("no file named diffusion_pytorch_model"))
    with pytest.raises(CannotLoadError, match="cannot load the folder: no file named"):
        ProcessorBackend(weights(tmp_path), library=library).load()
