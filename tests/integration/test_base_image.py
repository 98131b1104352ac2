# SPDX-License-Identifier: Apache-2.0
"""Where a registry answers, the base image is pulled by digest; where none does, it is made."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import docker
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy
from tests.standins.product_images import product_images

from ttctl.adapters import places
from ttctl.adapters.base_image import decide_base, obtain_base
from ttctl.adapters.sources import read_sources
from ttctl.cli.session import Flags, Session
from ttctl.model.image import ImageSpec
from ttctl.model.site import Site, Sourced
from ttctl.rules.images import site_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker
ENTRY = read_sources(places.catalog()).base
NOBODY = "localhost:9"
CONFIG = (
    r"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /tmp/registry\n"
    r"http:\n  addr: :5000\n"
)


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """Yield the address of a registry of our own, from the distribution's package."""
    base = product_images()["base"]
    name = f"ttctl-test/registry:{secrets.token_hex(4)}"
    world = Session(Flags(quiet=True)).world
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
            yield f"localhost:{container.get_exposed_port(5000)}"
    finally:
        docker.from_env().images.remove(name, force=True)


def test_a_registry_that_answers_gives_the_digest_and_the_base_is_pulled_by_it(
    registry: str,
) -> None:
    client = docker.from_env()
    image = client.images.get(product_images()["base"])
    pushed = f"{registry}/library/debian"
    image.tag(pushed, "bookworm-slim")
    client.images.push(pushed, "bookworm-slim")
    digest = client.api.inspect_distribution(f"{pushed}:bookworm-slim")["Descriptor"]["digest"]
    world = Session(Flags(quiet=True)).world
    site = Site(registry=Sourced(value=registry, source="test"))
    client.images.remove(f"{pushed}:bookworm-slim")

    base = decide_base(ENTRY, site, offline=False)
    try:
        assert (base.origin, base.digest) == ("registry", digest)
        obtain_base(base, ENTRY.release, site, world.reporter)
        assert client.images.get(base.reference).id == image.id
    finally:
        for name in (base.reference, f"{pushed}@{digest}"):
            with suppress(docker.errors.ImageNotFound):
                client.images.remove(name)


def test_where_no_registry_answers_the_base_is_bootstrapped_and_its_digest_unresolved() -> None:
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{NOBODY}/v2/", timeout=5)
    site = Site(registry=Sourced(value=NOBODY, source="test"))
    base = decide_base(ENTRY, site, offline=False)
    assert (base.origin, base.digest) == ("bootstrapped", "")
    assert NOBODY in base.reason


def test_an_offline_site_asks_no_registry(registry: str) -> None:
    site = Site(registry=Sourced(value=registry, source="test"))
    assert decide_base(ENTRY, site, offline=True).origin == "bootstrapped"


def test_an_image_that_the_site_names_is_taken_as_it_is() -> None:
    named = f"registry.example.org/base@sha256:{'0' * 64}"
    base = decide_base(
        ENTRY, Site(base_image=Sourced(value=named, source="TTCTL_BASE_IMAGE")), offline=False
    )
    assert (base.origin, base.reference, base.digest) == ("site", named, f"sha256:{'0' * 64}")
    assert "TTCTL_BASE_IMAGE" in base.reason
