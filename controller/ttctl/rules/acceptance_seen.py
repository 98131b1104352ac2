# SPDX-License-Identifier: Apache-2.0
"""Is a running container what was wanted of it? Pure.

What is compared is what the engine says, not what the rendered file says: an override of the
user's, or an engine that ignores a limit, is seen here.
"""

from __future__ import annotations

import re
from posixpath import join, normpath
from typing import TYPE_CHECKING

from ttctl.model.acceptance import Check, Looked
from ttctl.model.container import BOARDS_LABEL, CONTRACT_LABEL
from ttctl.model.service import node_variables
from ttctl.rules.compose import scratch_of
from ttctl.rules.contract import repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.model.acceptance_kit import Seen
    from ttctl.model.lock import Lock
    from ttctl.model.service import ServiceSpec, Stack

MIB = 1 << 20
BIND = "${TTCTL_BIND:-127.0.0.1}"
NO_NEW = "no-new-privileges:true"
_NAMED = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")
_LINE = re.compile(r"^([A-Z][A-Z0-9_]*)='([^']*)'$", re.MULTILINE)


def env_values(text: str) -> dict[str, str]:
    """Return what a rendered folder's .env file says."""
    return dict(_LINE.findall(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its `${VARIABLE}`s filled in as compose does; unknown ones are empty."""
    return _NAMED.sub(
        lambda found: values.get(found[1]) or (found[3] if found[2] == "-" else ""), text
    )


def looked_at(
    stack: Stack, service: ServiceSpec, seen: Seen, *, values: Mapping[str, str], folder: str
) -> tuple[Looked, ...]:
    """Return a check for each thing that was wanted of a container.

    Args:
        stack: What it belongs to.
        service: What was wanted.
        seen: What the engine shows.
        values: Of the rendered folder's .env file.
        folder: The rendered folder, which `./` in a mount means.
    """
    pairs = {
        **_held_in(service, seen, values),
        **_limits(service, seen),
        **_reach(stack, service, seen, values, folder),
    }
    return tuple(
        _looked(f"{service.name}: {name}", wanted, found) for name, (wanted, found) in pairs.items()
    )


def missing(service: ServiceSpec) -> Looked:
    """Return the check of a service that has no running container."""
    return Looked(
        check=Check(name=f"{service.name}: runs", part="contract", outcome="failed"),
        detail="no container of it runs",
    )


def why_not_locked(seen: Seen, lock: Lock) -> str:
    """Return why a container's image is not one of the lock's, empty where it is."""
    named = [one for one in lock.images if one.reference == seen.image]
    if not named:
        return f"{seen.image} is not in the lock"
    for one in named:
        digest = one.reference.partition("@")[2]
        if digest and digest not in seen.digests:
            return f"{seen.image} is here under another digest"
        if not digest and seen.fingerprint and seen.fingerprint != one.fingerprint:
            return f"{seen.image} was made from something else than the lock says"
        # A pulled image is locked by its digest, which stands there without its prefix.
        pulled = f"sha256:{one.fingerprint}" in seen.digests
        if not digest and not seen.fingerprint and not pulled:
            return f"{seen.image} has neither the lock's digest nor its fingerprint"
    return ""


def named_image(listed: str, seen: Seen | None) -> str:
    """Return which image a result names: the catalog's, or the other one that ran in its place.

    Of another one only the last part is told: a mirror's host is a matter of the place.
    """
    if seen is None or seen.fingerprint:
        return listed
    ran = seen.image.partition("@")[0].rpartition("/")[2]
    same = {listed.partition("@")[0].rpartition("/")[2], repository(listed)}
    return listed if ran in same else ran


Pairs = dict[str, tuple[object, object]]


def _held_in(service: ServiceSpec, seen: Seen, values: Mapping[str, str]) -> Pairs:
    confinement = service.confinement
    return {
        "user": (confinement.user, seen.user),
        "root file system": (confinement.read_only, seen.read_only),
        "capabilities dropped": (("ALL",), seen.cap_drop),
        "capabilities kept": (tuple(sorted(confinement.capabilities)), seen.cap_add),
        "not privileged": (False, seen.privileged),
        "new privileges": (not confinement.new_privileges, NO_NEW in seen.security),
        "ipc": (confinement.ipc, seen.ipc),
        "locked memory": (confinement.memlock, seen.memlock),
        "groups": (
            tuple(sorted(filled(one, values) for one in confinement.groups)),
            tuple(sorted(seen.groups)),
        ),
    }


def _limits(service: ServiceSpec, seen: Seen) -> Pairs:
    return {
        "shared memory": (service.shm_mib * MIB, seen.shm_bytes),
        "memory": (service.memory_mib * MIB, seen.memory_bytes),
        "no swap": (service.memory_mib * MIB, seen.swap_bytes),
        "processes": (service.pids, seen.pids),
        "time to stop": (service.stop_grace_s, seen.stop_s),
        "restart": (service.restart, seen.restart),
    }


def _reach(
    stack: Stack, service: ServiceSpec, seen: Seen, values: Mapping[str, str], folder: str
) -> Pairs:
    nodes = (values.get(name, "") for name in node_variables(service))
    mounts = (
        (_source(one.source, values, folder), one.target, one.read_only) for one in service.mounts
    )
    door = filled(BIND, values), stack.port, service.publish
    card = stack.card_of(service)
    labels = {BOARDS_LABEL: ",".join(card.boards), CONTRACT_LABEL: card.contract}
    found = dict(seen.labels)
    return {
        "image": (service.image, seen.image),
        "device nodes": (tuple(sorted(nodes)), seen.nodes),
        "mounts": (tuple(sorted(mounts, key=lambda one: one[1])), seen.mounts),
        "folders in memory": (
            tuple(sorted(one.target for one in scratch_of(service))),
            seen.scratch,
        ),
        "networks": (
            tuple(sorted(f"{stack.project}_{name}" for name in service.networks)),
            seen.networks,
        ),
        "ports": ((door,) if service.publish is not None else (), seen.published),
        "lease": (
            {**labels} if service.nodes else {},
            {name: found[name] for name in labels if name in found},
        ),
    }


def _source(source: str, values: Mapping[str, str], folder: str) -> str:
    return normpath(join(folder, filled(source, values)))


def _looked(name: str, wanted: object, found: object) -> Looked:
    same = wanted == found
    return Looked(
        check=Check(name=name, part="contract", outcome="passed" if same else "failed"),
        detail="" if same else f"wanted {_said(wanted)}, found {_said(found)}",
    )


def _said(value: object) -> str:
    match value:
        case tuple():
            return ", ".join(map(str, _each(value))) or "nothing"
        case _:
            return str(value)


def _each(values: tuple[object, ...]) -> Iterator[object]:
    for value in values:
        yield " ".join(map(str, value)) if isinstance(value, tuple) else value
