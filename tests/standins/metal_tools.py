# SPDX-License-Identifier: Apache-2.0
"""An image with the tools that tt-metal's own Dockerfile would install: git, Python, uv."""

from __future__ import annotations

import secrets
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.standins.place import real_place
from tests.standins.product_images import product_images

from ttctl.model.image import ImageSpec
from ttctl.rules.images import site_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = "git python3 python3-pip python3-venv"


@contextmanager
def metal_tools() -> Iterator[str]:
    """Build it at the real place for the length of a block; yield its name."""
    base = product_images()["base"]
    world = real_place()
    image = ImageSpec(
        name="metal-tools",
        reference=f"ttctl-test/metal-tools:{secrets.token_hex(4)}",
        fingerprint="0",
        parent=base,
        dockerfile=f"FROM {base}\nRUN {site_mounts()} with-site apt-get update"
        f" && with-site apt-get install -y --no-install-recommends {TOOLS}"
        " && with-site pip install --break-system-packages uv\n",
        files=(),
    )
    try:
        world.builder.build(image, world.reporter)
        yield image.reference
    finally:
        subprocess.run(["docker", "rmi", image.reference], capture_output=True, check=False)
