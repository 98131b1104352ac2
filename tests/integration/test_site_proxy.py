# SPDX-License-Identifier: Apache-2.0
"""Behind a proxy that looks into TLS all goes on, with its CA; without it, it is said what to set.

The hosts are made up: no name server knows them, so only the proxy leads there.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins.authority import Authority
from tests.standins.fake_hub import FakeHub
from tests.standins.git_server import git_server, publish
from tests.standins.index import index_of, pinned, write_wheel
from tests.standins.place import INSTALL, bridge_address, built, listed, settle
from tests.standins.proxy import InterceptingProxy
from tests.standins.weights import FILES, TINY, Notes
from tests.standins.weights import publish as publish_weights

from ttctl.adapters.git import head
from ttctl.adapters.hub import HuggingFace
from ttctl.adapters.reach import reaches, why_not
from ttctl.adapters.weights import LocalWeights
from ttctl.errors import BuildError, OfflineError
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HUB, CDN, FORGE, INDEX = (f"{name}.example.org" for name in ("hub", "cdn", "forge", "index"))
LOGIN = f"me:{secrets.token_hex(8)}"


def at(value: str) -> Sourced:
    return Sourced(value=value, source="test")


@pytest.fixture
def world_outside(tmp_path: Path) -> Authority:
    """Return who signs for the hosts themselves; only the proxy trusts it."""
    return Authority(tmp_path, "world")


@pytest.fixture
def hub(world_outside: Authority) -> Iterator[FakeHub]:
    with FakeHub(tls=world_outside.server(HUB, CDN), cdn=f"https://{CDN}") as one:
        publish_weights(one)
        yield one


@pytest.fixture
def proxy(tmp_path: Path, world_outside: Authority, hub: FakeHub) -> Iterator[InterceptingProxy]:
    with InterceptingProxy(Authority(tmp_path, "company"), login=LOGIN) as one:
        for host, port in zip((HUB, CDN), hub.ports, strict=True):
            one.hosts[host] = (port, world_outside.client())
        yield one


@pytest.fixture
def site(proxy: InterceptingProxy) -> Site:
    return Site(
        http_proxy=at(proxy.url),
        https_proxy=at(proxy.url),
        ca_bundle=at(str(proxy.authority.bundle)),
        hub_endpoint=at(f"https://{HUB}"),
    )


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


def test_weights_come_through_the_proxy(
    site: Site, proxy: InterceptingProxy, tmp_path: Path
) -> None:
    store = LocalWeights(cache=tmp_path / "cache", bundled=lambda _: tmp_path, hub=HuggingFace)
    locked = store.resolve(TINY, site)
    store.fetch(locked, site, Notes())
    assert {one: (store.path(locked) / one).read_bytes() for one in FILES} == FILES
    assert {f"CONNECT {HUB}:443", f"CONNECT {CDN}:443"} == set(proxy.asked)


@pytest.mark.parametrize("trusted", ["nobody", "another authority"])
def test_without_the_proxys_ca_the_hub_is_refused_with_the_setting_that_is_missing(
    site: Site, world_outside: Authority, trusted: str
) -> None:
    other = at(str(world_outside.bundle)) if trusted == "another authority" else None
    with pytest.raises(OfflineError, match="is not trusted by 'ca_bundle'") as refused:
        HuggingFace(replace(site, ca_bundle=other)).snapshot(TINY)
    assert "TTCTL_CA_BUNDLE" in refused.value.next_step
    assert LOGIN not in repr(vars(refused.value))


def test_without_the_proxy_nothing_is_found(site: Site) -> None:
    with pytest.raises(OfflineError):
        HuggingFace(replace(site, https_proxy=None)).snapshot(TINY)


def test_a_wrong_password_of_the_proxy_is_said_as_such_and_not_shown(
    site: Site, proxy: InterceptingProxy
) -> None:
    wrong = replace(site, https_proxy=at(proxy.url.replace(LOGIN, "me:canary")))
    with pytest.raises(OfflineError) as refused:
        HuggingFace(wrong).snapshot(TINY)
    assert "407" in refused.value.evidence
    assert "canary" not in repr((vars(refused.value), str(refused.value.__cause__)))
    assert "407" in why_not(f"https://{HUB}/", wrong)


def test_whether_a_host_is_reached_depends_on_the_ca_and_the_answer_names_the_setting(
    site: Site, world_outside: Authority
) -> None:
    assert reaches(f"https://{HUB}/", site)
    for other in (None, at(str(world_outside.bundle))):
        reason = why_not(f"https://{HUB}/", replace(site, ca_bundle=other))
        assert "certificate is not trusted" in reason
        assert "ca_bundle" in reason
    assert not reaches("https://unknown.example.org/", site)


def test_git_asks_through_the_proxy(
    site: Site, proxy: InterceptingProxy, world_outside: Authority, tmp_path: Path
) -> None:
    commit = publish(tmp_path, "one")
    with git_server(tmp_path, tls=world_outside.server(FORGE)) as (port, _):
        proxy.hosts[FORGE] = (port, world_outside.client())
        assert head(f"https://{FORGE}/one.git", "main", site) == commit
        with pytest.raises(OfflineError, match="is not trusted by the setting 'ca_bundle'") as no:
            head(f"https://{FORGE}/one.git", "main", replace(site, ca_bundle=None))
    assert f"CONNECT {FORGE}:443" in proxy.asked
    assert LOGIN not in repr(vars(no.value))


@pytest.mark.docker
def test_a_step_of_a_build_installs_through_the_proxy_with_its_ca_and_not_without(
    world_outside: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path / "wheels", "wanted", f"MADE = {secrets.token_hex(8)!r}\n")
    company = Authority(tmp_path, "company")
    with (
        index_of(wheel.parent, tls=world_outside.server(INDEX)) as (port, asked),
        InterceptingProxy(company, address=bridge_address(), login=LOGIN) as proxy,
    ):
        proxy.hosts[INDEX] = (port, world_outside.client())
        place = {"https_proxy": proxy.url, "PIP_INDEX_URL": f"https://{INDEX}/simple"}
        named = {**place, "TTCTL_CA_BUNDLE": str(company.bundle)}
        here = settle(monkeypatch, tmp_path, named)
        with built(here, INSTALL, parent="torch", requirements=pinned(wheel)) as image:
            assert "wanted.py" in listed(image, "/made")
        assert "GET /files/wanted-1.0-py3-none-any.whl" in asked
        there = settle(monkeypatch, tmp_path, place)
        again = INSTALL.replace(
            "pip install", f"pip --retries=0 install --cache-dir={secrets.token_hex(4)}"
        )
        with pytest.raises(BuildError) as refused:  # noqa: SIM117
            with built(there, again, parent="torch", requirements=pinned(wheel)):
                pass
    assert "ca_bundle" in refused.value.why, refused.value.evidence
    assert "TTCTL_CA_BUNDLE" in refused.value.next_step
    assert LOGIN not in repr(vars(refused.value))
