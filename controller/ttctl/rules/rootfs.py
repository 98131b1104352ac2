# SPDX-License-Identifier: Apache-2.0
"""How is a base image made from a distribution's packages? The same by `up` and by hand. Pure."""

from __future__ import annotations

LEFT_OUT = (
    "./var/cache/apt/*", "./var/lib/apt/lists/*", "./var/log/*", "./usr/share/doc/*",
    "./usr/share/man/*", "./usr/share/info/*", "./usr/share/locale/*", "./etc/apt/sources.list",
    "./etc/hostname", "./etc/resolv.conf", "./dev/*", "./proc/*", "./sys/*",
)  # fmt: skip
"""Not taken into the image: what no program reads, and what is peculiar to the place."""

DEBOOTSTRAP = ("debootstrap", "--variant=minbase")

PACKING = (
    "--sort=name", "--mtime=@0", "--numeric-owner", *(f"--exclude={path}" for path in LEFT_OUT)
)  # fmt: skip
"""How tar packs what debootstrap unpacked."""
