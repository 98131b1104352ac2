# SPDX-License-Identifier: Apache-2.0
"""Which containers serve a model, and how they are held in. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.service import Mount, Network, ServiceSpec, Stack
from ttctl.rules import fingerprint
from ttctl.rules.engine_command import model_folder, serve_arguments
from ttctl.rules.processor_command import direct_arguments, sd_arguments
from ttctl.rules.stack import GATEWAY_SERVICE, service_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.image import ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import ServiceDefaults
    from ttctl.model.spec import ModelSpec

PROGRAMS = {
    "vllm": (("vllm",), serve_arguments),
    "direct": (("python", "-m", "ttctl_direct"), direct_arguments),
    "sd": (("python", "-m", "ttctl_sd"), sd_arguments),
}
"""By engine: its program, said aloud since a site's own image may have another one; its words."""
AS_OPENAI = ("--middleware", "ttctl_openai.AsOpenAI")
"""Of vLLM, in the images that we build: it asks and answers as OpenAI's schema has it."""


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


def held_in(name: str, *, image: ImageSpec, defaults: ServiceDefaults) -> ServiceSpec:
    """Return a container as its kind is held in; what it serves and reads is for who asks.

    Args:
        name: The container's.
        image: Its image.
        defaults: How containers of its kind are launched.
    """
    return ServiceSpec(
        name=name,
        image=image.reference,
        networks=("back",),
        health=defaults.health,
        memory_mib=defaults.memory_mib,
        shm_mib=defaults.shm_mib,
        pids=defaults.pids,
        tmpfs_mib=defaults.tmpfs_mib,
        stop_grace_s=defaults.stop_grace_s,
        restart=defaults.restart,
    )


def _engine(
    spec: ModelSpec, *, image: ImageSpec, defaults: ServiceDefaults, weights: LockedWeights
) -> ServiceSpec:
    program, arguments = PROGRAMS[spec.engine]
    ours = AS_OPENAI if spec.engine == "vllm" and not image.prebuilt else ()
    hashes = [(file.path, file.size_bytes, file.sha256) for file in weights.files]
    return replace(
        held_in(service_name(spec.engine), image=image, defaults=defaults),
        entrypoint=program,
        command=(*arguments(spec, models=defaults.models, port=defaults.port), *ours),
        environment=tuple(sorted({**dict(defaults.environment), **dict(spec.environment)}.items())),
        mounts=(
            Mount(
                source="${TTCTL_WEIGHTS:?the folder that holds the weights}",
                target=model_folder(spec, models=defaults.models),
            ),
        ),
        memory_mib=spec.memory_mib,
        inputs=(("weights", fingerprint.of_json([weights.revision, hashes])),),
    )


def with_config(door: ServiceSpec, config: str) -> ServiceSpec:
    """Return a gateway with another configuration: another text makes another container."""
    return replace(door, inputs=_of_config(config))


def _of_config(config: str) -> tuple[tuple[str, str], ...]:
    return (("haproxy.cfg", fingerprint.sha256_text(config)),)


def gateway_service(*, image: ImageSpec, defaults: ServiceDefaults, config: str) -> ServiceSpec:
    """Return the one door of a stack.

    Args:
        image: The gateway's image.
        defaults: How it is launched.
        config: Text of its configuration; another text makes another container.
    """
    return replace(
        held_in(GATEWAY_SERVICE, image=image, defaults=defaults),
        mounts=(
            Mount(source="./gateway", target="/etc/ttctl/gateway"),
            Mount(
                source="${TTCTL_SECRETS:?the folder that holds keys.map}",
                target="/run/secrets/gateway",
            ),
        ),
        networks=("back", "front"),
        publish=defaults.port,
        inputs=_of_config(config),
    )
