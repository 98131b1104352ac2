# SPDX-License-Identifier: Apache-2.0
"""Which paths does the server of an entry have, of all that its contract lets through? Pure.

A media server registers the paths of one service, that of its model's type, and of images those of
its model alone. So whatever else it is asked for is refused at the gateway, and several engines
behind one gateway are told apart by their paths.

Source: tenstorrent/tt-inference-server:tt-media-server/open_ai_api/__init__.py, image.py, llm.py,
audio.py and video.py at v0.5.0, v0.9.0, v0.10.0, v0.13.0, v0.14.0 and v0.20.0, and
tt-media-server/config/constants.py@v0.20.0, MODEL_RUNNER_TO_MODEL_NAMES_MAP
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ttctl.rules.launch_values import last_name, reaches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.contract import LaunchContract
    from ttctl.model.spec import ModelSpec

SERVERS = frozenset({"media", "media-cpp", "forge"})
"""Contracts of media servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Paths that servers of some types have, from a version on."""

    paths: tuple[str, ...]
    types: tuple[str, ...] = ()
    """Upstream's model types; empty for every one."""
    since: str = ""


_VIDEOS = "/v1/videos/generations"
_PARTS = (
    _Part(paths=("/v1/models", "/tt-liveness")),
    _Part(paths=("/metrics",), since="0.4.0"),
    _Part(
        paths=("/v1/images/generations", "/v1/images/image-to-image", "/v1/images/edits"),
        types=("IMAGE",),
    ),
    # Which of the two it is, the server's own AUDIO_TASK says; an override may set it.
    _Part(paths=("/v1/audio/transcriptions", "/v1/audio/translations"), types=("AUDIO",)),
    _Part(paths=("/v1/audio/speech",), types=("TEXT_TO_SPEECH",)),
    _Part(paths=(_VIDEOS,), types=("VIDEO",)),
    _Part(paths=(f"{_VIDEOS}/*", f"{_VIDEOS}/*/download"), types=("VIDEO",), since="0.8.0"),
    _Part(paths=(f"{_VIDEOS}/*/cancel", "/v1/videos/jobs"), types=("VIDEO",), since="0.9.0"),
    _Part(paths=(f"{_VIDEOS}/i2v",), types=("VIDEO",), since="0.14.0"),
    _Part(paths=(f"{_VIDEOS}/i2v/upload",), types=("VIDEO",), since="0.15.0"),
    _Part(paths=("/v1/cnn/search-image",), types=("CNN",)),
    # An image whose tag says 0.2.0 is of a commit before 0.3.0 that had these two already.
    _Part(paths=("/v1/embeddings",), types=("EMBEDDING",)),
    _Part(paths=("/v1/completions",), types=("LLM", "VLM")),
    _Part(paths=("/v1/tokenize", "/v1/detokenize"), types=("LLM", "VLM"), since="0.10.0"),
    _Part(paths=("/v1/chat/completions",), types=("LLM", "VLM"), since="0.13.0"),
)
_TYPES = frozenset(one for part in _PARTS for one in part.types)

_IMAGES: Mapping[str, str] = MappingProxyType(
    {
        "stable-diffusion-xl-base-1.0-img-2-img": "/v1/images/image-to-image",
        "stable-diffusion-xl-1.0-inpainting-0.1": "/v1/images/edits",
    }
)
"""Model to its only path of images; every other one has `GENERATIONS`."""
GENERATIONS = "/v1/images/generations"


def served_paths(spec: ModelSpec, contract: LaunchContract) -> tuple[str, ...]:
    """Return the contract's paths that the entry's server has, in the contract's order.

    All of them where nothing is known that narrows them: of another server, or of another type.
    """
    if contract.name not in SERVERS or spec.type not in _TYPES:
        return contract.paths
    there = {path for part in _PARTS if _has(part, spec, contract) for path in part.paths}
    return tuple(one for one in contract.paths if one in there and _is_its(one, spec, contract))


def _has(part: _Part, spec: ModelSpec, contract: LaunchContract) -> bool:
    fits = not part.types or spec.type in part.types
    return fits and reaches(spec, contract, part.since)


def _is_its(path: str, spec: ModelSpec, contract: LaunchContract) -> bool:
    """Return whether a path of images is the model's; the C++ server has all three of them."""
    if spec.type != "IMAGE" or "/images/" not in path or contract.name == "media-cpp":
        return True
    return path == _IMAGES.get(last_name(spec), GENERATIONS)
