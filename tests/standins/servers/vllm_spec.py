# SPDX-License-Identifier: Apache-2.0
"""What both vLLM contracts do with a model spec once they have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.standins.servers.places import Place
from tests.standins.servers.refusals import RefusedError, existing, made, needed, say

Spec = dict[str, Any]
Environ = dict[str, str]


def loaded(path: Path) -> Spec:
    """Return a JSON file's object.

    Raises:
        RefusedError: It is not there, or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise RefusedError(f"{path} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise RefusedError(f"{path} holds no JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise RefusedError(f"{path} holds no object")
    return found


def value(spec: Spec, *keys: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what stands under a chain of keys.

    Raises:
        RefusedError: One of them is missing.
    """
    found: Any = spec
    for depth, key in enumerate(keys, 1):
        if not isinstance(found, dict) or key not in found:
            raise RefusedError(f"KeyError: the model spec has no {'.'.join(keys[:depth])!r}")
        found = found[key]
    return found


def take_over(environ: Environ, variables: dict[str, object]) -> None:
    """Set a spec's variables over those of the container."""
    for name, wanted in variables.items():
        if name in environ and environ[name] != str(wanted):
            say(f"{name} was {environ[name]}, the model spec sets {wanted}")
        environ[name] = str(wanted)


def laid_out(spec: Spec, environ: Environ, weights_variable: str) -> tuple[Place, ...]:
    """Lay the cache root out as the real server does; return all that it touches.

    Raises:
        RefusedError: A folder is missing or cannot be written.
    """
    root = existing(environ, "CACHE_ROOT")
    links = made(root / "model_file_symlinks_map")
    weights = existing(environ, weights_variable)
    tensors = Path(needed(environ, "TT_CACHE_PATH"))
    config = made(root / "logs") / "vllm_logging_config.json"
    link = links / str(value(spec, "hf_model_repo")).rpartition("/")[2]
    try:
        config.write_text("{}\n", encoding="utf-8")
        link.unlink(missing_ok=True)
        link.symlink_to(weights)
    except OSError as exc:
        raise RefusedError(f"{exc.filename}: {exc.strerror}") from exc
    environ["HF_MODEL"] = str(link)
    return (
        Place(path=weights, want="read", why="weights"),
        Place(path=weights, want="keep", why="weights", vital=False),
        Place(path=link, want="read", why="weights by their link"),
        Place(path=root, want="write", why="cache root"),
        Place(path=tensors, want="write", why="converted tensors"),
        *metal_places(environ),
    )


def metal_places(environ: Environ) -> tuple[Place, ...]:
    """Return what tt-metal writes by itself: kernels that it compiles, and logs."""
    kernels = environ.get("TT_METAL_CACHE") or f"{environ['HOME']}/.cache/tt-metal-cache"
    logs = environ.get("TT_METAL_LOGS_PATH") or f"{environ['HOME']}/logs"
    return (
        Place(path=Path(kernels), want="write", why="compiled kernels"),
        Place(path=Path(logs), want="write", why="tt-metal's logs"),
        Place(path=Path("/dev/shm"), want="write", why="locks and queues"),  # noqa: S108
        Place(path=Path("/tmp"), want="write", why="scratch"),  # noqa: S108
    )


def key_of(environ: Environ, *, no_auth: bool) -> str:
    """Return the key that callers need: a given one wins over a secret that one is made from."""
    if no_auth:
        return ""
    return environ.get("VLLM_API_KEY") or environ.get("JWT_SECRET") or ""
