# SPDX-License-Identifier: Apache-2.0
"""Does an engine that does not answer hang, is it slow, or is it not there? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.gateway import OK
from ttctl.rules.live_metrics import SERVER_STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ttctl.model.gateway import Health
    from ttctl.rules.live_metrics import Figures, Sample

SLOW_S = 1.0
"""The gateway looks at its engine every second: one that needs longer is behind."""
CHECK_STATUS = "haproxy_server_check_status"
CHECK_CODE = "haproxy_server_check_code"
CHECK_S = "haproxy_server_check_duration_seconds"
SINCE_S = "haproxy_server_check_last_change_seconds"
OF_CHECKS = frozenset({SERVER_STATUS, CHECK_STATUS, CHECK_CODE, CHECK_S, SINCE_S})
"""Source: addons/promex/README of https://github.com/haproxy/haproxy/tree/v2.6.0; seen with 2.6."""
CUT_OFF_S = 5
"""A connection to a container beside it takes no second, however busy the machine is."""
HUNG = "hung"
CUT_OFF = "cut-off"
SLOW = "slow"
NO_TOKEN = "no-token"  # noqa: S105 - of text
LIVE = "ttctl status --live {stack}"
UP = "ttctl up {stack}"
LOGS = "ttctl logs {stack} {service} --tail 100"
AGAIN = "ttctl restart {stack}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How a service does not answer as it should."""

    service: str
    failure: str
    """`hung`, `slow`, `cut-off`, `no-token`, or what else it is."""
    cause: str
    evidence: str
    next_step: str
    """Takes {stack} and {service}."""


def of_checks(found: Iterable[Sample]) -> Iterator[Silence]:
    """Yield what the gateway's own checks say of each engine that does not pass them."""
    kept = tuple(found)
    for one in kept:
        if (one.name, one.labels.get("state"), one.value) == (SERVER_STATUS, "DOWN", 1):
            yield _of_check(kept, one.labels.get("proxy", ""), one.labels.get("server", ""))


def _of_check(found: tuple[Sample, ...], proxy: str, service: str) -> Silence:
    own = [
        one
        for one in found
        if (one.labels.get("proxy"), one.labels.get("server")) == (proxy, service)
    ]
    values = {one.name: one.value for one in own}
    said = next((one.labels.get("state", "") for one in own if _is_check(one)), "")
    code, took_s, since_s = (int(values.get(name, 0)) for name in (CHECK_CODE, CHECK_S, SINCE_S))
    failure, cause, step = {
        "L7TOUT": (
            HUNG,
            f"{service} hangs: it takes the gateway's checks, and has no answer in {took_s} s",
            AGAIN,
        ),
        "L4TOUT": (
            CUT_OFF if since_s >= CUT_OFF_S else "unreachable",
            f"the gateway does not reach {service}: the network between them carries nothing",
            UP,
        ),
        "L4CON": ("refuses", f"{service} refuses connections: its server is not up", LOGS),
        "L7STS": ("ill", f"{service} answers the gateway's checks with HTTP {code}", LOGS),
    }.get(said, ("unreachable", f"{service} does not pass the gateway's checks", LOGS))
    return Silence(
        service=service,
        failure=failure,
        cause=cause,
        evidence=f"the gateway's check of {service}: {said or 'none yet'}; down for {since_s} s",
        next_step=step,
    )


def _is_check(one: Sample) -> bool:
    return one.name == CHECK_STATUS and one.value == 1


def of_health(health: Health, service: str) -> Silence | None:
    """Return what the answer to GET /health says; None for one that came in time.

    Args:
        health: What came.
        service: The stack's own engine.
    """
    if health.status == OK:
        if health.seconds < SLOW_S:
            return None
        return Silence(
            service=service,
            failure=SLOW,
            cause=f"{service} answers slowly: GET /health took {health.seconds:.1f} s",
            evidence=f"GET /health: 200 after {health.seconds:.1f} s",
            next_step=LIVE,
        )
    if health.status:
        return Silence(
            service=service,
            failure="ill",
            cause=f"{service} works, and is not ready for the gateway (HTTP {health.status})",
            evidence=f"GET /health: {health.status} after {health.seconds:.1f} s",
            next_step="ttctl wait {stack}",
        )
    if health.taken and health.seconds < SLOW_S:
        return Silence(
            service="gateway",
            failure="ill",
            cause="the gateway breaks off before it answers GET /health",
            evidence=f"GET /health: broken off after {health.seconds:.1f} s",
            next_step=LOGS,
        )
    if health.taken:
        return Silence(
            service=service,
            failure=HUNG,
            cause=f"{service} hangs: it took GET /health, and had no answer in "
            f"{health.seconds:.0f} s",
            evidence=f"GET /health: taken, no answer after {health.seconds:.1f} s",
            next_step=AGAIN,
        )
    return Silence(
        service="gateway",
        failure="refuses",
        cause="the gateway runs, and takes no connection on its port",
        evidence=f"GET /health: no connection after {health.seconds:.1f} s",
        next_step=LOGS,
    )


def of_figures(service: str, before: Figures, after: Figures, *, seconds: float) -> Silence | None:
    """Return what it says that an engine made no token between two looks; None where it did.

    A hang is not told from the reading of a long prompt: neither makes a token.
    """
    same = (before.tokens, before.requests) == (after.tokens, after.requests)
    if not before.running or not after.running or before.tokens is None or not same:
        return None
    return Silence(
        service=service,
        failure=NO_TOKEN,
        cause=f"{service} has requests and made no token in {seconds:.0f} s: it hangs, or reads a "
        "long prompt",
        evidence=f"{after.running:.0f} running, {after.waiting or 0:.0f} waiting; "
        f"{before.tokens:.0f} tokens at both looks",
        next_step=LIVE,
    )
