# SPDX-License-Identifier: Apache-2.0
"""Where a registry answers, the base image is pulled by digest; where none does, it is made."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import docker
import pytest
from tests.standins.place import real_place
from tests.standins.product_images import product_images
from tests.standins.registry import registry as registry_of_our_own

from ttctl.adapters import places
from ttctl.adapters.base_image import decide_base, obtain_base
from ttctl.adapters.sources import read_sources
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker
ENTRY = read_sources(places.catalog()).base
NOBODY = "localhost:9"


@pytest.fixture(scope="module", name="registry")
def _registry() -> Iterator[str]:
    """Yield the address of a registry of our own."""
    with registry_of_our_own() as address:
        yield address


def test_a_registry_that_answers_gives_the_digest_and_the_base_is_pulled_by_it(
    registry: str,
) -> None:
    client = docker.from_env()
    image = client.images.get(product_images()["base"])
    pushed = f"{registry}/library/debian"
    image.tag(pushed, "bookworm-slim")
    client.images.push(pushed, "bookworm-slim")
    digest = client.api.inspect_distribution(f"{pushed}:bookworm-slim")["Descriptor"]["digest"]
    world = real_place()
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
    base = decide_base(ENTRY, site, offline=True)
    assert base.reason.startswith("no registry may be asked")
    assert registry not in base.reason


def test_an_image_that_the_site_names_is_taken_as_it_is() -> None:
    named = f"registry.example.org/base@sha256:{'0' * 64}"
    base = decide_base(
        ENTRY, Site(base_image=Sourced(value=named, source="TTCTL_BASE_IMAGE")), offline=False
    )
    assert (base.origin, base.reference, base.digest) == ("site", named, f"sha256:{'0' * 64}")
    assert "TTCTL_BASE_IMAGE" in base.reason
