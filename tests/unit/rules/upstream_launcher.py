# SPDX-License-Identifier: Apache-2.0
"""What upstream's launcher of a tag passes for an entry, in our own words. Pure.

Read in tenstorrent/tt-inference-server, workflows/run_docker_server.py and workflows/setup_host.py
at the tags 0.1.0 to 0.20.0; nothing of it was run. The launcher is asked for a bind folder as
volume and for mounted weights, and from the tag on that knows it, for no key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ttctl.rules.device_sizes import SIZES

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

HOME = "/home/container_app_user"
CACHE = f"{HOME}/cache_root"
HUGEPAGES = "/dev/hugepages-1G"
FIRST_CURRENT = (0, 11)
"""From this launcher on: arguments behind the image, host IPC, no capability."""
NO_KEY = (0, 15)
"""From here on media and forge images are told to ask for no key, and get the entry's variables."""
HUB_HOME = (0, 19)
"""From here on media and forge images are told where the hub's folder is."""
BY_TYPE = (
    ((0, 4), {"AUDIO", "CNN"}),
    ((0, 5), {"AUDIO", "CNN", "IMAGE", "EMBEDDING"}),
    ((0, 9), {"AUDIO", "CNN", "IMAGE", "EMBEDDING", "VIDEO", "TEXT_TO_SPEECH"}),
)
"""(launcher, types of model that it gives MODEL, DEVICE and DEVICE_IDS), up to 0.9.0."""
EMBEDDING = (
    ((0, 6), {"MAX_NUM_BATCHED_TOKENS": "1024", "MAX_MODEL_LENGTH": "1024",
              "MIN_MODEL_LENGTH": "32"}),
    ((0, 8), {"VLLM__MAX_NUM_BATCHED_TOKENS": "1024", "VLLM__MAX_MODEL_LENGTH": "1024",
              "VLLM__MIN_CONTEXT_LENGTH": "32"}),
    ((0, 9), {"VLLM__MAX_NUM_BATCHED_TOKENS": "1024", "VLLM__MAX_MODEL_LENGTH": "1024",
              "VLLM__MIN_CONTEXT_LENGTH": "32", "VLLM__MAX_NUM_SEQS": "1"}),
)  # fmt: skip
"""(launcher, variables of an embedding where the entry does not say them), up to 0.9.0."""
CPP_MODELS = {
    "stable-diffusion-xl-base-1.0": "tt_sdxl_generate",
    "stable-diffusion-xl-base-1.0-img-2-img": "tt_sdxl_image_to_image",
    "stable-diffusion-xl-1.0-inpainting-0.1": "tt_sdxl_edit",
}
SINGLE = "(0)"
ALL_32 = ",".join(f"({number})" for number in range(32))
CPP_DEVICES = {
    "n150": ("1,1", "false", SINGLE),
    "n300": ("2,1", "false", SINGLE),
    "t3k": ("2,1", "false", "(0),(1),(2),(3)"),
    "galaxy": ("1,1", "true", ALL_32),
    "p150": ("1,1", "false", SINGLE),
    "p300": ("2,1", "false", "(0,1)"),
    "p300x2": ("2,1", "false", "(0,1),(2,3)"),
    "p150x4": ("2,1", "false", "(0,1),(2,3)"),
    "p150x8": ("2,1", "false", "(0,1),(2,3),(4,5),(6,7)"),
    "blackhole_galaxy": ("1,1", "false", ALL_32),
}
"""device: (DEVICE_MESH_SHAPE, IS_GALAXY, DEVICE_IDS)."""
LEGACY_KEYS = ("llama3_70b_galaxy", "TT_LLAMA_TEXT_VER"), ("qwen3_32b_galaxy", "TT_QWEN3_TEXT_VER")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is run for an entry, in words that both sides share."""

    settings: dict[str, object]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a launcher is asked for."""

    spec: ModelSpec
    launcher: tuple[int, ...]
    revision: str
    on_the_hub: bool = True
    """Whether the weights are a repository, so that they are mounted."""
    subdevice: str = ""
    """Device whose mesh the model uses, where it is not the entry's own."""

    @property
    def name(self) -> str:
        """The model's last name."""
        return self.spec.model.rpartition("/")[2]

    @property
    def is_legacy(self) -> bool:
        """Whether the launcher is of the older form."""
        return self.launcher < FIRST_CURRENT

    @property
    def serves_cpp(self) -> bool:
        """Whether the launcher asks for the C++ server of images."""
        known = self.name in CPP_MODELS and self.spec.device in CPP_DEVICES
        return known and self.spec.engine == "media" and self.launcher >= NO_KEY

    @property
    def weights(self) -> str:
        """Where the weights are mounted; empty where they are not."""
        return f"{HOME}/readonly_weights_mount/{self.name}" if self.on_the_hub else ""


def upstream(asked: Asked, *, rooted: bool) -> Run:
    """Return what the launcher runs.

    Args:
        asked: The entry, and by which launcher.
        rooted: Whether the image's own user is root.
    """
    legacy, vllm = asked.is_legacy, asked.spec.engine == "vllm"
    said = ("--model", asked.spec.model, "--tt-device", asked.spec.device, "--no-auth")
    settings: dict[str, object] = {
        "capabilities": "all" if legacy else (),
        "user": "0:0" if rooted else "1000:1000",
        "read-only root": False,
        "new privileges": True,
        "devices": "folder",
        "publish": "engine",
        "port": 8000,
        "network": "bridge",
        "secrets": "in the environment",
        "locked memory": False,
        "memory": 0,
        "processes": 0,
        "stop": 10,
        "init": False,
        "log": "without a limit",
        "health": "the launcher asks",
        "memory folders": (),
        "proxies": "those of the client",
        "shared memory": 32768 if legacy else 64,
        "ipc": "private" if legacy else "host",
        "command": said if vllm and not legacy else (),
        "entrypoint": (),
        "spec file": f"{HOME}/model_spec" if legacy else "",
        "weights": asked.weights,
        "cache": CACHE,
        "hugepages": HUGEPAGES,
        "kernels": "",
        "diffusion cache": "",
    }
    return Run(settings=settings, environment=_environment(asked))


def _environment(asked: Asked) -> dict[str, str]:
    mesh = SIZES[asked.subdevice or asked.spec.device].mesh
    given = {"TT_CACHE_PATH": f"{CACHE}/tt_metal_cache/cache_{asked.name}/{mesh}"}
    if asked.is_legacy:
        return given | _legacy(asked)
    if asked.weights:
        given["MODEL_WEIGHTS_DIR"] = f"{asked.weights}/snapshots/{asked.revision}"
    if asked.spec.engine == "vllm":
        # It is set in these images, and not by the launcher.
        return given | {"CACHE_ROOT": CACHE}
    return given | _served(asked)


def _legacy(asked: Asked) -> dict[str, str]:
    given = {"CACHE_ROOT": CACHE, "TT_MODEL_SPEC_JSON_PATH": f"{HOME}/model_spec/spec.json"}
    if asked.weights:
        snapshot = f"{asked.weights}/snapshots/{asked.revision}"
        original = asked.launcher < (0, 5) and asked.spec.model.startswith("meta-llama/")
        given["MODEL_WEIGHTS_PATH"] = f"{snapshot}/original" if original else snapshot
    if asked.spec.engine == "vllm":
        return given | _implementation(asked)
    if asked.launcher >= (0, 10):
        return given | _named(asked)
    types = [kinds for first, kinds in BY_TYPE if first <= asked.launcher]
    if not types or asked.spec.type not in types[-1]:
        return given
    given |= _named(asked) | {"DEVICE_IDS": SINGLE}
    if asked.spec.type == "AUDIO":
        given["ALLOW_AUDIO_PREPROCESSING"] = str(asked.launcher >= (0, 5)).lower()
    if asked.spec.type == "EMBEDDING":
        defaults = [one for first, one in EMBEDDING if first <= asked.launcher]
        told = dict(asked.spec.environment)
        given |= {name: told.get(name, value) for name, value in (defaults or [{}])[-1].items()}
    return given


def _implementation(asked: Asked) -> dict[str, str]:
    """Return which implementation an old image is told; it takes tt_transformers untold."""
    implementation, repository = asked.spec.implementation, asked.spec.model
    if asked.launcher < (0, 5):
        return {"TT_LLAMA_TEXT_VER": implementation}
    if asked.launcher < (0, 6):
        told = (
            ("meta-llama/Llama-3.3-70B", "TT_LLAMA_TEXT_VER"),
            ("Qwen/Qwen3-32B", "TT_QWEN3_TEXT_VER"),
        )
        return {name: implementation for word, name in told if repository.startswith(word)}
    if asked.launcher < (0, 9):
        return {name: one for one, name in LEGACY_KEYS if one == implementation}
    return {}


def _named(asked: Asked) -> dict[str, str]:
    return {"MODEL": asked.name, "DEVICE": asked.spec.device}


def _served(asked: Asked) -> dict[str, str]:
    """Return what the launchers from 0.11.0 on give media and forge images."""
    own = dict(asked.spec.environment) if asked.launcher >= NO_KEY else {}
    if asked.launcher >= NO_KEY:
        key = {"NO_AUTH": "1"}
    else:
        key = {"API_KEY": "one"} if asked.launcher >= (0, 13) else {}
    if asked.serves_cpp:
        shape, galaxy, ids = CPP_DEVICES[asked.spec.device]
        return {
            **own, **key, "SERVER_MODE": "cpp", "MODEL_SERVICE": "image", "MAX_BATCH_SIZE": "1",
            "SDXL_IMAGE_RESOLUTION": "1024x1024", "MODEL_RUNNER_TYPE": CPP_MODELS[asked.name],
            "DEVICE_MESH_SHAPE": shape, "IS_GALAXY": galaxy, "DEVICE_IDS": ids,
        }  # fmt: skip
    home = {"HF_HOME": f"{CACHE}/huggingface"} if asked.launcher >= HUB_HOME else {}
    return {**own, **key, "CACHE_ROOT": CACHE, **home, **_named(asked)}
