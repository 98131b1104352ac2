# SPDX-License-Identifier: Apache-2.0
"""What lies in the folder of the picture model. No torch is needed here."""

import hashlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

MAX_BYTES = 20_000_000
STOCK = {
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderTiny"],
}
RECORD = "training.json"


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def files_of(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ruff_cache" not in path.parts
    )


def test_the_folder_is_small_and_readable_for_everyone(folder: Path) -> None:
    files = files_of(folder)
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert [path.name for path in files if not path.stat().st_mode & 0o004] == []
    folders = {parent for path in files for parent in path.relative_to(folder).parents}
    assert [one for one in folders if (folder / one).stat().st_mode & 0o005 != 0o005] == []


def test_the_pipeline_is_of_stock_classes_and_has_no_safety_checker(folder: Path) -> None:
    index = read(folder / "model" / "model_index.json")
    assert index.pop("_class_name") == "StableDiffusionPipeline"
    assert index.pop("_diffusers_version")
    assert index.pop("requires_safety_checker") is False
    parts = {name: part for name, part in index.items() if part not in (None, [None, None])}
    assert parts == STOCK


def test_every_part_is_a_file_that_the_stock_classes_look_for(folder: Path) -> None:
    model = folder / "model"
    for part in STOCK.keys() - {"tokenizer", "scheduler"}:
        assert (model / part / "config.json").is_file()
        assert len(list((model / part).glob("*.safetensors"))) == 1
    assert (model / "scheduler" / "scheduler_config.json").is_file()
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        assert (model / "tokenizer" / name).is_file()
    assert [path for path in files_of(model) if path.suffix in {".bin", ".pkl", ".pt", ".py"}] == []


def test_every_file_is_in_the_record_with_its_size_and_hash(folder: Path) -> None:
    model = folder / "model"
    record = read(model / RECORD)["files"]
    there = {
        path.relative_to(model).as_posix(): [
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        ]
        for path in files_of(model)
        if path.name != RECORD
    }
    assert record == there


def test_the_scenes_are_those_that_the_model_was_trained_on(
    folder: Path, scenes: ModuleType
) -> None:
    record = read(folder / "model" / RECORD)
    assert scenes.sha256() == record["scenes_sha256"]
    assert record["seed"] == scenes.SEED


def test_one_latent_pixel_is_eight_pixels_so_that_large_pictures_stay_possible(
    folder: Path,
) -> None:
    assert len(read(folder / "model" / "vae" / "config.json")["decoder_block_out_channels"]) == 4


def test_the_model_says_what_it_draws_best(folder: Path) -> None:
    told = read(folder / "model" / "drawing.json")
    unet = read(folder / "model" / "unet" / "config.json")
    assert told["default_size"] == [unet["sample_size"] * 8] * 2
    assert told["default_size"] in told["sizes"]
    assert told["multiple"] == 8
    assert told["default_steps"] == 20
    assert told["default_guidance"] > 1


def test_no_path_of_the_machine_that_trained_it_is_in_its_files(folder: Path) -> None:
    for path in files_of(folder):
        if path.suffix == ".json":
            assert "_name_or_path" not in read(path), path
