# SPDX-License-Identifier: Apache-2.0
"""An image registry of a test's own, from the distribution's package, and a door before it."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import docker
from docker.errors import ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy
from tests.standins.place import real_place
from tests.standins.product_images import product_images
from tests.standins.web import Handler, serving

from ttctl.model.image import ImageSpec
from ttctl.rules.images import site_mounts

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

CONFIG = (
    r"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /tmp/registry\n"
    r"http:\n  addr: :5000\n"
)
PASSED_ON = ("Content-Type", "Docker-Content-Digest", "Docker-Distribution-Api-Version")


@contextmanager
def registry() -> Iterator[str]:
    """Start it for the length of a block; yield its address, `localhost:PORT`."""
    base = product_images()["base"]
    name = f"ttctl-test/registry:{secrets.token_hex(4)}"
    world = real_place()
    recipe = (
        f"FROM {base}\nRUN {site_mounts()} with-site apt-get update"
        " && with-site apt-get install -y --no-install-recommends docker-registry\n"
        f"RUN printf '{CONFIG}' >/registry.yml\n"
    )
    image = ImageSpec(
        name="registry", reference=name, fingerprint="0", parent=base, dockerfile=recipe, files=()
    )
    world.builder.build(image, world.reporter)
    testcontainers_config.ryuk_disabled = True
    container = (
        DockerContainer(name)
        .with_command("docker-registry serve /registry.yml")
        .with_exposed_ports(5000)
        .waiting_for(HttpWaitStrategy(5000, "/v2/").for_status_code(200))
    )
    try:
        with container:
            address = f"localhost:{container.get_exposed_port(5000)}"
            yield address
            _forget(address)
    finally:
        docker.from_env().images.remove(name, force=True)


def _forget(address: str) -> None:
    """Remove the names that pulls from a registry left in the engine: nobody answers to them."""
    images = docker.from_env().images
    for image in images.list():
        for name in (*image.tags, *image.attrs["RepoDigests"]):
            if name.startswith(f"{address}/"):
                # The last tag takes the digest along.
                with suppress(ImageNotFound):
                    images.remove(name)


class _Door(Handler):
    behind: str

    def do_GET(self) -> None:  # noqa: N802 - the library's word
        if not self.admitted():
            return
        accept = self.headers.get("Accept", "*/*")
        request = urllib.request.Request(
            f"http://{self.behind}{self.path}", headers={"Accept": accept}, method=self.command
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as found:  # noqa: S310 - its own
                body, status, headers = found.read(), found.status, found.headers
        except urllib.error.HTTPError as error:
            with error:
                body, status, headers = error.read(), error.code, error.headers
        kept = {name: headers[name] for name in PASSED_ON if name in headers}
        length = headers.get("Content-Length", str(len(body)))
        self.answer(status, body, {**kept, "Content-Length": length})

    do_HEAD = do_GET  # noqa: N815


@contextmanager
def door(
    behind: str, *, login: str = "", address: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Let only those who know the login read from a registry; yield the address, and what was."""

    class Door(_Door):
        pass

    Door.behind, Door.login, Door.asked = behind, login, []
    with serving(Door, address=address, tls=tls) as port:
        yield f"{address}:{port}", Door.asked
