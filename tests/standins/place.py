# SPDX-License-Identifier: Apache-2.0
"""The product at a place that a test describes, and builds there by the product's own builder."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.standins.product_images import product_images
from tests.standins.traces import docker

from ttctl.cli.session import Flags, Session
from ttctl.model.image import ImageRecipe, ImageSpec
from ttctl.rules.images import git_mount, site_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

    from ttctl.model.protocols import World

LIMIT_S = 120
OF_A_PLACE = ("PIP_", "TTCTL_", "SSL_CERT", "HF_", "REQUESTS_CA", "CURL_CA", "GIT_", "XDG_")

INSTALL = """\
FROM {{ parent }} AS build
COPY requirements.txt /requirements.txt
RUN {{ site_mounts }} --mount=type=bind,source=wheelhouse,target=/wheelhouse \\
    with-site pip install --no-deps --require-hashes --find-links /wheelhouse --target /made \
--requirement /requirements.txt

FROM BASE
COPY --from=build /made /made
"""
"""Take what the requirements name from the place; only that is in the image."""


def alone(folder: Path) -> dict[str, str]:
    """Return this process's variables without what its own place says, and folders of a test's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OF_A_PLACE) and not name.lower().endswith("_proxy")
    }
    own = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("STATE", "CONFIG", "CACHE")}
    return {**kept, **own, "PIP_CONFIG_FILE": "/dev/null", "GIT_CONFIG_GLOBAL": "/dev/null"}


def real_place() -> World:
    """Return the product where this machine really is, for what comes from its mirrors."""
    return Session(Flags(quiet=True)).world


def settle(monkeypatch: pytest.MonkeyPatch, folder: Path, place: Mapping[str, str]) -> World:
    """Wire the product at a place that says nothing but `place`."""
    product_images()
    environ = {**alone(folder), **place}
    for name in os.environ.keys() - environ.keys():
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return real_place()


def run(*words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the installed program at a place of the test's own, from a folder that is no project."""
    program = Path(sys.executable).with_name("ttctl")
    return subprocess.run(
        [str(program), *words],
        env=dict(environ),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def bridge_address() -> str:
    """Return where a step of a build finds this machine."""
    (bridge,) = json.loads(docker("network", "inspect", "bridge"))
    name = bridge["Options"]["com.docker.network.bridge.name"]
    # Docker 20.10 leaves the address out where it made the bridge since it was started.
    done = subprocess.run(
        ["ip", "-json", "-4", "address", "show", "dev", name],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    found: str = json.loads(done.stdout)[0]["addr_info"][0]["local"]
    return found


@contextmanager
def built(world: World, template: str, *, parent: str, requirements: str = "") -> Iterator[str]:
    """Build an image by the product's own builder; remove it afterwards."""
    images = product_images()
    recipe = ImageRecipe(
        name="canary",
        description="",
        parent=parent,
        template=template.replace("FROM BASE\n", f"FROM {images['base']}\n"),
        files=(),
        wheelhouse=True,
    )
    values = {"parent": images[parent], "site_mounts": site_mounts(), "git_mount": git_mount()}
    image = ImageSpec(
        name="canary",
        reference=f"ttctl-test/canary:{secrets.token_hex(4)}",
        fingerprint="0" * 64,
        parent=values["parent"],
        dockerfile=world.recipes.render(recipe, values),
        files=(("requirements.txt", requirements, False),),
        wheelhouse=bool(requirements),
    )
    try:
        world.builder.build(image, world.reporter)
        yield image.reference
    finally:
        subprocess.run(["docker", "rmi", image.reference], capture_output=True, check=False)


def listed(image: str, folder: str) -> list[str]:
    """Return the names in a folder of an image."""
    return docker("run", "--rm", "--network=none", "--entrypoint=ls", image, folder).split()
