# SPDX-License-Identifier: Apache-2.0
"""What does a rendering say of a container? One form for all of them, so that they can be compared.

Nothing here is the product's own code: a rendering is read as the program that it is for reads it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

Pairs = frozenset[tuple[str, str]]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_VARIABLE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?::([?-])([^}]*))?\})?")


NO_LIMIT = "0m"
"""What is said of memory where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A container, as a rendering says it."""

    image: str
    user: str
    read_only: bool
    init: bool
    dropped: tuple[str, ...]
    kept: frozenset[str]
    """Capabilities, without `CAP_`, in capitals."""
    new_privileges: bool
    ipc: str
    pid: str
    """`host`, or empty."""
    restarts: bool
    stop_s: int
    memory: str
    """`1g`, or `NO_LIMIT`."""
    swap: str
    pids: int
    shm: str
    """Empty where the host's own is used: its size is not the container's."""
    memlock: bool
    groups: frozenset[str]
    health: tuple[str, str, str, str, str]
    """One line of a shell, interval, timeout, retries, start period."""
    scratch: frozenset[tuple[str, str, bool]]
    """Target, size, whether code runs from there."""
    mounts: frozenset[tuple[str, str, bool]]
    """Source, target, whether it is read only."""
    devices: tuple[str, ...]
    environment: Pairs
    labels: Pairs
    ports: frozenset[str]
    """ADDRESS:PORT:PORT INSIDE."""
    networks: frozenset[str]
    """`host` for the host's own."""
    host_names: frozenset[str]
    """NAME:host-gateway."""
    entrypoint: bool
    """Whether the image's own is replaced."""
    words: tuple[str, ...]
    """Entrypoint, where it is replaced, and arguments."""


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """Fill in variables as compose does.

    Raises:
        ValueError: A dollar stands alone, or a variable that is needed is not there.
    """

    def one(match: re.Match[str]) -> str:
        dollar, name, how, rest = match.groups()
        if dollar:
            return "$"
        if not name:
            message = f"a dollar stands alone: {text!r}"
            raise ValueError(message)
        found = values.get(name, "")
        if not found and how == "?":
            message = f"{name}: {rest}"
            raise ValueError(message)
        return found or (rest if how == "-" else "")

    return _VARIABLE.sub(one, text)


def said_by_compose(text: str, values: Mapping[str, str]) -> dict[str, Said]:
    """Read a compose file: service to what is said of it."""
    raw = yaml.load(text, Loader=LOADER)  # noqa: S506 - both are safe loaders
    whole = _filled(raw, values)
    names = {name: f"{whole['name']}-{name}" for name in whole["networks"]}
    return {name: _of_body(body, names, values) for name, body in whole["services"].items()}


def _filled(value: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - YAML
    if isinstance(value, str):
        return interpolated(value, values)
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, dict):
        # Compose fills in values, never keys.
        return {key: _filled(one, values) for key, one in value.items()}
    return value


def _of_body(body: dict[str, Any], names: dict[str, str], values: Mapping[str, str]) -> Said:
    health = body["healthcheck"]
    kind, *words = health["test"]
    line = words[0] if kind == "CMD-SHELL" else f"exec {shlex.join(words)}"
    return Said(
        image=whole_name(body["image"]),
        user=body["user"],
        read_only=body["read_only"],
        init=body["init"],
        dropped=tuple(body["cap_drop"]),
        kept=frozenset(body.get("cap_add", ())),
        new_privileges="no-new-privileges:true" not in body["security_opt"],
        ipc=body["ipc"],
        pid=body.get("pid", ""),
        restarts=body["restart"] == "unless-stopped",
        stop_s=int(body["stop_grace_period"].removesuffix("s")),
        memory=body.get("mem_limit", NO_LIMIT),
        swap=body.get("memswap_limit", NO_LIMIT),
        pids=body["pids_limit"],
        shm=body["shm_size"] if body["ipc"] == "private" else "",
        memlock=body.get("ulimits") == {"memlock": {"soft": -1, "hard": -1}},
        groups=frozenset(body.get("group_add", ())),
        health=(
            line,
            health["interval"],
            health["timeout"],
            str(health["retries"]),
            health["start_period"],
        ),
        scratch=frozenset(scratch(one) for one in body["tmpfs"]),
        mounts=frozenset(
            (placed(one["source"], values), one["target"], one["read_only"])
            for one in body["volumes"]
        ),
        devices=tuple(body.get("devices", ())),
        environment=frozenset(body["environment"].items()),
        labels=frozenset(body["labels"].items()),
        ports=frozenset(
            f"{one['host_ip']}:{one['published']}:{one['target']}/{one['protocol']}"
            for one in body.get("ports", ())
        ),
        networks=frozenset(
            {body["network_mode"]}
            if "network_mode" in body
            else (names[one] for one in body["networks"])
        ),
        host_names=frozenset(body.get("extra_hosts", ())),
        entrypoint="entrypoint" in body,
        words=(*body.get("entrypoint", ()), *body.get("command", ())),
    )


def placed(source: str, values: Mapping[str, str]) -> str:
    """Return a source from the root on."""
    return values["PWD"] + source[1:] if source.startswith("./") else source


def scratch(text: str) -> tuple[str, str, bool]:
    """Read `TARGET:OPTIONS`; code does not run from there unless `exec` is said."""
    target, _, rest = text.partition(":")
    options = rest.split(",")
    size = next(one for one in options if one.startswith("size="))
    if not {"nosuid", "nodev", "mode=1777"} <= set(options):
        message = f"not held in: {text!r}"
        raise ValueError(message)
    return target, size, "exec" in options


def whole_name(image: str) -> str:
    """Return an image's whole name: what Docker means by a short one."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"
