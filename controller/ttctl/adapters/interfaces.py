# SPDX-License-Identifier: Apache-2.0
"""By which addresses do other machines reach this one? Asked of the kernel; nothing is sent."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from contextlib import suppress
from pathlib import Path

SIOCGIFADDR = 0x8915
"""Source: Linux, include/uapi/linux/sockios.h"""
NET = Path("/sys/class/net")
ROUTES = Path("/proc/net/route")
ANYWHERE = "00000000"
"""The destination of a default route. Source: Linux, net/ipv4/fib_trie.c, fib_route_seq_show"""


def addresses() -> tuple[str, ...]:
    """Return the first IPv4 address of each interface, those first that default routes leave by.

    Bridges are left out, unless such a route leaves by one: container engines make them, new ones
    with each stack, and no other machine knows their addresses. A published port is IPv4's alone.
    """
    every = [name for _, name in socket.if_nameindex()]
    first = [name for name in _ways_out() if name in every]
    names = [*first, *(name for name in every if not (NET / name / "bridge").exists())]
    told = dict.fromkeys(map(_of, names))
    return tuple(one for one in told if one and not ipaddress.ip_address(one).is_loopback)


def _of(name: str) -> str:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        told = fcntl.ioctl(asked, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        return socket.inet_ntoa(told[20:24])
    return ""


def _ways_out() -> list[str]:
    """Return the interfaces by which the kernel's table has a default route."""
    with suppress(OSError, UnicodeDecodeError):
        rows = [line.split() for line in ROUTES.read_text(encoding="ascii").splitlines()]
        return [row[0] for row in rows if row[1:2] == [ANYWHERE]]
    return []
