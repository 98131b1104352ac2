# SPDX-License-Identifier: Apache-2.0
"""Which containers serve a catalog entry on its boards, behind the one door? Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.model.contract import WHOLE
from ttctl.model.service import Network, Stack
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.launch import BACK, OUT, engine_service, refusal
from ttctl.rules.multihost import host_services
from ttctl.rules.services import gateway_service
from ttctl.rules.stack import render_command

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
        size = SIZES.get(spec.device)
        show = f"ttctl models show {spec.model}"
        raise NothingFitsError(
            f"{spec.model!r} on {spec.device!r} is not started.",
            why=f"{why[0].upper()}{why[1:]}.",
            evidence=f"Entry {spec.id}, contract {contract.name}.",
            next_step=render_command(spec.model, spec.device) if size and size.hosts > 1 else show,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StackParts:
    """What a stack is made of besides its entry and contract, on one host or on several."""

    name: str
    port: int
    """On the host, of the gateway."""
    image: str
    """Reference of the engine's image."""
    weights: LockedWeights
    """What is mounted."""
    gateway_image: ImageSpec
    gateway: ServiceDefaults
    """How the gateway is launched."""
    gateway_config: str
    """Rendered with `gateway_values`."""


def device_stack(
    spec: ModelSpec,
    contract: LaunchContract,
    parts: StackParts,
    *,
    boards: tuple[str, ...] = (),
    host: LaunchHost = WHOLE,
) -> Stack:
    """Return the stack that serves an entry: the engine, and the gateway as its one door.

    Args:
        spec: An entry with pins.
        contract: How the image is launched: that of the pins, or `own` for what ttctl built.
        parts: What the stack is made of.
        boards: Reset domains that the stack leases.
        host: What of the machine changes the launch.

    Raises:
        NothingFitsError: ttctl does not start this entry.
    """
    refuse(spec, contract)
    engine = engine_service(spec, contract, image=parts.image, weights=parts.weights, host=host)
    return _stack(spec, contract, parts, (engine, _door(parts)), boards=boards)


def host_stacks(spec: ModelSpec, contract: LaunchContract, parts: StackParts) -> tuple[Stack, ...]:
    """Return what runs on each host of an entry that spans several: to be rendered, not started.

    The gateway is on the first host.

    Raises:
        NothingFitsError: Its device is a GPU, not known, or on one host, whatever its image is.
    """
    if spec.device not in SIZES or SIZES[spec.device].hosts == 1:
        refuse(spec, contract)
    first, *others = host_services(spec, contract, image=parts.image, weights=parts.weights)
    # The server is on the host's own network, where its door finds it by the host's address.
    door = replace(_door(parts), networks=(FRONT,), host_names=(spec.engine,))
    return (
        _stack(spec, contract, parts, (*first, door)),
        *(_stack(spec, contract, parts, services) for services in others),
    )


def _door(parts: StackParts) -> ServiceSpec:
    return gateway_service(
        image=parts.gateway_image, defaults=parts.gateway, config=parts.gateway_config
    )


def _stack(
    spec: ModelSpec,
    contract: LaunchContract,
    parts: StackParts,
    services: tuple[ServiceSpec, ...],
    *,
    boards: tuple[str, ...] = (),
) -> Stack:
    used = {network for service in services for network in service.networks}
    networks = (
        Network(name=FRONT, internal=False),
        Network(name=BACK, internal=True),
        Network(name=OUT, internal=False),
    )
    return Stack(
        name=parts.name,
        model=spec.model,
        port=parts.port,
        services=services,
        networks=tuple(one for one in networks if one.name in used),
        experimental=spec.experimental,
        derived_from=spec.derived_from,
        device=spec.device,
        contract=contract.name,
        boards=boards,
    )
