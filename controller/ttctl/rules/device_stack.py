# SPDX-License-Identifier: Apache-2.0
"""Which containers serve a catalog entry on its boards, behind the one door? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.model.contract import WHOLE
from ttctl.model.service import Network, Stack
from ttctl.rules.launch import BACK, GPU, OUT, engine_service, refusal
from ttctl.rules.multihost import host_services
from ttctl.rules.services import gateway_service

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract, LaunchHost
    from ttctl.model.image import ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import ServiceDefaults, ServiceSpec
    from ttctl.model.spec import ModelSpec

FRONT = "front"


def refuse(spec: ModelSpec, contract: LaunchContract) -> None:
    """Refuse an entry that ttctl does not start.

    Raises:
        NothingFitsError: It is one; the error says why.
    """
    if why := refusal(spec, contract):
        raise NothingFitsError(
            f"{spec.model!r} on {spec.device!r} is not started.",
            why=f"{why[0].upper()}{why[1:]}.",
            evidence=f"Entry {spec.id}, contract {contract.name}.",
            next_step=f"ttctl models show {spec.model}",
        )


def device_stack(
    spec: ModelSpec,
    contract: LaunchContract,
    *,
    name: str,
    port: int,
    image: str,
    weights: LockedWeights,
    gateway_image: ImageSpec,
    gateway: ServiceDefaults,
    gateway_config: str,
    boards: tuple[str, ...] = (),
    host: LaunchHost = WHOLE,
) -> Stack:
    """Return the stack that serves an entry: the engine, and the gateway as its one door.

    Args:
        spec: An entry with pins.
        contract: How `image` is launched: that of the pins, or `own` for what ttctl built.
        name: Of the stack.
        port: On the host, of the gateway.
        image: Reference of the engine's image.
        weights: What is mounted.
        gateway_image: The gateway's image.
        gateway: How the gateway is launched.
        gateway_config: Rendered with `gateway_values`.
        boards: Reset domains that the stack leases.
        host: What of the machine changes the launch.

    Raises:
        NothingFitsError: ttctl does not start this entry.
    """
    refuse(spec, contract)
    engine = engine_service(spec, contract, image=image, weights=weights, host=host)
    door = gateway_service(image=gateway_image, defaults=gateway, config=gateway_config)
    return _stack(spec, contract, (engine, door), name=name, port=port, boards=boards)


def host_stacks(
    spec: ModelSpec,
    contract: LaunchContract,
    *,
    name: str,
    port: int,
    image: str,
    weights: LockedWeights,
    gateway_image: ImageSpec,
    gateway: ServiceDefaults,
    gateway_config: str,
) -> tuple[Stack, ...]:
    """Return what runs on each host of an entry that spans several: to be rendered, not started.

    The gateway is on the first host; its arguments are those of `device_stack`.

    Raises:
        NothingFitsError: It is an entry of a GPU.
    """
    if spec.device == GPU:
        refuse(spec, contract)
    first, *others = host_services(spec, contract, image=image, weights=weights)
    door = gateway_service(image=gateway_image, defaults=gateway, config=gateway_config)
    stack = _stack(spec, contract, (*first, door), name=name, port=port, boards=())
    return (stack, *(replace(stack, services=services) for services in others))


def _stack(
    spec: ModelSpec,
    contract: LaunchContract,
    services: tuple[ServiceSpec, ...],
    *,
    name: str,
    port: int,
    boards: tuple[str, ...],
) -> Stack:
    used = {network for service in services for network in service.networks}
    networks = (
        Network(name=FRONT, internal=False),
        Network(name=BACK, internal=True),
        Network(name=OUT, internal=False),
    )
    return Stack(
        name=name,
        model=spec.model,
        port=port,
        services=services,
        networks=tuple(one for one in networks if one.name in used),
        experimental=spec.experimental,
        device=spec.device,
        contract=contract.name,
        boards=boards,
    )
