# SPDX-License-Identifier: Apache-2.0
"""What does the gateway of a stack with a card let through, and how does it ask? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.launch_values import LIVENESS, health_of, needs_key, reaches

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.service import ServiceDefaults
    from ttctl.model.spec import ModelSpec

ANY = "*"


def gateway_values(
    spec: ModelSpec, contract: LaunchContract, *, gateway: ServiceDefaults
) -> dict[str, object]:
    """Return what compose/gateway/haproxy.cfg.j2 is rendered with.

    Older media images know other paths than the documented ones, and do not say what they serve;
    the gateway makes that up, so that a client need not know which image answers.
    """
    has_own_prefixes = reaches(spec, contract, contract.prefixes_since)
    return {
        "engine": spec.engine,
        "engine_port": contract.port,
        "paths": [path for path in contract.paths if ANY not in path],
        "patterns": [_around(path) for path in contract.paths if ANY in path],
        "old_prefixes": [] if has_own_prefixes else list(contract.old_prefixes),
        "liveness": health_of(spec, contract)[0] == LIVENESS[0],
        "sends_key": needs_key(spec, contract),
        "model": "" if reaches(spec, contract, contract.models_since) else spec.model,
        "max_body_bytes": contract.max_body_bytes,
        "retry_after_s": gateway.retry_after_s,
    }


def _around(path: str) -> tuple[str, str]:
    before, _, after = path.partition(f"/{ANY}")
    return before, after
