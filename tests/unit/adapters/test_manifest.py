# SPDX-License-Identifier: Apache-2.0
"""The manifest of a folder of weights."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import manifest
from ttctl.adapters.needed_files import needed
from ttctl.errors import BadFileError
from ttctl.model.lock import LockedFile, LockedWeights

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"tokens"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def locked(*files: LockedFile) -> LockedWeights:
    return LockedWeights(kind="hub", repository="acme/tiny", revision="a" * 40, files=files)


FILE = LockedFile(path="tokenizer.json", size_bytes=len(CONTENT), sha256=SHA256)


@pytest.fixture
def entry(tmp_path: Path) -> manifest.Entry:
    (tmp_path / FILE.path).write_bytes(CONTENT)
    return manifest.describe(tmp_path, FILE.path, SHA256)


def test_what_was_written_is_read_back_and_readable_for_everyone(
    tmp_path: Path, entry: manifest.Entry
) -> None:
    written = manifest.empty(locked(FILE)).with_entry(entry)
    manifest.write(tmp_path, written)
    assert manifest.read(tmp_path) == written
    assert (tmp_path / manifest.NAME).stat().st_mode & 0o777 == 0o644
    assert written.locked() == locked(FILE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2}',
        '{"version": 1, "kind": "hub", "repository": "a/b", "revision": "", "files": [{}]}',
        '{"version": 1, "kind": "hub", "repository": "a/b", "revision": "", "files": [{"path":'
        ' "../x", "size_bytes": 1, "sha256": "' + "0" * 64 + '", "mtime_ns": 1, "inode": 1}]}',
        '{"version": 1, "kind": "hub", "repository": "a/b", "revision": "", "files": [{"path":'
        ' "x", "size_bytes": "1", "sha256": "' + "0" * 64 + '", "mtime_ns": 1, "inode": 1}]}',
    ],
)
def test_a_damaged_manifest_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / manifest.NAME).write_text(text, encoding="utf-8")
    assert manifest.read(tmp_path) is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(locked(FILE), True, id="the same"),
        pytest.param(
            locked(LockedFile(path=FILE.path, size_bytes=6, sha256="")), True, id="no hash locked"
        ),
        pytest.param(
            locked(LockedFile(path=FILE.path, size_bytes=6, sha256="0" * 64)), False, id="hash"
        ),
        pytest.param(locked(LockedFile(path=FILE.path, size_bytes=7, sha256="")), False, id="size"),
        pytest.param(
            locked(FILE, LockedFile(path="more", size_bytes=1, sha256="")), False, id="one more"
        ),
        pytest.param(locked(), False, id="one less"),
    ],
)
def test_a_manifest_fulfils_a_lock_only_with_the_very_same_files(
    entry: manifest.Entry, wanted: LockedWeights, *, expected: bool
) -> None:
    assert manifest.empty(locked()).with_entry(entry).fulfils(wanted) is expected


def test_a_file_that_was_only_touched_is_read_again_and_recorded_anew(
    tmp_path: Path, entry: manifest.Entry
) -> None:
    os.utime(tmp_path / FILE.path, (1, 1))
    again = manifest.recheck(tmp_path, entry)
    assert again is not None
    assert again.mtime_ns == 1_000_000_000
    assert again.sha256 == entry.sha256


def test_a_file_that_changed_or_went_is_no_longer_what_it_was(
    tmp_path: Path, entry: manifest.Entry
) -> None:
    (tmp_path / FILE.path).write_bytes(b"Tokens")
    os.utime(tmp_path / FILE.path, (1, 1))
    assert manifest.recheck(tmp_path, entry) is None
    (tmp_path / FILE.path).unlink()
    assert manifest.recheck(tmp_path, entry) is None


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\0b"])
def test_a_path_that_is_not_plainly_inside_the_folder_is_refused(path: str) -> None:
    with pytest.raises(BadFileError):
        manifest.safe_path(path)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        pytest.param(
            "README.md .gitattributes config.json generation_config.json tokenizer.json "
            "chat_template.jinja model-00001-of-00002.safetensors model.safetensors.index.json "
            "pytorch_model.bin original/consolidated.00.pth onnx/model.onnx model.gguf x.png "
            "manifest.json .cache/a.json",
            "config.json generation_config.json tokenizer.json chat_template.jinja "
            "model-00001-of-00002.safetensors model.safetensors.index.json",
            id="one format",
        ),
        pytest.param(
            "config.json pytorch_model-00001-of-00002.bin training_args.bin",
            "config.json pytorch_model-00001-of-00002.bin",
            id="pickles where there is nothing else",
        ),
        pytest.param(
            "consolidated.safetensors model.safetensors params.json",
            "model.safetensors params.json",
            id="the same tensors in the author's layout",
        ),
        pytest.param("consolidated.safetensors", "consolidated.safetensors", id="only that layout"),
        pytest.param("config.json model.gguf", "", id="nothing that can be served"),
    ],
)
def test_a_repository_gives_one_format_of_its_weights(offered: str, expected: str) -> None:
    assert needed(offered.split()) == frozenset(expected.split())


META = (
    "README.md config.json tokenizer.json model-00001-of-00002.safetensors "
    "model.safetensors.index.json original/consolidated.00.pth original/params.json "
    "original/tokenizer.model original/tokenizer_config.json original/orig_params.json"
)


def test_metas_own_layout_comes_with_the_hubs_configuration_and_no_second_set_of_weights() -> None:
    assert needed(META.split(), original=True) == frozenset(
        [
            "config.json",
            "tokenizer.json",
            "original/consolidated.00.pth",
            "original/params.json",
            "original/tokenizer.model",
        ]
    )
    assert not any(one.startswith("original/") for one in needed(META.split()))


def test_without_metas_own_weights_there_is_nothing_of_that_layout() -> None:
    assert needed(["config.json", "a.safetensors"], original=True) == frozenset()
    assert needed(["original/params.json"], original=True) == frozenset()


def test_git_names_an_empty_file_as_everyone_knows_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert manifest.git_blob_id(tmp_path / "empty") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


SD15 = (
    "README.md model_index.json v1-5-pruned.ckpt v1-5-pruned-emaonly.safetensors v1-inference.yaml "
    "feature_extractor/preprocessor_config.json safety_checker/config.json "
    "safety_checker/model.safetensors safety_checker/model.fp16.safetensors "
    "safety_checker/pytorch_model.bin scheduler/scheduler_config.json text_encoder/config.json "
    "text_encoder/model.safetensors text_encoder/model.fp16.safetensors "
    "text_encoder/pytorch_model.bin text_encoder/flax_model.msgpack tokenizer/merges.txt "
    "tokenizer/vocab.json tokenizer/tokenizer_config.json unet/config.json "
    "unet/diffusion_pytorch_model.safetensors unet/diffusion_pytorch_model.fp16.safetensors "
    "unet/diffusion_pytorch_model.non_ema.safetensors unet/diffusion_pytorch_model.bin "
    "unet/model.onnx unet/model.onnx_data unet/openvino_model.xml vae/config.json "
    "vae/diffusion_pytorch_model.safetensors vae/diffusion_flax_model.msgpack vae_1_0/config.json "
    "vae_1_0/diffusion_pytorch_model.safetensors vae_decoder/model.onnx vae_decoder/config.json"
)
SD15_CHOSEN = (
    "model_index.json feature_extractor/preprocessor_config.json "
    "safety_checker/config.json safety_checker/model.safetensors "
    "scheduler/scheduler_config.json text_encoder/config.json "
    "text_encoder/model.safetensors tokenizer/merges.txt tokenizer/vocab.json "
    "tokenizer/tokenizer_config.json unet/config.json "
    "unet/diffusion_pytorch_model.safetensors vae/config.json "
    "vae/diffusion_pytorch_model.safetensors"
)
SHARDED = (
    "model_index.json flux1-dev.safetensors ae.safetensors transformer/config.json "
    "transformer/diffusion_pytorch_model-00001-of-00002.safetensors "
    "transformer/diffusion_pytorch_model-00002-of-00002.safetensors "
    "transformer/diffusion_pytorch_model.safetensors.index.json text_encoder_3/config.json "
    "text_encoder_3/model-00001-of-00002.safetensors "
    "text_encoder_3/model-00002-of-00002.safetensors "
    "text_encoder_3/model.safetensors.index.json "
    "text_encoder_3/model.fp16-00001-of-00002.safetensors "
    "text_encoder_3/model.fp16-00002-of-00002.safetensors "
    "text_encoder_3/model.safetensors.index.fp16.json text_encoders/t5xxl_fp16.safetensors "
    "tokenizer_3/spiece.model tokenizer_3/tokenizer.json"
)


def test_a_pipeline_gives_each_part_once_in_its_own_folder() -> None:
    assert needed(SD15.split()) == frozenset(SD15_CHOSEN.split())


def test_a_pipeline_in_parts_keeps_each_index_and_leaves_half_precision_and_single_files() -> None:
    left = {"flux1-dev.safetensors", "ae.safetensors", "text_encoders/t5xxl_fp16.safetensors"}
    chosen = needed(SHARDED.split())
    assert chosen == {one for one in SHARDED.split() if one not in left and "fp16" not in one}


def test_a_part_of_a_pipeline_without_safetensors_comes_as_a_pickle() -> None:
    paths = "model_index.json unet/config.json unet/diffusion_pytorch_model.bin vae/config.json"
    vae = "vae/diffusion_pytorch_model.fp16.safetensors"
    more = ("unet/diffusion_pytorch_model.fp16.safetensors", vae)
    assert needed([*paths.split(), *more]) == {*paths.split(), vae}


def test_a_pipeline_without_any_weights_is_nothing_to_serve() -> None:
    assert needed(["model_index.json", "unet/config.json"]) == frozenset()
