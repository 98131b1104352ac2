# SPDX-License-Identifier: Apache-2.0
"""What do the metrics of a gateway and its engines say? Of the few that count. Pure.

Source: Prometheus, "Exposition formats", text-based format 0.0.4.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_REST = re.compile(
    r"[ \t]*(?:\{(?P<labels>.*)\})?[ \t]+"
    r"(?P<value>[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+|Inf|NaN))(?:[ \t]+-?\d+)?[ \t]*",
    re.ASCII,
)
_LABEL = re.compile(
    r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|$)'
)
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

ONE_ENGINE = "engine"
"""What the gateway of one engine calls its backend; that of several has the engines' names."""
SERVER_STATUS = "haproxy_server_status"
BACKEND_REQUESTS = "haproxy_backend_http_requests_total"
BACKEND_QUEUE = "haproxy_backend_current_queue"
OF_GATEWAY = frozenset({SERVER_STATUS, BACKEND_REQUESTS, BACKEND_QUEUE})
"""Source: addons/promex/README of https://github.com/haproxy/haproxy/tree/v2.6.0."""

_DRAWING = {"path": "/v1/images/generations"}
FAMILIES: dict[str, tuple[tuple[str, Mapping[str, str]], ...]] = {
    "requests": (
        ("vllm:request_success_total", {}),
        ("ttctl_direct_answers_total", {}),
        ("ttctl_sd_requests_total", _DRAWING),
    ),
    "tokens": (
        ("vllm:generation_tokens_total", {}),
        ("ttctl_direct_tokens_total", {"kind": "answer"}),
    ),
    "running": (
        ("vllm:num_requests_running", {}),
        ("ttctl_direct_running", {}),
        ("ttctl_sd_running", {}),
    ),
    "waiting": (
        ("vllm:num_requests_waiting", {}),
        ("ttctl_direct_waiting", {}),
        ("ttctl_sd_waiting", {}),
    ),
}
"""What is shown, to (family, labels that a sample must have) of each engine that counts it.

Source: vllm/v1/metrics/loggers.py of
https://github.com/vllm-project/vllm/tree/0030b9ffce2b2e8b8e9f04a7b108f5877193cec0, and
images/direct, images/sd.
"""
OF_ENGINE = frozenset(name for families in FAMILIES.values() for name, _ in families)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line of metrics."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What an engine counts; None for what it does not."""

    requests: float | None = None
    tokens: float | None = None
    running: float | None = None
    waiting: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An engine as the gateway sees it."""

    service: str
    base: str
    """What stands before the engine's own paths, empty where it is the only one."""
    up: bool
    requests: float
    waiting: float


def samples(text: str, names: frozenset[str]) -> tuple[Sample, ...]:
    """Return the samples of some families; what is not among them is not looked at.

    Values that are no finite numbers from 0 on say nothing, and are left out.

    Raises:
        ValueError: A line of one of them is no sample.
    """
    return tuple(
        sample
        for line in text.split("\n")
        if (sample := _sample(line, names)) and math.isfinite(sample.value) and sample.value >= 0
    )


def _sample(line: str, names: frozenset[str]) -> Sample | None:
    line = line.strip(" \t\r")
    name = _NAME.match(line)
    if name is None or name[0] not in names:
        return None
    rest = _REST.fullmatch(line, name.end())
    if rest is None:
        raise ValueError(line[:200])
    return Sample(
        name=name[0], labels=dict(_labels(rest["labels"] or "")), value=float(rest["value"])
    )


def _labels(text: str) -> Iterator[tuple[str, str]]:
    text, at = text.strip(" \t"), 0
    while at < len(text):
        label = _LABEL.match(text, at)
        if label is None:
            raise ValueError(text[:200])
        yield label[1], re.sub(r"\\.", lambda one: _ESCAPES.get(one[0], one[0]), label[2])
        at = label.end()


def figures(found: Iterable[Sample]) -> Figures:
    """Return what an engine counts: the samples of a family are summed up."""
    kept = tuple(found)
    return Figures(**{what: _sum(kept, families) for what, families in FAMILIES.items()})


def _sum(
    found: tuple[Sample, ...], families: tuple[tuple[str, Mapping[str, str]], ...]
) -> float | None:
    for name, labels in families:
        own = [one for one in found if one.name == name]
        if own:
            return sum(one.value for one in own if labels.items() <= one.labels.items())
    return None


def backends(found: Iterable[Sample]) -> tuple[Backend, ...]:
    """Return the engines behind a gateway, in its order."""
    kept = tuple(found)
    status: dict[tuple[str, str], bool] = {}
    for one in kept:
        if one.name == SERVER_STATUS and {"proxy", "server", "state"} <= one.labels.keys():
            key = (one.labels["proxy"], one.labels["server"])
            is_up = one.labels["state"] == "UP" and one.value == 1
            status[key] = status.get(key, False) or is_up
    return tuple(
        Backend(
            service=server,
            base="" if proxy == ONE_ENGINE else f"/{proxy}",
            up=up,
            requests=_of_proxy(kept, BACKEND_REQUESTS, proxy),
            waiting=_of_proxy(kept, BACKEND_QUEUE, proxy),
        )
        for (proxy, server), up in status.items()
    )


def _of_proxy(found: tuple[Sample, ...], name: str, proxy: str) -> float:
    return sum(one.value for one in found if one.name == name and one.labels.get("proxy") == proxy)
