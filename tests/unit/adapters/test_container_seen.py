# SPDX-License-Identifier: Apache-2.0
"""Is what the engine says of a container read in its own shape?"""

from __future__ import annotations

from typing import Any

import pytest

from ttctl.adapters.container_seen import seen_in

CONTAINER: dict[str, Any] = {
    "Image": f"sha256:{'b' * 64}",
    "Config": {
        "Image": "registry.example.org/a:1",
        "User": "1000:1000",
        "StopTimeout": 120,
        "Labels": {"dev.ttctl.service": "vllm", "dev.ttctl.boards": "0100"},
    },
    "HostConfig": {
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": ["CAP_SETGID", "CHOWN"],
        "SecurityOpt": ["no-new-privileges"],
        "IpcMode": "host",
        "ShmSize": 67108864,
        "Memory": 4294967296,
        "MemorySwap": 4294967296,
        "PidsLimit": 512,
        "Ulimits": [{"Name": "memlock", "Hard": -1, "Soft": -1}],
        "GroupAdd": ["990"],
        "Devices": [
            {
                "PathOnHost": "/dev/tenstorrent/3",
                "PathInContainer": "/dev/tenstorrent/3",
                "CgroupPermissions": "rwm",
            }
        ],
        "Tmpfs": {"/tmp": "size=64m"},  # noqa: S108
        "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]},
        "RestartPolicy": {"Name": "no"},
    },
    "Mounts": [
        {"Type": "bind", "Source": "/w", "Destination": "/models", "RW": False},
        {"Type": "tmpfs", "Source": "", "Destination": "/tmp", "RW": True},  # noqa: S108
    ],
    "NetworkSettings": {"Networks": {"ttctl-llama_back": {}}},
}
IMAGE = {"RepoDigests": [f"registry.example.org/a@sha256:{'a' * 64}"]}


def test_everything_that_is_compared_is_read() -> None:
    seen = seen_in(CONTAINER, IMAGE)
    assert (seen.service, seen.user, seen.ipc) == ("vllm", "1000:1000", "host")
    assert (seen.cap_drop, seen.cap_add) == (("ALL",), ("CHOWN", "SETGID"))
    assert seen.security == ("no-new-privileges:true",)
    assert seen.nodes == ("/dev/tenstorrent/3:/dev/tenstorrent/3",)
    assert seen.mounts == (("/w", "/models", True),)
    assert seen.scratch == ("/tmp",)  # noqa: S108
    assert seen.published == (("127.0.0.1", 8000, 8080),)
    assert (seen.networks, seen.restart) == (("ttctl-llama_back",), "no")
    assert (seen.stop_s, seen.memlock, seen.groups) == (120, True, ("990",))
    assert (seen.shm_bytes, seen.memory_bytes, seen.pids) == (64 << 20, 4 << 30, 512)
    assert seen.digests == (f"sha256:{'a' * 64}", f"sha256:{'b' * 64}")
    assert dict(seen.labels)["dev.ttctl.boards"] == "0100"


def test_what_an_engine_leaves_out_is_its_own_default() -> None:
    bare = {
        "Image": "sha256:1",
        "Config": {"Image": "x", "Labels": None},
        "HostConfig": {"Ulimits": None},
        "NetworkSettings": {},
    }
    seen = seen_in(bare, {})
    assert (seen.stop_s, seen.restart, seen.ipc) == (10, "no", "private")
    assert (seen.nodes, seen.mounts, seen.networks, seen.published) == ((), (), (), ())
    assert not seen.memlock


def test_what_has_not_the_shape_is_no_container() -> None:
    with pytest.raises(KeyError):
        seen_in({"Config": {}}, {})
