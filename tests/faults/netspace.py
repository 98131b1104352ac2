# SPDX-License-Identifier: Apache-2.0
"""A network of a test's own: its addresses, bridges, packet filter and ports are nobody else's.

The kernel takes it away when the last process in it has ended and nobody holds it open.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of linux/sched.h."""
LIBC = ctypes.CDLL(None, use_errno=True)
HERE = "/proc/thread-self/ns/net"


class Netspace:
    """One network namespace, in which a loopback is up."""

    def __init__(self) -> None:
        """Make it; skip where this machine does not permit that."""
        self._handle = -1
        self._refused = ""
        maker = threading.Thread(target=self._make)
        maker.start()
        maker.join()
        if self._refused:
            pytest.skip(f"this machine permits no private network: {self._refused}")

    def _make(self) -> None:
        if LIBC.unshare(NEW_NETWORK):
            self._refused = os.strerror(ctypes.get_errno())
            return
        self._handle = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        words = ["ip", "link", "set", "lo", "up"]
        path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
        subprocess.run(words, env={"PATH": path}, check=True, timeout=20)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be in it: this thread, the threads that it starts, and the processes that they start."""
        before = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self._handle)
            yield
        finally:
            _enter(before)
            os.close(before)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)


def _enter(handle: int) -> None:
    if LIBC.setns(handle, NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
