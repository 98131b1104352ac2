# SPDX-License-Identifier: Apache-2.0
"""Can a stack be said in every form alike? What could mean more than itself is refused. Pure.

What names something is held to that name's letters. What is free text (arguments, environment,
health checks) may be any text but what no program can be given: it comes out byte for byte.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NoReturn

from ttctl.errors import BadFileError
from ttctl.rules.images import REFERENCE
from ttctl.rules.interpolation import pieces
from ttctl.rules.stack import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.service import (
        Card,
        Confinement,
        HealthCheck,
        Mount,
        Scratch,
        ServiceSpec,
        Stack,
    )

_PATH = re.compile(r"(/[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*|/\.[A-Za-z0-9_][A-Za-z0-9._-]*)+")
_SOURCE_TEXT = re.compile(r"[A-Za-z0-9._+@/ -]*")
_USER = re.compile(r"[0-9]{1,10}:[0-9]{1,10}")
_GROUP = re.compile(r"[0-9]{1,10}|\$\{TTCTL_[A-Z0-9_]+\}")
_CAPABILITY = re.compile(r"(?!ALL$)[A-Z][A-Z_]{1,40}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_BOARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")
_CONTRACT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_WHOLE = ("/", "/dev", "/dev/tenstorrent", "/proc", "/sys", "/var/run/docker.sock")
"""Host paths that open more than the stack's own boards and files."""
_CHECKS = ("CMD", "CMD-SHELL")
LONGEST = 131_072
"""Bytes of one argument that Linux passes on, MAX_ARG_STRLEN.

Source: https://man7.org/linux/man-pages/man2/execve.2.html
"""
LEAST_GRACE_S = 120
"""Seconds that whoever has a card gets to end: a kill in the middle leaves the card unusable.

Source: https://github.com/tenstorrent/tt-inference-server/pull/4923
"""


def check_stack(stack: Stack) -> None:
    """Refuse what could not be said alike in a compose file, a script and a unit.

    Raises:
        BadFileError: A field holds more than its kind may; the evidence names it.
    """
    _word(NAME, "the stack", "name", stack.name)
    _number("the stack", "port", stack.port, most=65535)
    _card("the stack", stack)
    _words(NAME, "the stack", "networks", (one.name for one in stack.networks))
    networks = {network.name for network in stack.networks}
    if len({service.name for service in stack.services}) != len(stack.services):
        _refuse("the stack", "services", [one.name for one in stack.services])
    for service in stack.services:
        _service(service, networks)


def _card(where: str, card: Card | Stack) -> None:
    _text(where, "experimental", card.experimental)
    _text(where, "derived_from", card.derived_from)
    _word(_CONTRACT, where, "contract", card.contract)
    _words(_BOARD, where, "boards", card.boards)


def _service(service: ServiceSpec, networks: set[str]) -> None:
    where = f"service {service.name[:48]!r}"
    _word(NAME, where, "name", service.name)
    _word(REFERENCE, where, "image", service.image)
    _free_text(where, service)
    _networks(where, service, networks)
    if service.restart not in {"no", "unless-stopped"}:
        _refuse(where, "restart", service.restart)
    _number(where, "publish", service.publish or 1, most=65535)
    # 0 is no limit to every engine: of an entry on a card that does not say what it takes.
    _number(where, "memory_mib", service.memory_mib, least=0 if service.nodes else 1)
    for field in ("shm_mib", "pids", "tmpfs_mib"):
        _number(where, field, getattr(service, field))
    least = LEAST_GRACE_S if service.nodes else 1
    _number(where, "stop_grace_s", service.stop_grace_s, least=least)
    for field in ("nodes", "first_node"):
        _number(where, field, getattr(service, field), least=0, most=1024)
    if service.card is not None:
        _card(where, service.card)
    _health(where, service.health)
    _confinement(where, service.confinement)
    for mount in service.mounts:
        _mount(where, mount)
    _scratch(where, service)


def _networks(where: str, service: ServiceSpec, networks: set[str]) -> None:
    """Refuse a container with no network, with an unknown one, or with the host's besides."""
    held, named = service.confinement, bool(service.networks)
    if named is held.host_network or not networks.issuperset(service.networks):
        _refuse(where, "networks", list(service.networks))
    if held.host_network and (service.publish or service.host_names):
        _refuse(where, "publish", service.publish or service.host_names)
    _words(NAME, where, "host_names", service.host_names)


def _free_text(where: str, service: ServiceSpec) -> None:
    for field, words in (("entrypoint", service.entrypoint), ("command", service.command)):
        for word in words:
            _text(where, field, word)
    for name, value in service.environment:
        _text(where, f"environment {name}", value)
    given = (*service.environment, *service.place_environment)
    _words(_VARIABLE, where, "environment", (name for name, _ in given))
    for name, value in service.place_environment:
        _text(where, f"environment {name}", "".join(map(str, pieces(value))))


def _health(where: str, health: HealthCheck) -> None:
    if len(health.test) < 2 or health.test[0] not in _CHECKS:  # noqa: PLR2004 - a kind, and words
        _refuse(where, "health", list(health.test))
    if health.test[0] == "CMD-SHELL" and len(health.test) != 2:  # noqa: PLR2004 - as above
        _refuse(where, "health", list(health.test))
    for word in health.test:
        _text(where, "health", word)
    for field in ("interval_s", "timeout_s", "retries"):
        _number(where, f"health {field}", getattr(health, field))
    _number(where, "health start_period_s", health.start_period_s, least=0)


def _confinement(where: str, confinement: Confinement) -> None:
    _word(_USER, where, "user", confinement.user)
    _words(_CAPABILITY, where, "capabilities", confinement.capabilities)
    _words(_GROUP, where, "groups", confinement.groups)
    if confinement.ipc not in {"private", "host"}:
        _refuse(where, "ipc", confinement.ipc)


def _mount(where: str, mount: Mount) -> None:
    _path(where, "mount target", mount.target)
    found = pieces(mount.source)
    text = "".join(one for one in found if isinstance(one, str))
    begins = isinstance(found[0] if found else "", str)
    rooted = not begins or mount.source.startswith(("/", "./"))
    plain = mount.source.rstrip("/") or "/"
    steps = mount.source.split("/")
    bad = plain in _WHOLE or ".." in steps or not _SOURCE_TEXT.fullmatch(text)
    if bad or not rooted or not found:
        _refuse(where, "mount source", mount.source)


def _scratch(where: str, service: ServiceSpec) -> None:
    targets = ["/tmp"]  # noqa: S108 - every container has it
    one: Scratch
    for one in service.scratch:
        _path(where, "scratch target", one.target)
        _number(where, "scratch size_mib", one.size_mib)
        targets.append(one.target)
    targets += [mount.target for mount in service.mounts]
    if len(set(targets)) != len(targets):
        _refuse(where, "targets", targets)


def _path(where: str, field: str, value: str) -> None:
    if not _PATH.fullmatch(value) or ".." in value.split("/"):
        _refuse(where, field, value)


def _words(kind: re.Pattern[str], where: str, field: str, values: Iterable[str]) -> None:
    found = list(values)
    for value in found:
        _word(kind, where, field, value)
    if len(set(found)) != len(found):
        _refuse(where, field, found)


def _word(kind: re.Pattern[str], where: str, field: str, value: str) -> None:
    if not kind.fullmatch(value):
        _refuse(where, field, value)


def _text(where: str, field: str, value: str) -> None:
    """Refuse what no argument can hold, or what a terminal would obey when it is shown."""
    if len(value.encode("utf-8", "replace")) >= LONGEST or any(map(_is_unsafe, value)):
        _refuse(where, field, value)


def _is_unsafe(char: str) -> bool:
    return char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cs"}


def _number(where: str, field: str, value: int, *, least: int = 1, most: int = 1 << 40) -> None:
    if isinstance(value, bool) or not least <= value <= most:
        _refuse(where, field, value)


def _refuse(where: str, field: str, value: object) -> NoReturn:
    raise BadFileError(
        f"The {field} of {where} cannot be rendered: {repr(value)[:160]}.",
        why="It could mean more than itself in a compose file, a script or a unit.",
        evidence=f"{where}, {field}",
        next_step="ttctl render --help",
    )
