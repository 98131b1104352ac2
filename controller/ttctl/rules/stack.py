# SPDX-License-Identifier: Apache-2.0
"""Which containers serve a model, and how they are held in. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.service import Mount, Network, ServiceSpec, Stack
from ttctl.rules import fingerprint
from ttctl.rules.engine_command import model_folder, serve_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.image import ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import ServiceDefaults
    from ttctl.model.spec import ModelSpec, Request

ENGINE_SERVICE = "vllm"
ENTRYPOINT = ("vllm",)
"""Said aloud, since a site's own vLLM image may have another one."""
GATEWAY_SERVICE = "gateway"
BIND = "127.0.0.1"
DEFAULT_PORT = 8000
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


def stack_name(request: Request) -> str:
    """Return a stack's name: the one asked for, or the model's in compose's project alphabet.

    Raises:
        UsageError: The name asked for is none, or nothing of the model's is left.
    """
    if request.name is not None:
        return checked_name(request.name)
    word = request.model
    name = re.sub(r"[^a-z0-9]+", "-", word.rpartition("/")[2].lower()).strip("-")[:48].rstrip("-")
    if not name:
        raise UsageError(
            f"{word!r} cannot name a stack.",
            why="A stack's name needs a letter or a digit.",
            next_step="ttctl models ls",
        )
    return name


def checked_name(name: str) -> str:
    """Return `name` where it can name a stack; it becomes a folder's name, too.

    Raises:
        UsageError: It cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a stack.",
            why="Compose allows lower-case letters, digits and dashes, at most 48.",
            evidence="For example llama, or my-stack.",
            next_step="ttctl status",
        )
    return name


def stack_of(
    spec: ModelSpec,
    *,
    name: str,
    port: int,
    images: Mapping[str, ImageSpec],
    engine: ServiceDefaults,
    gateway: ServiceDefaults,
    weights: LockedWeights,
    gateway_config: str,
) -> Stack:
    """Return the stack that serves `spec`: the engine, and the gateway as its one door."""
    return Stack(
        name=name,
        model=spec.model,
        port=port,
        services=(
            _engine(spec, image=images[spec.image], defaults=engine, weights=weights),
            _gateway(image=images["gateway"], defaults=gateway, config=gateway_config),
        ),
        networks=(Network(name="front", internal=False), Network(name="back", internal=True)),
    )


def _engine(
    spec: ModelSpec, *, image: ImageSpec, defaults: ServiceDefaults, weights: LockedWeights
) -> ServiceSpec:
    hashes = [(file.path, file.size_bytes, file.sha256) for file in weights.files]
    return ServiceSpec(
        name=ENGINE_SERVICE,
        image=image.reference,
        entrypoint=ENTRYPOINT,
        command=serve_arguments(spec, models=defaults.models, port=defaults.port),
        environment=tuple(sorted({**dict(defaults.environment), **dict(spec.environment)}.items())),
        mounts=(
            Mount(
                source="${TTCTL_WEIGHTS:?the folder that holds the weights}",
                target=model_folder(spec, models=defaults.models),
            ),
        ),
        networks=("back",),
        health=defaults.health,
        memory_mib=spec.memory_mib,
        shm_mib=defaults.shm_mib,
        pids=defaults.pids,
        tmpfs_mib=defaults.tmpfs_mib,
        stop_grace_s=defaults.stop_grace_s,
        restart=defaults.restart,
        inputs=(("weights", fingerprint.of_json([weights.revision, hashes])),),
    )


def _gateway(*, image: ImageSpec, defaults: ServiceDefaults, config: str) -> ServiceSpec:
    return ServiceSpec(
        name=GATEWAY_SERVICE,
        image=image.reference,
        mounts=(
            Mount(source="./gateway", target="/etc/ttctl/gateway"),
            Mount(
                source="${TTCTL_SECRETS:?the folder that holds keys.map}",
                target="/run/secrets/gateway",
            ),
        ),
        networks=("back", "front"),
        publish=defaults.port,
        health=defaults.health,
        memory_mib=defaults.memory_mib,
        shm_mib=defaults.shm_mib,
        pids=defaults.pids,
        tmpfs_mib=defaults.tmpfs_mib,
        stop_grace_s=defaults.stop_grace_s,
        restart=defaults.restart,
        inputs=(("haproxy.cfg", fingerprint.sha256_text(config)),),
    )
