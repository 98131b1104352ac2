# SPDX-License-Identifier: Apache-2.0
"""The base image comes from the place's registry: below a path, behind a login, by its CA."""

from __future__ import annotations

import os
import secrets
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker
import pytest
from tests.standins.authority import Authority
from tests.standins.place import bridge_address
from tests.standins.product_images import product_images
from tests.standins.registry import door, registry
from tests.standins.traces import command_lines
from tests.standins.weights import Notes

from ttctl.adapters import places
from ttctl.adapters.base_image import decide_base, obtain_base, pull
from ttctl.adapters.docker_engine import DockerEngine
from ttctl.adapters.registry import find_prebuilt
from ttctl.adapters.registry_layers import BuildxRegistry
from ttctl.adapters.sources import read_sources
from ttctl.errors import OfflineError, PrivilegeError
from ttctl.model.site import Site, Sourced
from ttctl.rules.pull_room import pull_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

ENTRY = read_sources(places.catalog()).base
FOLDER = "mirror/hub"
PASSWORD = f"canary{secrets.token_hex(10)}"


@dataclass(frozen=True, kw_only=True)
class Published:
    """The base image in a registry."""

    address: str
    digest: str
    image: str
    """The engine's id of it."""


def at(value: str) -> Sourced:
    return Sourced(value=value, source="TTCTL_REGISTRY")


def named(address: str) -> Site:
    return Site(registry=at(f"{address}/{FOLDER}"))


def forget(*references: str) -> None:
    for reference in references:
        with suppress(docker.errors.ImageNotFound):
            docker.from_env().images.remove(reference)


@pytest.fixture(scope="module")
def published() -> Iterator[Published]:
    client = docker.from_env()
    image = client.images.get(product_images()["base"])
    with registry() as address:
        pushed = f"{address}/{FOLDER}/library/debian"
        image.tag(pushed, "bookworm-slim")
        client.images.push(pushed, "bookworm-slim")
        found = client.api.inspect_distribution(f"{pushed}:bookworm-slim")["Descriptor"]["digest"]
        forget(f"{pushed}:bookworm-slim")
        yield Published(address=address, digest=found, image=image.id)


@pytest.fixture
def no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep docker's logins of this user out, and those of the test in a folder of its own."""
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def log_in(address: str, password: str) -> bool:
    words = ["docker", "login", "--username=me", "--password-stdin", address]
    done = subprocess.run(words, input=password, text=True, capture_output=True, check=False)
    return done.returncode == 0


def test_a_mirror_below_a_path_gives_the_digest_and_the_image(published: Published) -> None:
    base = decide_base(ENTRY, named(published.address), offline=False)
    assert (base.origin, base.digest) == ("registry", published.digest)
    assert base.source == f"{published.address}/{FOLDER}/library/debian:bookworm-slim"
    pulled = f"{published.address}/{FOLDER}/library/debian@{published.digest}"
    try:
        obtain_base(base, ENTRY.release, named(published.address), Notes())
        assert docker.from_env().images.get(base.reference).id == published.image
        # The twin: offline the same image is found again, and no registry is asked.
        again = decide_base(ENTRY, named("127.0.0.1:9"), offline=True)
        assert (again.origin, again.reference, again.digest) == (
            "registry",
            base.reference,
            published.digest,
        )
    finally:
        forget(base.reference, pulled)
    assert decide_base(ENTRY, Site(registry=at(published.address)), offline=False).digest == ""


@pytest.mark.usefixtures("no_login")
def test_a_mirror_behind_a_login_gives_to_those_who_are_logged_in(published: Published) -> None:
    with door(published.address, login=f"me:{PASSWORD}") as (address, asked):
        with pytest.raises(PrivilegeError, match="does not give") as refused:
            decide_base(ENTRY, named(address), offline=False)
        assert refused.value.next_step == f"docker login {address}"
        assert not log_in(address, "wrong")
        assert log_in(address, PASSWORD)
        with command_lines() as commands:
            base = decide_base(ENTRY, named(address), offline=False)
            pulled = f"{address}/{FOLDER}/library/debian@{published.digest}"
            try:
                obtain_base(base, ENTRY.release, named(address), Notes())
                assert docker.from_env().images.get(base.reference).id == published.image
            finally:
                forget(base.reference, pulled)
    assert base.digest == published.digest
    assert PASSWORD not in repr(base)
    assert not [one for one in commands if PASSWORD in one]
    assert any(f"/v2/{FOLDER}/library/debian/manifests/" in one for one in asked)


@pytest.mark.usefixtures("no_login")
def test_a_mirror_with_a_ca_of_its_own_is_believed_by_it_and_the_engine_says_what_it_needs(
    published: Published, tmp_path: Path
) -> None:
    address, authority = bridge_address(), Authority(tmp_path)
    tls = authority.server(address)
    with door(published.address, address=address, tls=tls) as (mirror, asked):
        with pytest.raises(OfflineError, match="The certificate of the registry") as refused:
            decide_base(ENTRY, named(mirror), offline=False)
        assert f"/etc/docker/certs.d/{mirror}/ca.crt" in refused.value.next_step
        assert asked == []
        site = Site(registry=named(mirror).registry, ca_bundle=at(str(authority.bundle)))
        base = decide_base(ENTRY, site, offline=False)
        assert base.digest == published.digest
        # The engine pulls, and trusts what its own folder holds.
        with pytest.raises(OfflineError, match="The certificate of the registry"):
            obtain_base(base, ENTRY.release, site, Notes())


def test_a_validated_image_is_found_by_its_digest_pulled_and_known_to_be_here(
    published: Published,
) -> None:
    site = named(published.address)
    found = find_prebuilt("registry.example.org/library/debian:bookworm-slim", site)
    assert (found.state, found.digest, found.user) == ("there", published.digest, "root")
    layers = BuildxRegistry().layers(found.pulled_as, site)
    names = tuple(one.name for one in layers)
    # The engine has the very same layers, of what was pushed there.
    assert names in DockerEngine(os.environ).layers()
    assert 1_000_000 < sum(one.size_bytes for one in layers) < 1_000_000_000
    assert pull_bytes(layers, [names]) == 0
    try:
        pull(found.pulled_as, Notes(), name=found.reference)
        assert DockerEngine(os.environ).has_image(found.pulled_as)
        config = DockerEngine(os.environ).config_of(found.reference)
        assert config is not None
        assert config.user == "root"
        assert found.pulled_as in config.digests
    finally:
        forget(found.reference, found.pulled_as)
    assert not DockerEngine(os.environ).has_image(found.pulled_as)
    assert DockerEngine(os.environ).config_of(found.pulled_as) is None
    # The twins: a tag that is not there, and a registry that does not answer.
    absent = find_prebuilt("registry.example.org/library/debian:gone", site)
    assert (absent.state, absent.digest) == ("absent", "")
    silent = find_prebuilt("registry.example.org/library/debian:gone", named("127.0.0.1:9"))
    assert silent.state == "silent"
