# SPDX-License-Identifier: Apache-2.0
"""Reads what the C++ media server reads: one variable for each setting, none derived.

Source: tenstorrent/tt-inference-server:tt-media-server/cpp_server/src/{main,config/settings}.cpp
@v0.20.0.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.standins.servers.media import DEFAULT_KEY, hub_places, release, weights_places, written
from tests.standins.servers.refusals import RefusedError, say
from tests.standins.servers.serving import Serving

if TYPE_CHECKING:
    from tests.standins.servers.places import Place
    from tests.standins.servers.vllm_spec import Environ

RUNNERS = ("tt_sdxl_generate", "tt_sdxl_image_to_image", "tt_sdxl_edit")


def read(environ: Environ) -> Serving:
    """Return what is served.

    Raises:
        RefusedError: The real server would end too.
    """
    runner = environ.get("MODEL_RUNNER_TYPE", RUNNERS[0]).lower()
    if runner not in RUNNERS:
        raise RefusedError(f"[Config] MODEL_RUNNER_TYPE={runner!r} is none of {', '.join(RUNNERS)}")
    shape = environ.get("DEVICE_MESH_SHAPE", "1,1")
    if not re.fullmatch(r"[1-9]\d*,[1-9]\d*", shape):
        raise RefusedError(f"[Config] DEVICE_MESH_SHAPE={shape!r} is not ROWS,COLUMNS")
    key = environ.get("OPENAI_API_KEY") or DEFAULT_KEY
    if key == DEFAULT_KEY:
        say("OPENAI_API_KEY is not set: callers need the key that everybody knows")
    return Serving(
        contract="media-cpp",
        model=runner,
        kind="image",
        key=key,
        listens_early=True,
        lists_models=False,
        release=release(environ),
        places=(*_weights(environ), *written(environ)),
        arguments={
            "device_mesh_shape": shape,
            "device_ids": environ.get("DEVICE_IDS", ""),
            "service": environ.get("MODEL_SERVICE", ""),
        },
    )


def _weights(environ: Environ) -> tuple[Place, ...]:
    if given := environ.get("MODEL_WEIGHTS_PATH"):
        return weights_places(Path(given))
    return hub_places(
        Path(environ.get("HF_HOME") or f"{environ['HOME']}/.cache/huggingface"), environ
    )
