# SPDX-License-Identifier: Apache-2.0
"""What a container sees of itself: user, capabilities, limits, namespaces, mounts, environment."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path

CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)  # fmt: skip
"""In the order of their bits.

Source: linux:include/uapi/linux/capability.h.
"""
HUGEPAGES = "/dev/hugepages-1G"
SECRET = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD)(?:$|_)", re.IGNORECASE)


def seen() -> dict[str, object]:
    """Return everything that a test may want to judge."""
    status = _status(Path("/proc/self/status").read_text(encoding="utf-8"))
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    return {
        "argv": sys.argv[1:],
        "user": {"uid": os.geteuid(), "gid": os.getegid(), "groups": sorted(os.getgroups())},
        "capabilities": _names(status["CapEff"]),
        "bounding": _names(status["CapBnd"]),
        "no_new_privileges": status["NoNewPrivs"] == "1",
        "seccomp": status["Seccomp"] != "0",
        "ipc": str(Path("/proc/self/ns/ipc").readlink()),
        "shm_bytes": _size("/dev/shm"),  # noqa: S108 - the folder that is asked about
        "memlock": list(resource.getrlimit(resource.RLIMIT_MEMLOCK)),
        "hugepages": _mount(mounts, HUGEPAGES),
        "root": _mount(mounts, "/"),
        "environment": sorted(os.environ),
        "secrets": sorted(name for name, value in os.environ.items() if value and is_secret(name)),
    }


def is_secret(name: str) -> bool:
    """Return whether a variable's name says that its value is one."""
    return bool(SECRET.search(name)) and not name.endswith("_FILE")


def _status(text: str) -> dict[str, str]:
    return {
        key: value.strip() for key, _, value in (row.partition(":") for row in text.split("\n"))
    }


def _names(mask: str) -> list[str]:
    bits = int(mask, 16)
    return [name for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1]


def _size(path: str) -> int:
    found = os.statvfs(path)
    return found.f_frsize * found.f_blocks


def _mount(mounts: list[list[str]], target: str) -> dict[str, object]:
    """Return kind and options of the last mount at a path."""
    for _, path, kind, options, *_ in reversed(mounts):
        if path == target:
            writable = "rw" in options.split(",")
            return {"mounted": True, "kind": kind, "writable": writable}
    return {"mounted": False, "kind": "", "writable": False}
