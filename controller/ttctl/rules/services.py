# SPDX-License-Identifier: Apache-2.0
"""Which containers serve a model, and how they are held in. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.service import Mount, Network, ServiceSpec, Stack
from ttctl.rules import fingerprint
from ttctl.rules.engine_command import model_folder, serve_arguments
from ttctl.rules.stack import ENGINE_SERVICE, GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.image import ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import ServiceDefaults
    from ttctl.model.spec import ModelSpec

ENTRYPOINT = ("vllm",)
"""Said aloud, since a site's own vLLM image may have another one."""


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
            gateway_service(image=images["gateway"], defaults=gateway, config=gateway_config),
        ),
        networks=(Network(name="front", internal=False), Network(name="back", internal=True)),
        experimental=spec.experimental,
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


def gateway_service(*, image: ImageSpec, defaults: ServiceDefaults, config: str) -> ServiceSpec:
    """Return the one door of a stack.

    Args:
        image: The gateway's image.
        defaults: How it is launched.
        config: Text of its configuration; another text makes another container.
    """
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
