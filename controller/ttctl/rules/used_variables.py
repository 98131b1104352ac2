# SPDX-License-Identifier: Apache-2.0
"""Which variables of the .env file does a stack read? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.service import node_variables
from ttctl.rules.compose import labels_of
from ttctl.rules.interpolation import HERE, variables

if TYPE_CHECKING:
    from ttctl.model.service import Stack


def variables_of(stack: Stack) -> tuple[str, ...]:
    """Return their names, sorted; those of the gateway's port are not among them."""
    values = [
        value
        for service in stack.services
        for value in (
            *(mount.source for mount in service.mounts),
            *(text for _, text in service.place_environment),
            *(text for _, text in labels_of(stack, service)),
            *service.confinement.groups,
            *(f"${{{name}}}" for name in node_variables(service)),
        )
    ]
    found = {one.name for value in values for one in variables(value)}
    return tuple(sorted(found - {HERE}))
