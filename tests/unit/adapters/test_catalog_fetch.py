# SPDX-License-Identifier: Apache-2.0
"""Does a catalog come whole, encrypted and in time, and is every failure told as what it is?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.authority import Authority
from tests.standins.catalog_server import CatalogServer, catalog_server
from tests.standins.proxy import InterceptingProxy

from ttctl.adapters.catalog_fetch import REDIRECTS, fetch
from ttctl.errors import BadFileError, OfflineError, PrivilegeError, TtctlError
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b'{"a": 1}'


@pytest.fixture
def server() -> Iterator[CatalogServer]:
    with catalog_server(one=BODY) as here:
        yield here


def at(value: str) -> Sourced:
    return Sourced(value=value, source="a test")


def test_what_comes_has_its_etag_and_an_unchanged_one_does_not_come_again(
    server: CatalogServer,
) -> None:
    first = fetch(server.url("/one"), Site())
    assert (first.data, first.etag[:1]) == (BODY, '"')
    again = fetch(server.url("/one"), Site(), etag=first.etag)
    assert again.data is None
    assert [etag for _, etag in server.asked] == ["", first.etag]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        pytest.param("404", BadFileError, "There is no catalog", id="not there"),
        pytest.param("401", PrivilegeError, "does not let this user", id="a login is missing"),
        pytest.param("403", PrivilegeError, "does not let this user", id="forbidden"),
        pytest.param("500", OfflineError, "could not be fetched", id="broken"),
        pytest.param("429", OfflineError, "could not be fetched", id="too often"),
        pytest.param("html", OfflineError, "could not be fetched", id="a web page"),
        pytest.param("packed", OfflineError, "could not be fetched", id="packed"),
        pytest.param("short", OfflineError, "could not be fetched", id="cut off"),
        pytest.param("huge", BadFileError, "too large", id="its length says it, and is believed"),
    ],
)
def test_an_answer_that_is_no_catalog_is_said_as_what_it_is(
    server: CatalogServer, fault: str, kind: type[TtctlError], said: str
) -> None:
    server.faults["/one"] = fault
    with pytest.raises(kind, match=said) as refused:
        fetch(server.url("/one"), Site())
    assert refused.value.evidence
    assert refused.value.next_step.startswith("ttctl ")


def test_more_than_the_limit_is_not_read_and_exactly_the_limit_is(server: CatalogServer) -> None:
    assert fetch(server.url("/one"), Site(), limit_bytes=len(BODY)).data == BODY
    with pytest.raises(BadFileError, match="too large"):
        fetch(server.url("/one"), Site(), limit_bytes=len(BODY) - 1)


def test_a_server_that_drips_is_given_up_at_the_limit_of_all_of_it(server: CatalogServer) -> None:
    server.faults["/one"] = "drip"
    started = time.monotonic()
    with pytest.raises(OfflineError, match="could not be fetched") as refused:
        fetch(server.url("/one"), Site(), answer_s=0.5)
    assert time.monotonic() - started < 3
    assert "0.5 s" in refused.value.evidence


def test_a_port_where_nobody_listens_is_no_traceback() -> None:
    with pytest.raises(OfflineError, match="could not be fetched"):
        fetch("http://127.0.0.1:9/one", Site())


@pytest.mark.parametrize("url", ["https://[::1/one", "https://h:99999/x", "https://\udc00/x"])
def test_an_address_that_is_none_is_no_traceback(url: str) -> None:
    with pytest.raises(TtctlError):
        fetch(url, Site(https_proxy=at("http://127.0.0.1:9")), answer_s=5)


def test_a_plain_address_elsewhere_is_refused_unless_the_site_names_that_mirror() -> None:
    away = Site(http_proxy=at("http://127.0.0.1:9"))
    with pytest.raises(BadFileError, match="may not be used"):
        fetch("http://mirror.example.com/one", away)
    with pytest.raises(BadFileError, match="may not be used"):
        fetch("http://mirror.example.com/one", away, plain="http://other.example.com/")
    with pytest.raises(OfflineError, match="could not be fetched"):
        fetch("http://mirror.example.com/one", away, plain="http://me:pw@mirror.example.com/")


def test_a_redirect_on_the_same_machine_is_followed_and_an_endless_one_is_not(
    server: CatalogServer,
) -> None:
    server.faults["/moved"] = "/one"
    assert fetch(server.url("/moved"), Site()).data == BODY
    server.faults["/round"] = "/round"
    with pytest.raises(OfflineError) as refused:
        fetch(server.url("/round"), Site())
    assert f"more than {REDIRECTS} times" in refused.value.evidence
    assert len([path for path, _ in server.asked if path == "/round"]) == REDIRECTS + 1


def test_a_redirect_to_a_plain_address_elsewhere_is_refused(server: CatalogServer) -> None:
    server.faults["/moved"] = "http://elsewhere.example.com/one"
    with pytest.raises(BadFileError, match="may not be used") as refused:
        fetch(server.url("/moved"), Site())
    assert "redirects there" in refused.value.why


def test_a_place_without_a_network_asks_only_this_machine(server: CatalogServer) -> None:
    site = Site(offline=at("1"))
    assert fetch(server.url("/one"), site).data == BODY
    with pytest.raises(OfflineError, match="may not be asked for"):
        fetch("https://catalogs.example.com/one", site)


def test_no_refusal_shows_a_password(server: CatalogServer) -> None:
    server.faults["/one?token=canary"] = "401"
    with pytest.raises(PrivilegeError) as refused:
        fetch(f"http://me:canary@127.0.0.1:{server.port}/one?token=canary", Site())
    assert "canary" not in repr(vars(refused.value))


@pytest.fixture
def proxy(tmp_path: Path, server: CatalogServer) -> Iterator[InterceptingProxy]:
    """Lead to the server by a made-up name, behind a certificate of the company's own."""
    with InterceptingProxy(Authority(tmp_path), login="me:canary") as one:
        one.hosts["catalogs.example.com"] = (server.port, None)
        yield one


def behind(proxy: InterceptingProxy) -> Site:
    ca = at(str(proxy.authority.bundle))
    return Site(https_proxy=at(proxy.url), http_proxy=at(proxy.url), ca_bundle=ca)


def test_it_comes_through_the_sites_proxy_by_the_sites_certificates(
    server: CatalogServer, proxy: InterceptingProxy
) -> None:
    assert fetch("https://catalogs.example.com/one", behind(proxy)).data == BODY
    assert proxy.asked == ["CONNECT catalogs.example.com:443"]
    assert [path for path, _ in server.asked] == ["/one"]


def test_a_certificate_that_nobody_here_vouches_for_is_said_with_the_setting(
    proxy: InterceptingProxy,
) -> None:
    with pytest.raises(OfflineError, match="not trusted by the setting 'ca_bundle'"):
        fetch("https://catalogs.example.com/one", replace(behind(proxy), ca_bundle=None))


@pytest.mark.parametrize(
    "target", ["http://catalogs.example.com/one", "https://127.0.0.1/one", "http://127.0.0.1/one"]
)
def test_an_encrypted_address_redirects_neither_to_a_plain_one_nor_to_this_machine(
    server: CatalogServer, proxy: InterceptingProxy, target: str
) -> None:
    server.faults["/moved"] = target
    plain = "http://catalogs.example.com/"
    with pytest.raises(BadFileError, match="may not be used"):
        fetch("https://catalogs.example.com/moved", behind(proxy), plain=plain)
    assert [path for path, _ in server.asked] == ["/moved"]


def test_the_mirror_that_a_setting_names_may_be_plain(
    server: CatalogServer, proxy: InterceptingProxy
) -> None:
    plain = "http://catalogs.example.com/"
    assert fetch(f"{plain}one", behind(proxy), plain=plain).data == BODY
    assert server.asked[0][0] == "/one"
