# SPDX-License-Identifier: Apache-2.0
"""Are the clock, the certificates and every address of a place known before anything is asked?"""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import at

from ttctl.adapters import places
from ttctl.adapters.place_vitals import place_vitals
from ttctl.adapters.sources import read_sources
from ttctl.model.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.health import PlaceVitals

SOURCES = read_sources(places.catalog())
ALONE: dict[str, Any] = {
    "pip_no_index": at("1"),
    "hub_offline": at("1"),
    "base_image": at("registry.example.org/base:1"),
}
"""Settings with which nothing is asked but the public git hosts."""


def look(**settings: Any) -> PlaceVitals:  # noqa: ANN401
    return place_vitals(Site(**settings), SOURCES, now=time.time())


def named(found: PlaceVitals) -> dict[str, str]:
    return {one.name: one.url or one.path for one in found.destinations}


def test_the_clock_is_later_than_this_installation() -> None:
    found = look(**ALONE)
    assert abs(found.now - time.time()) < 60
    assert 0 < found.installed <= found.now + 60
    assert found.synchronised in {True, False, None}


def test_a_place_without_settings_goes_to_the_public_hosts() -> None:
    found = {one.name: one for one in look(pip_index_url=at("https://i.example.org")).destinations}
    assert found["image registry"].url == f"https://{SOURCES.base.image.partition('/')[0]}/v2/"
    assert found["image registry"].source == "sources.toml"
    assert found["model hub"].url.startswith("https://")
    assert found["package index"].setting == "pip_index_url"


def test_every_setting_leads_somewhere() -> None:
    found = look(
        http_proxy=at("http://proxy.example.org:3128"),
        https_proxy=at("http://proxy.example.org:3128"),
        pip_index_url=at("https://i.example.org/simple"),
        pip_extra_index_urls=(at("https://j.example.org/simple"),),
        wheelhouses=(at("file:///not%20there"), at("https://w.example.org/wheels")),
        apt_sources=(
            at("deb http://m.example.org/debian bookworm main"),
            at("deb [trusted=yes] http://m.example.org/debian bookworm-updates main"),
            at("deb file:///srv/mirror bookworm main"),
        ),
        registry=at("127.0.0.1:5000"),
        git_mirror=(at("https://g.example.org/"),),
        hub_endpoint=at("https://h.example.org"),
    )
    assert [(one.name, one.url or one.path) for one in found.destinations if one.name != "x"] == [
        ("proxy", "http://proxy.example.org:3128"),
        ("package index", "https://i.example.org/simple"),
        ("index 2", "https://j.example.org/simple"),
        *((f"index {name}", url) for name, url in SOURCES.index.items()),
        ("wheelhouse", "/not there"),
        ("wheelhouse", "https://w.example.org/wheels"),
        ("package mirror", "http://m.example.org/debian"),
        ("image registry", "http://127.0.0.1:5000/v2/"),
        ("git mirror", "https://g.example.org/"),
        ("model hub", "https://h.example.org"),
    ]
    assert not next(one for one in found.destinations if one.path).here


def test_what_is_switched_off_is_not_gone_to() -> None:
    assert set(named(look(**ALONE))) <= {"git host"}


def test_a_wheelhouse_that_is_there_is_seen(tmp_path: Path) -> None:
    found = look(**ALONE, wheelhouses=(at(str(tmp_path)),))
    assert next(one for one in found.destinations if one.name == "wheelhouse").here


def test_a_setting_that_names_no_address_is_told_and_ends_nothing() -> None:
    found = look(**ALONE, git_mirror=(at("nonsense"),))
    assert "git_mirror" in found.refusal
    assert found.destinations == ()


def test_a_bundle_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    assert "no certificate" in look(**ALONE, ca_bundle=at("/dev/null")).ca_error
    broken = tmp_path / "ca.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")
    assert look(**ALONE, ca_bundle=at(str(broken))).ca_error


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_certificates_are_counted_with_those_that_are_past_or_before_their_time(
    tmp_path: Path,
) -> None:
    bundle = tmp_path / "ca.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    names = ["-subj", "/CN=x", "-keyout", "/dev/null", "-out", str(bundle)]
    subprocess.run([*command, *names], capture_output=True, check=True)
    site = Site(**ALONE, ca_bundle=at(str(bundle)))
    year = 366 * 86_400

    def counted(now: float) -> tuple[int, int, int]:
        found = place_vitals(site, SOURCES, now=now)
        return found.certificates, found.expired, found.not_yet

    assert counted(time.time() + 60) == (1, 0, 0)
    assert counted(time.time() + year) == (1, 1, 0)
    assert counted(time.time() - year) == (1, 0, 1)
