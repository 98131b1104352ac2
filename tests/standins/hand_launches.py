# SPDX-License-Identifier: Apache-2.0
"""Each contract's `docker run`, written out by hand, so that any one flag can be left out.

This is what the facts say of the contracts, and not what ttctl renders: tests hold one beside the
other. Every flag is here because a test shows what fails without it.
"""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING

from tests.standins.containers import Launch
from tests.standins.server_images import CONTRACTS, standin_image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.ground import Ground

HOME = "/home/container_app_user"
CACHE = f"{HOME}/cache_root"
WEIGHTS = f"{HOME}/readonly_hub"
MODEL = f"{WEIGHTS}/models--stand-in--tiny/snapshots/0123"
METAL = f"{HOME}/tt-metal"
FORGE_METAL = f"{HOME}/app/server/venv-worker/lib/python3.12/site-packages/pjrt_plugin_tt/tt-metal"
HUGEPAGES = "/dev/hugepages-1G"
HELD = (
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges:true",
    "--init",
    "--memory=1g",
    "--pids-limit=512",
)
UNPRIVILEGED = (
    "--user=1000:1000",
    "--read-only",
    "--ipc=host",
    "--tmpfs=/tmp:size=64m,mode=1777",
    # Over a folder of the image runc 1.1 keeps that folder's mode: only the owner helps.
    f"--tmpfs={HOME}/logs:size=64m,uid=1000,gid=1000,mode=1777",
)
HOST_IPC = ("vllm-current", "media", "media-cpp", "forge")
READ_ONLY = tuple(contract for contract in CONTRACTS if contract != "vllm-legacy")
LEGACY_CAPABILITIES = ("CHOWN", "FOWNER", "FSETID", "SETGID", "SETUID", "KILL")
MEDIA_CAPABILITIES = (*LEGACY_CAPABILITIES, "DAC_OVERRIDE")


def launch_of(contract: str, ground: Ground, nodes: tuple[int, ...]) -> Launch:
    """Return a contract's launch with these nodes."""
    made = {
        "vllm-legacy": _legacy,
        "vllm-current": _current,
        "media": _media,
        "media-cpp": _media_cpp,
        "forge": _forge,
        "own": _own,
    }[contract](ground)
    return made.plus(*(f"--device={ground.nodes.device(node)}" for node in nodes), memlock())


def flag_of(launch: Launch, part: str) -> str:
    """Return the one flag that holds a text."""
    (flag,) = [flag for flag in launch.flags if part in flag]
    return flag


def capabilities(*names: str) -> tuple[str, ...]:
    return tuple(f"--cap-add={name}" for name in names)


def media_as_root(ground: Ground) -> Launch:
    """Return the media image by its own entrypoint, which starts as root."""
    flags = (*HELD, *capabilities(*MEDIA_CAPABILITIES), *_mounts(ground), *_media_variables())
    command = (
        'uvicorn() { exec uvicorn "$@"; }; source ${PYTHON_ENV_DIR}/bin/activate'
        " && cd ${TT_METAL_HOME}/server && source ./run_uvicorn.sh"
    )
    return Launch(
        image=standin_image("media"), flags=flags, command=("/bin/bash", "-c", command)
    ).plus(memlock())


def _legacy(ground: Ground) -> Launch:
    flags = (
        *HELD,
        *capabilities(*LEGACY_CAPABILITIES),
        "--user=0:0",
        "--shm-size=32g",
        *_mounts(ground),
        _bind(ground.folder / "spec.json", f"{HOME}/model_spec/spec.json", read_only=True),
        f"--env=CACHE_ROOT={CACHE}",
        f"--env=TT_CACHE_PATH={CACHE}/tt_metal_cache/cache_tiny/N150",
        f"--env=TT_METAL_CACHE={CACHE}/kernels",
        f"--env=MODEL_WEIGHTS_PATH={MODEL}",
        f"--env=TT_MODEL_SPEC_JSON_PATH={HOME}/model_spec/spec.json",
    )
    return Launch(image=standin_image("vllm-legacy"), flags=flags)


def _current(ground: Ground) -> Launch:
    flags = (
        *HELD,
        *UNPRIVILEGED,
        *_mounts(ground),
        _bind(ground.folder / "spec.json", f"{HOME}/spec.json", read_only=True),
        f"--env=TT_METAL_CACHE={CACHE}/kernels",
        f"--env=MODEL_WEIGHTS_DIR={MODEL}",
        f"--env=RUNTIME_MODEL_SPEC_JSON_PATH={HOME}/spec.json",
    )
    command = ("--model", "stand-in/tiny", "--tt-device", "n150", "--no-auth")
    return Launch(image=standin_image("vllm-current"), flags=flags, command=command)


def _media(ground: Ground) -> Launch:
    """Return the media image without its entrypoint: its user is taken at once, and no root."""
    flags = (
        *HELD,
        *UNPRIVILEGED,
        *_mounts(ground),
        _kernels(ground, METAL),
        *_media_variables(),
        "--entrypoint=/bin/bash",
    )
    # The image's own command would leave its shell between the stop and the server.
    command = (
        'uvicorn() { exec uvicorn "$@"; }; source ${PYTHON_ENV_DIR}/bin/activate'
        " && cd ${TT_METAL_HOME}/server && source ./run_uvicorn.sh"
    )
    return Launch(image=standin_image("media"), flags=flags, command=("-c", command))


def _media_cpp(ground: Ground) -> Launch:
    flags = (
        *HELD,
        *UNPRIVILEGED,
        *_mounts(ground),
        _kernels(ground, METAL),
        *_media_variables(),
        "--env=SERVER_MODE=cpp",
        "--env=MODEL_SERVICE=image",
        "--env=MODEL_RUNNER_TYPE=tt_sdxl_generate",
        "--env=DEVICE_MESH_SHAPE=1,1",
        "--env=DEVICE_IDS=(0)",
        "--entrypoint=/bin/bash",
    )
    command = (
        "source ${PYTHON_ENV_DIR}/bin/activate && cd ${TT_METAL_HOME}/server/cpp_server"
        " && exec ./build/tt_media_server_cpp -p 8000"
    )
    return Launch(image=standin_image("media-cpp"), flags=flags, command=("-c", command))


def _forge(ground: Ground) -> Launch:
    flags = (*HELD, *UNPRIVILEGED, *_mounts(ground), _kernels(ground, FORGE_METAL))
    command = (
        'uvicorn() { exec uvicorn "$@"; }; cd ${APP_DIR}/server'
        " && source venv-worker/bin/activate && source ./run_uvicorn.sh --skip-venv"
    )
    variables = _media_variables(model="Qwen3-4B")
    return Launch(
        image=standin_image("forge"),
        flags=(*flags, *variables),
        command=("/bin/bash", "-c", command),
    )


def _own(ground: Ground) -> Launch:
    flags = (
        *HELD,
        "--user=1000:1000",
        "--read-only",
        "--tmpfs=/tmp:size=64m,mode=1777",
        _bind(ground.cache, "/cache"),
        _bind(ground.folder / "hub", "/models", read_only=True),
        _bind(ground.folder / "hugepages", HUGEPAGES),
        "--env=TT_METAL_CACHE=/cache/kernels",
        "--env=TT_CACHE_PATH=/cache/tensors",
        "--env=TT_METAL_LOGS_PATH=/cache/logs",
    )
    model = "/models/models--stand-in--tiny/snapshots/0123"
    return Launch(image=standin_image("own"), flags=flags, command=("--model", model))


def _media_variables(model: str = "FLUX.1-dev") -> tuple[str, ...]:
    return (
        f"--env=CACHE_ROOT={CACHE}",
        f"--env=HF_HOME={CACHE}/huggingface",
        f"--env=HF_HUB_CACHE={WEIGHTS}",
        "--env=HF_HUB_OFFLINE=1",
        f"--env=MODEL={model}",
        "--env=DEVICE=n150",
        "--env=NO_AUTH=1",
    )


def _kernels(ground: Ground, metal: str) -> str:
    return _bind(ground.writable("kernels"), f"{metal}/built")


def _mounts(ground: Ground) -> tuple[str, ...]:
    return (
        _bind(ground.cache, CACHE),
        _bind(ground.folder / "hub", WEIGHTS, read_only=True),
        _bind(ground.folder / "hugepages", HUGEPAGES),
    )


def _bind(source: Path, target: str, *, read_only: bool = False) -> str:
    return f"--mount=type=bind,source={source},target={target}{',readonly' * read_only}"


@cache
def memlock() -> str:
    """Return the limit of locked memory: none, or the most that this machine's engine can give."""
    for limit in ("-1:-1", "8388608:8388608"):
        flag = f"--ulimit=memlock={limit}"
        words = ["docker", "run", "--rm", "--entrypoint=true", flag, standin_image("own")]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return flag
    raise AssertionError("the engine gives no limit of locked memory")
