# SPDX-License-Identifier: Apache-2.0
"""How is a container held in, as seen by the engine and from inside?"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.driver import Json

LIMIT_S = 600
"""Seconds for one command: the largest image has files to look at for a minute and more."""


def inside(container: Json, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "exec", container["Id"], *command],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def has_no_right_that_it_does_not_need(container: Json) -> None:
    host = container["HostConfig"]
    assert container["Config"]["User"] == "1000:1000"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Privileged"] is False
    assert host["IpcMode"] == "private"
    assert host["PidMode"] == ""
    assert host["Init"] is True
    assert not host["Devices"]


def has_no_capability_for_the_kernel_either(container: Json) -> None:
    status = dict(
        line.split(":", 1)
        for line in inside(container, "cat", "/proc/1/status").stdout.splitlines()
    )
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Uid"].split() == ["1000"] * 4
    assert status["Gid"].split() == ["1000"] * 4


def can_write_nothing_outside_tmp(container: Json) -> None:
    assert all(mount["RW"] is False for mount in container["Mounts"])
    for folder in ("/", "/etc", "/usr/local/bin", *(m["Destination"] for m in container["Mounts"])):
        refused = inside(container, "bash", "-c", f"echo x > {folder}/x")
        assert "Read-only file system" in refused.stderr, folder
    assert inside(container, "bash", "-c", "echo x > /tmp/x && rm /tmp/x").returncode == 0


def has_a_limit_for_every_resource(container: Json) -> None:
    host = container["HostConfig"]
    assert 0 < host["Memory"] == host["MemorySwap"]
    assert 0 < host["PidsLimit"] <= 4096
    assert host["ShmSize"] == 64 << 20
    assert host["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-file": "3", "max-size": "10m"},
    }


CHECKS = (
    has_no_right_that_it_does_not_need,
    has_no_capability_for_the_kernel_either,
    can_write_nothing_outside_tmp,
    has_a_limit_for_every_resource,
)
"""What holds for every container, whatever runs in it."""
