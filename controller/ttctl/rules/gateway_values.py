# SPDX-License-Identifier: Apache-2.0
"""What does the gateway of a stack with a card let through, and how does it ask? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.gateway_routes import ANY, Behind, around
from ttctl.rules.launch_values import LIVENESS, health_of, needs_key, reaches
from ttctl.rules.served_paths import served_paths
from ttctl.rules.stack import service_name

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.service import ServiceDefaults
    from ttctl.model.spec import ModelSpec


def gateway_values(
    spec: ModelSpec, contract: LaunchContract, *, gateway: ServiceDefaults
) -> dict[str, object]:
    """Return what compose/gateway/haproxy.cfg.j2 is rendered with.

    Only what the entry's server has passes: of a media server, what its model is for.

    Older media images know other paths than the documented ones, and do not say what they serve;
    the gateway makes that up, so that a client need not know which image answers.
    """
    behind = behind_card(spec, contract)
    return {
        "engine": behind.name,
        "engine_port": behind.port,
        "on_host": any(one.what == "host network" for one in contract.exemptions),
        "paths": [path for path in behind.paths if ANY not in path],
        "patterns": [around(path) for path in behind.paths if ANY in path],
        "old_prefixes": list(behind.old_prefixes),
        "liveness": behind.liveness,
        "sends_key": behind.sends_key,
        "model": "" if behind.says_models else behind.serves,
        "max_body_bytes": contract.max_body_bytes,
        "retry_after_s": gateway.retry_after_s,
    }


def behind_card(spec: ModelSpec, contract: LaunchContract) -> Behind:
    """Return what the gateway has to know of an engine on a card."""
    has_own_prefixes = reaches(spec, contract, contract.prefixes_since)
    return Behind(
        name=service_name(spec.engine),
        port=contract.port,
        paths=served_paths(spec, contract),
        models=() if spec.engine == "direct" else (spec.model,),
        serves=spec.model,
        says_models=reaches(spec, contract, contract.models_since),
        liveness=health_of(spec, contract)[0] == LIVENESS[0],
        sends_key=needs_key(spec, contract),
        old_prefixes=() if has_own_prefixes else tuple(contract.old_prefixes),
    )
