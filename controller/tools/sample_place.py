# SPDX-License-Identifier: Apache-2.0
"""A made-up place for renderings: what a .env file says, with a blank and a comma in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "/usr"
"""A folder that is everywhere, as the rendered one."""
VALUES: Mapping[str, str] = {
    "PWD": FOLDER,
    "TTCTL_BIND": "127.0.0.1",
    "TTCTL_CACHE": "/cache of mine/x,y",
    "TTCTL_CLUSTER": "./cluster",
    "TTCTL_ENGINE_SECRETS": "/state/secrets/engine",
    "TTCTL_GROUP": "44",
    "TTCTL_HOSTS": "alpha,beta",
    "TTCTL_HUGEPAGES": "/dev/hugepages-1G",
    "TTCTL_INTERFACE": "eth0",
    **{f"TTCTL_NODE_{n}": f"/dev/tenstorrent/{n}:/dev/tenstorrent/{n}" for n in range(2, 32)},
    "TTCTL_NODE_0": "/dev/tenstorrent/3:/dev/tenstorrent/3",
    "TTCTL_NODE_1": "/dev/tenstorrent/0:/dev/tenstorrent/0",
    "TTCTL_OWNER": "0123456789abcdef",
    "TTCTL_PORT": "8000",
    "TTCTL_SECRETS": "/state/secrets",
    "TTCTL_SHARED": "/mnt/shared by all",
    "TTCTL_WEIGHTS": "/cache/weights",
}
