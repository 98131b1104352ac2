# SPDX-License-Identifier: Apache-2.0
"""Which files of a repository does serving need? Names alone decide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PIPELINE = "model_index.json"
"""The file by which a repository is a pipeline of diffusers."""

_SERVED = re.compile(r".+\.(json|txt|model|tiktoken|jinja|safetensors|py)")
_OTHER_FORMAT = re.compile(r"(original|onnx|openvino|coreml|metal|gguf|\.[^/]*)/.*|.*/\..*|\..*")
_PICKLED = re.compile(r"pytorch_model.*\.bin")
_ORIGINAL = re.compile(r"original/(consolidated\.[^/]+|params\.json|tokenizer\.model)")
"""Source: tenstorrent/tt-inference-server:workflows/setup_host.py@v0.4.0"""
_TENSORS = (".safetensors", ".safetensors.index.json")
_CONSOLIDATED = re.compile(r"consolidated.*\.safetensors")
_PART = re.compile(
    r"(unet|transformer|vae|text_encoder|tokenizer|scheduler|feature_extractor|image_encoder"
    r"|image_processor|safety_checker|prior|connectors?|vocoder)(_\d)?/[^/]+"
)
"""A part of a pipeline has a folder of its own; others beside it hold other formats of the same.

Source: https://huggingface.co/docs/diffusers/using-diffusers/other-formats
"""
_VARIANT = re.compile(
    r"[^/]+/[^/]+\.(fp16|bf16|non_ema|ema_only|int8|fp8)[.-].*|.*\.index\.\w+\.json"
)
"""Source: the same page, "variant": `diffusion_pytorch_model.fp16.safetensors`."""
_PART_PICKLED = re.compile(r"[^/]+/(diffusion_)?pytorch_model(-\d+-of-\d+)?\.bin(\.index\.json)?")


def needed(paths: Iterable[str], *, original: bool = False) -> frozenset[str]:
    """Return which files of a repository serving needs: one format of the weights, and the rest.

    A pipeline of diffusers gives each of its parts once, in the part's folder.

    Many repositories hold the same weights two to five times (safetensors, pickles, the author's
    own layout, ONNX, GGUF); an empty answer means that none of them can be served.

    Args:
        paths: What the repository holds.
        original: Whether the format is Meta's own; configuration and tokenizer are the hub's.
    """
    paths = tuple(paths)
    offered = {one for one in paths if one != "manifest.json" and not _OTHER_FORMAT.fullmatch(one)}
    served = {one for one in offered if _SERVED.fullmatch(one)}
    if PIPELINE in offered:
        return _of_pipeline(offered, served)
    if original:
        own = {one for one in paths if _ORIGINAL.fullmatch(one)}
        whole = any(one.startswith("original/consolidated.") for one in own)
        plain = {one for one in served if not one.endswith(_TENSORS)}
        return frozenset(own | plain) if whole else frozenset()
    tensors = {one for one in served if one.endswith(".safetensors")}
    if not tensors:
        pickles = {one for one in offered if _PICKLED.fullmatch(one)}
        return frozenset(served | pickles) if pickles else frozenset()
    twice = {one for one in tensors if _CONSOLIDATED.fullmatch(one)}
    return frozenset(served - twice if tensors - twice else served)


def _of_pipeline(offered: set[str], served: set[str]) -> frozenset[str]:
    parts: dict[str, set[str]] = {}
    for one in offered:
        if _PART.fullmatch(one):
            parts.setdefault(one.partition("/")[0], set()).add(one)
    chosen = [_of_part(each, served) for each in parts.values()]
    whole = any(one.endswith((".safetensors", ".bin")) for each in chosen for one in each)
    return frozenset({PIPELINE}.union(*chosen)) if whole else frozenset()


def _of_part(offered: set[str], served: set[str]) -> set[str]:
    """Return one format of a part's weights: plain safetensors, else a pickle, else a variant."""
    plain = {one for one in offered & served if not one.endswith(_TENSORS)}
    plain = {one for one in plain if not _VARIANT.fullmatch(one) and ".bin.index." not in one}
    tensors = {one for one in offered if one.endswith(_TENSORS)}
    usual = {one for one in tensors if not _VARIANT.fullmatch(one)}
    if any(one.endswith(".safetensors") for one in usual):
        return plain | usual
    pickled = {one for one in offered if _PART_PICKLED.fullmatch(one)}
    half = {one for one in offered & served if ".fp16" in one}
    return plain | (pickled or half)
