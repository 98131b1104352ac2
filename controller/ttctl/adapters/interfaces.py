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
SOMEWHERE = ("192.0.2.1", 9)
"""An address of documentation, RFC 5737: whichever way it lies, other machines lie that way."""
NET = Path("/sys/class/net")


def addresses() -> tuple[str, ...]:
    """Return the first IPv4 address of each interface, and the one that answers leave by.

    Bridges are left out, unless that is one: container engines make them, new ones with each
    stack, and no other machine knows their addresses. A published port is IPv4's alone.
    """
    names = [name for _, name in socket.if_nameindex() if not (NET / name / "bridge").exists()]
    told = dict.fromkeys((_way_out(), *map(_of, names)))
    return tuple(one for one in told if one and not ipaddress.ip_address(one).is_loopback)


def _of(name: str) -> str:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        told = fcntl.ioctl(asked, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        return socket.inet_ntoa(told[20:24])
    return ""


def _way_out() -> str:
    """Return the address that a datagram to another machine would have; to connect sends none."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(SOMEWHERE)
        return str(asked.getsockname()[0])
    return ""
