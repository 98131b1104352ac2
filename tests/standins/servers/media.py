# SPDX-License-Identifier: Apache-2.0
"""Reads what the Python media server reads, in the media image and in the forge image.

Source: tenstorrent/tt-inference-server:tt-media-server/{run_uvicorn.sh,config/settings.py,
open_ai_api/__init__.py,security/api_key_checker.py}@v0.20.0; from which release on each of them
counts, from the tags.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.standins.servers.places import Place
from tests.standins.servers.refusals import RefusedError, made, say
from tests.standins.servers.serving import Serving
from tests.standins.servers.vllm_spec import Environ, metal_places

NEW_PATHS_SINCE = (0, 10)
MODELS_SINCE = (0, 13)
NO_AUTH_SINCE = (0, 15)
WEIGHTS_SINCE = (0, 17)
HUB_FALLBACK_SINCE = (0, 19)
DEVICES = (
    "n150", "n300", "galaxy", "t3k", "p300", "p150", "p150x4", "p150x8", "p300x2", "bh-galaxy",
)  # fmt: skip
KINDS = {
    "audio": ("whisper", "distil-large"),
    "speech": ("speecht5",),
    "embedding": ("embedding", "bge-"),
    "video": ("mochi", "wan2"),
    "chat": ("llama", "qwen3-", "falcon"),
    "image": ("stable-diffusion", "flux", "motif", "qwen-image", "z-image"),
}
"""Parts of a model's name that say what is served; the rest classifies pictures."""
DEFAULT_KEY = "your-secret-key"


def read(contract: str, environ: Environ) -> Serving:
    """Return what is served.

    Raises:
        RefusedError: The real server would end too.
    """
    model, device = environ.get("MODEL", ""), environ.get("DEVICE", "")
    if model and device:
        _check(model, {"blackhole_galaxy": "bh-galaxy"}.get(device, device))
    else:
        say("MODEL or DEVICE is not set: the server's own default is served")
    return Serving(
        contract=contract,
        model=model or "the server's default",
        port=int(environ.get("SERVICE_PORT") or 8000),
        kind=kind_of(model),
        key=_key(environ),
        listens_early=True,
        answers_health=release(environ) >= NEW_PATHS_SINCE,
        lists_models=release(environ) >= MODELS_SINCE,
        release=release(environ),
        old_paths=release(environ) < NEW_PATHS_SINCE,
        places=(*_weights(environ), *written(environ)),
        arguments={"model": model, "device": device},
    )


def release(environ: Environ) -> tuple[int, ...]:
    """Return the release that the image stands for."""
    return tuple(int(part) for part in environ.get("STANDIN_RELEASE", "0.20.0").split("."))


def kind_of(model: str) -> str:
    """Return what a model of this name serves."""
    low = model.lower()
    return next(
        (kind for kind, parts in KINDS.items() if any(part in low for part in parts)), "cnn"
    )


def written(environ: Environ) -> tuple[Place, ...]:
    """Return what the server and tt-metal write; kernels always lie below TT_METAL_HOME."""
    home = Path(environ["TT_METAL_HOME"])
    named = {
        "CACHE_ROOT": "cache root",
        "TT_CACHE_PATH": "tensors",
        "TT_DIT_CACHE_DIR": "diffusion",
    }
    return (
        *(
            Place(path=Path(environ[name]), want="write", why=why)
            for name, why in named.items()
            if environ.get(name)
        ),
        Place(path=home / "built", want="write", why="compiled kernels, whatever TT_METAL_CACHE"),
        *metal_places({**environ, "TT_METAL_CACHE": str(home / "built")})[1:],
    )


def _check(model: str, device: str) -> None:
    if "/" in model:
        raise RefusedError(f"ValueError: '{model}' is not a valid ModelNames")
    if device not in DEVICES:
        raise RefusedError(f"ValueError: '{device}' is not a valid DeviceTypes")


def _key(environ: Environ) -> str:
    open_to_all = environ.get("NO_AUTH", "").lower() in {"1", "true", "yes"}
    if open_to_all and release(environ) >= NO_AUTH_SINCE:
        return ""
    return environ.get("API_KEY", DEFAULT_KEY)


def _weights(environ: Environ) -> tuple[Place, ...]:
    """Return where weights come from: a mounted folder, else a cache of the hub.

    Raises:
        RefusedError: There are none, and none may be fetched.
    """
    mounted = environ.get("MODEL_WEIGHTS_DIR", "")
    if release(environ) >= WEIGHTS_SINCE and mounted and _filled(Path(mounted)):
        return weights_places(Path(mounted))
    if mounted:
        say(f"MODEL_WEIGHTS_DIR is {mounted}, which is not used")
    return hub_places(_home(environ), environ)


def weights_places(path: Path) -> tuple[Place, ...]:
    """Return what is done with weights: all of them are read, none is changed."""
    return (
        Place(path=path, want="read", why="weights"),
        Place(path=path, want="keep", why="weights", vital=False),
    )


def hub_places(home: Path, environ: Environ) -> tuple[Place, ...]:
    """Return the repositories in the hub's caches.

    Raises:
        RefusedError: There are none, and none may be fetched.
    """
    caches = [home, Path(environ.get("HF_HUB_CACHE") or home / "hub")]
    found = [path for cache in caches for path in sorted(cache.glob("models--*/snapshots"))]
    if not found and environ.get("HF_HUB_OFFLINE") == "1":
        looked = " and ".join(str(cache) for cache in caches)
        raise RefusedError(f"offline, and there are no weights in {looked}")
    return tuple(place for path in found for place in weights_places(path))


def _filled(path: Path) -> bool:
    return path.is_dir() and any(path.iterdir())


def _home(environ: Environ) -> Path:
    """Return the hub's folder; one that cannot be written is left for an empty one at home.

    Raises:
        RefusedError: That one cannot be made either.
    """
    path = Path(environ.get("HF_HOME") or f"{environ['HOME']}/.cache/huggingface")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        say(f"{path} cannot be made")
    if os.access(path, os.W_OK) or release(environ) < HUB_FALLBACK_SINCE:
        return path
    fallback = made(Path(f"{environ['HOME']}/.cache/huggingface"))
    say(f"HF_HOME {path} is not writable: {fallback} is used")
    return fallback
