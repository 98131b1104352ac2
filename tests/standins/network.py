# SPDX-License-Identifier: Apache-2.0
"""Whom does a command, or any child of it, try to reach? By strace(1), so that nobody is missed."""

from __future__ import annotations

import ipaddress
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLS = "trace=connect,sendto,sendmsg,sendmmsg"
TO = re.compile(
    r"sa_family=AF_INET6?, sin6?_port=htons\((\d+)\)[^}]*?"
    r'(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")'
)
NAME_SERVER = "53"
"""Asking for a name is going out, also where the server stands on this machine."""


def traced(
    *words: str, environ: Mapping[str, str], folder: Path, limit_s: float = 600
) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run the installed program; return how it ended and the addresses beyond this machine."""
    program = Path(sys.executable).with_name("ttctl")
    notes = folder / "strace.txt"
    command = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", CALLS, "-o", str(notes)]
    done = subprocess.run(
        [*command, str(program), *words],
        env=dict(environ),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    found = TO.findall(notes.read_text(encoding="utf-8", errors="replace"))
    outside = {
        f"{four or six}:{port}"
        for port, four, six in found
        if port == NAME_SERVER or not ipaddress.ip_address(four or six).is_loopback
    }
    return done, outside
