# SPDX-License-Identifier: Apache-2.0
"""Which containers serve an entry that spans several hosts? Pure. Rendered, never started.

Source: tenstorrent/tt-inference-server:workflows/multihost_orchestrator.py@v0.12.0. There they
share the host's network and processes, and find each other over ssh on port 2200.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.contract import WHOLE
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.hugepages import nodes_of
from ttctl.rules.launch import engine_service

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract, LaunchHost
    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import ModelSpec

SSH_PORT = "2200"


def host_services(
    spec: ModelSpec,
    contract: LaunchContract,
    *,
    image: str,
    weights: LockedWeights,
    host: LaunchHost = WHOLE,
) -> tuple[tuple[ServiceSpec, ...], ...]:
    """Return the containers of each host: a worker on every one, and the server on the first."""
    hosts = SIZES[spec.device].hosts
    each = replace(host, nodes=nodes_of(spec.device, ()) // hosts)
    server = engine_service(spec, contract, image=image, weights=weights, host=each)
    controller = _in_role(server, "controller", {})
    workers = tuple(
        replace(
            _in_role(server, "worker", {"SSH_PORT": SSH_PORT}),
            name=f"worker-{rank}",
            command=(),
        )
        for rank in range(hosts)
    )
    return ((controller, workers[0]), *((worker,) for worker in workers[1:]))


def _in_role(server: ServiceSpec, role: str, further: dict[str, str]) -> ServiceSpec:
    given = {**dict(server.environment), "MULTIHOST_ROLE": role, **further}
    return replace(server, environment=tuple(sorted(given.items())))
