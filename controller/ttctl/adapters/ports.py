# SPDX-License-Identifier: Apache-2.0
"""Who holds a port? From /proc: psutil would be a compiled dependency for one table."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from errno import EADDRINUSE
from typing import TYPE_CHECKING

from ttctl.model.container import ENGINE_ENDED, PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LISTENS = "0A"
"""State of a listening socket. Source: Linux, include/net/tcp_states.h"""

PROXY = "docker-proxy"
_PUBLISHERS = frozenset({PROXY, "dockerd", "rootlesskit", "rootlessport", "conmon"})
"""Programs that hold a port for a container."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the kernel's table of sockets."""

    address: Address
    port: int
    listens: bool
    uid: int
    inode: str


def port_holder(address: str, port: int, *, proc: Path) -> str | None:
    """Return who holds a port of this machine, None where a server could take it.

    The port is bound for a moment, as a server would. Where this user may not bind it (below
    1024), or the address is no address of this machine, only the kernel's table is asked.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            unseen = "a process that cannot be seen here" if error.errno == EADDRINUSE else None
            return named_holder(address, port, proc=proc) or unseen
    return None


def named_holder(address: str, port: int, *, proc: Path) -> str | None:
    """Return who holds a port by the kernel's table, None where the table has nobody."""
    wanted = ipaddress.ip_address(address)
    rows = [row for row in _rows(proc) if row.port == port and _clash(row.address, wanted)]
    if not rows:
        return None
    row = max(rows, key=lambda one: one.listens)
    pid = _pid_of_socket(proc, row.inode)
    if pid is not None:
        return _named(proc, pid, _command(proc, pid))
    publisher = _publisher(proc, port)
    if publisher is not None:
        return _named(proc, publisher, PROXY)
    if row.uid == os.getuid():
        return "a process that cannot be seen here"
    return f"another user's process (uid {row.uid})"


def _named(proc: Path, pid: str, command: str) -> str:
    name = f"pid {pid} ({command})"
    # In a container the engine itself may be the first process.
    if command == PROXY and _parent(proc, pid) == "1" and _command(proc, "1") != "dockerd":
        return f"{name}, {ENGINE_ENDED}"
    return f"{name}, {PUBLISHED}" if command in _PUBLISHERS else name


def _command(proc: Path, pid: str) -> str:
    return _text(proc / pid / "comm").strip()


def _parent(proc: Path, pid: str) -> str:
    """Return a process's parent. Source: Linux, proc_pid_stat(5): behind the name in brackets."""
    words = _text(proc / pid / "stat").rpartition(")")[2].split()
    return words[1] if len(words) > 1 else ""


def _rows(proc: Path) -> Iterator[_Row]:
    for name in ("tcp", "tcp6"):
        for line in _text(proc / "net" / name).splitlines()[1:]:
            words = line.split()
            where, _, port = words[1].partition(":")
            yield _Row(
                address=_address(where),
                port=int(port, 16),
                listens=words[3] == _LISTENS,
                uid=int(words[7]),
                inode=words[9],
            )


def _address(text: str) -> Address:
    """Read an address as the kernel prints it: words of 32 bits, lowest byte first."""
    raw = bytes.fromhex(text)
    found = ipaddress.ip_address(b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4)))
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _clash(held: Address, wanted: Address) -> bool:
    return held == wanted or held.is_unspecified or wanted.is_unspecified


def _pids(proc: Path) -> list[str]:
    return sorted((path.name for path in proc.iterdir() if path.name.isdigit()), key=int)


def _pid_of_socket(proc: Path, inode: str) -> str | None:
    """Return the process that has the socket open, None where this user may not see it."""
    for pid in _pids(proc) if inode != "0" else []:
        try:
            opened = list((proc / pid / "fd").iterdir())
        except OSError:
            continue
        if any(_link(path) == f"socket:[{inode}]" for path in opened):
            return pid
    return None


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _publisher(proc: Path, port: int) -> str | None:
    """Return the docker-proxy of a port by its arguments, which everybody may read."""
    for pid in _pids(proc):
        words = _text(proc / pid / "cmdline").split("\0")
        if not words[0].endswith("docker-proxy") or "-host-port" not in words:
            continue
        if words[words.index("-host-port") + 1 :][:1] == [str(port)]:
            return pid
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
