# SPDX-License-Identifier: Apache-2.0
"""Several engines behind one gateway: whom does a request mean? Pure.

A prefix says it (`/NAME/v1/...`); else the path, where one engine alone has it; else the `model` of
the body, while the body fits the gateway's buffer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.service import ServiceDefaults

T = TypeVar("T")
Pairs = tuple[tuple[str, str], ...]

ANY = "*"
LISTS = "/v1/models"
"""The gateway's own answer: what every engine that is ready serves."""
RESERVED = frozenset({"v1", "health", "livez", "gateway", "metrics", "engine", "stack"})
"""First parts of the gateway's own paths, and names that its configuration uses otherwise."""
HEADER_BYTES = 15360
"""What is left for headers of HAProxy's usual buffer: 16384 bytes less 1024 to rewrite them.

Source: https://docs.haproxy.org/2.6/configuration.html#tune.bufsize and #tune.maxrewrite
"""
BODY_BYTES = 256 * 1024
"""Up to which size a body's model is read."""
BUFFER_BYTES = BODY_BYTES + HEADER_BYTES + 1024
CONNECTIONS = 1024
"""At most, at once; further ones wait to be accepted."""
MEMORY_MIB = 640
"""The limit of the gateway's container before several engines. It takes what is sent, not this."""
BUFFERS = MEMORY_MIB * 2**20 // 2 // BUFFER_BYTES
"""How many fit into half of that memory.

Who sends a large head or body slowly fills one: without an end the container would be killed for
want of memory, with every answer under way. There are more than connections, since a stranger's
head holds one before its key is seen, and who waits for one is sent away when his head's time ends.

Source: https://docs.haproxy.org/2.6/configuration.html#tune.buffers.limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """An engine behind the gateway."""

    name: str
    """Of its container, and of its prefix."""
    port: int
    paths: tuple[str, ...]
    """Those that the gateway lets through; `*` stands for one identifier."""
    open_paths: tuple[str, ...] = ()
    """Those of them that need no key, since they hold nothing of anybody: a page for example."""
    models: tuple[str, ...] = ()
    """Names that a body's `model` may say."""
    says_models: bool = True
    """Whether it answers /v1/models itself."""
    serves: str = ""
    """The model's name where `models` does not say it; two engines may serve one model."""
    liveness: bool = False
    """Whether /tt-liveness says if it is ready, in place of /health."""
    sends_key: bool = False
    """Whether it refuses requests without a key of its own."""
    old_prefixes: Pairs = ()
    """(path as documented, path of the engine)."""


def several_values(
    engines: Sequence[Behind], *, gateway: ServiceDefaults, max_body_bytes: int
) -> dict[str, object]:
    """Return what compose/gateway/haproxy.cfg.j2 is rendered with for several engines.

    Args:
        engines: In the order in which they are told apart.
        gateway: How the gateway is launched.
        max_body_bytes: The largest body that is passed on to anybody.

    Raises:
        UsageError: Two of them cannot be told apart.
    """
    _check(engines)
    alone, shared = _alone(engines), _shared(engines)
    return {
        "several": [_engine(one) for one in engines],
        "paths": _once([LISTS, *(path for one in engines for path in _plain(one))]),
        "patterns": _once(around(path) for one in engines for path in one.paths if ANY in path),
        "open_paths": [path for one in engines for path in _open(one)],
        "lone_paths": [(path, name) for path, name in alone if ANY not in path],
        "lone_patterns": [(*around(path), name) for path, name in alone if ANY in path],
        "shared_paths": [(path, names) for path, names in shared if ANY not in path],
        "shared_patterns": [(*around(path), names) for path, names in shared if ANY in path],
        "buffer_bytes": BUFFER_BYTES,
        "connections": CONNECTIONS,
        "buffers": BUFFERS,
        "max_body_bytes": max_body_bytes,
        "retry_after_s": gateway.retry_after_s,
    }


def around(path: str) -> tuple[str, str]:
    """Return what stands before and behind a path's identifier."""
    before, _, after = path.partition(f"/{ANY}")
    return before, after


def _engine(one: Behind) -> dict[str, object]:
    return {
        "name": one.name,
        "engine_port": one.port,
        "paths": _plain(one),
        "patterns": [around(path) for path in one.paths if ANY in path],
        "models": list(one.models),
        "names": _once([*one.models, *([one.serves] if one.serves else [])]),
        "model": "" if one.says_models else one.serves or one.models[0],
        "liveness": one.liveness,
        "sends_key": one.sends_key,
        "old_prefixes": list(one.old_prefixes),
    }


def _open(one: Behind) -> list[str]:
    return [path for plain in one.open_paths for path in (plain, f"/{one.name}{plain}")]


def _plain(one: Behind) -> list[str]:
    return [path for path in one.paths if ANY not in path and path != LISTS]


def _alone(engines: Sequence[Behind]) -> list[tuple[str, str]]:
    """Return the paths that one engine alone has, each with its name."""
    count = Counter(path for one in engines for path in set(one.paths))
    return [
        (path, one.name)
        for one in engines
        for path in one.paths
        if count[path] == 1 and path != LISTS
    ]


def _shared(engines: Sequence[Behind]) -> list[tuple[str, list[str]]]:
    """Return the paths that several engines have, each with their names."""
    owners = {
        path: [one.name for one in engines if path in one.paths]
        for one in engines
        for path in one.paths
        if path != LISTS
    }
    return [(path, names) for path, names in owners.items() if len(names) > 1]


def _check(engines: Sequence[Behind]) -> None:
    names = Counter(one.name for one in engines)
    models = Counter(model for one in engines for model in set(one.models))
    twice = [name for each in (names, models) for name, count in each.items() if count > 1]
    reserved = sorted(RESERVED & set(names))
    if not twice and not reserved:
        return
    raise UsageError(
        "Engines behind one gateway cannot be told apart.",
        why=f"The name {reserved[0]!r} is the gateway's own."
        if reserved
        else f"{twice[0]!r} is the name of two of them.",
        evidence=f"Engines: {', '.join(names)}; models: {', '.join(models) or 'none'}.",
        next_step="ttctl up MODEL --name OTHER   # a stack, and a gateway, of its own",
    )


def _once(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
