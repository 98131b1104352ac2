# SPDX-License-Identifier: Apache-2.0
"""The contracts that are shipped, the entries that they launch, and made-up weights."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.unit.rules.validated import built_in

from ttctl.adapters import places
from ttctl.adapters.contracts import ShippedContracts
from ttctl.adapters.templates import ShippedRecipes
from ttctl.model.contract import WHOLE
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.rules.device_stack import StackParts, device_stack
from ttctl.rules.gateway_values import gateway_values
from ttctl.rules.images import prebuilt
from ttctl.rules.launch import engine_service, launch_files

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract, LaunchHost
    from ttctl.model.pins import Pins
    from ttctl.model.service import ServiceSpec, Stack
    from ttctl.model.spec import ModelSpec

GATEWAY = prebuilt("gateway", "ttctl/gateway:golden")
REVISION = "0123456789abcdef0123456789abcdef01234567"


@cache
def contracts() -> dict[str, LaunchContract]:
    return ShippedContracts(places.shipped()).contracts()


@cache
def entries() -> tuple[ModelSpec, ...]:
    """Return every entry of the built-in catalog that has pins."""
    return tuple(spec for spec in built_in().specs if spec.pins is not None)


def named(spec_id: str) -> ModelSpec:
    return next(spec for spec in entries() if spec.id == spec_id)


def pins_of(spec: ModelSpec) -> Pins:
    assert spec.pins is not None
    return spec.pins


def contract_of(spec: ModelSpec) -> LaunchContract:
    return contracts()[pins_of(spec).contract]


def weights_of(spec: ModelSpec) -> LockedWeights:
    return LockedWeights(
        kind="hub",
        repository=spec.weights.repository,
        revision=REVISION,
        files=(LockedFile(path="config.json", size_bytes=2, sha256="0" * 64),),
    )


def service_of(
    spec: ModelSpec, *, contract: LaunchContract | None = None, host: LaunchHost = WHOLE
) -> ServiceSpec:
    return engine_service(
        spec,
        contract or contract_of(spec),
        image=pins_of(spec).image,
        weights=weights_of(spec),
        host=host,
    )


def files_of(spec: ModelSpec) -> dict[str, str]:
    return launch_files(spec, contract_of(spec), weights=weights_of(spec))


@cache
def recipes() -> ShippedRecipes:
    return ShippedRecipes(places.shipped())


def gateway_config(spec: ModelSpec) -> str:
    values = gateway_values(spec, contract_of(spec), gateway=recipes().defaults("gateway"))
    return recipes().template("gateway/haproxy.cfg.j2", values)


def parts_of(spec: ModelSpec) -> StackParts:
    return StackParts(
        name="golden",
        port=8000,
        image=pins_of(spec).image,
        weights=weights_of(spec),
        gateway_image=GATEWAY,
        gateway=recipes().defaults("gateway"),
        gateway_config=gateway_config(spec),
    )


def stack_of(spec: ModelSpec, *, boards: tuple[str, ...] = (), host: LaunchHost = WHOLE) -> Stack:
    return device_stack(spec, contract_of(spec), parts_of(spec), boards=boards, host=host)
