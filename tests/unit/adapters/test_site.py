# SPDX-License-Identifier: Apache-2.0
"""Are this place's peculiarities found, and does what was given win?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.site import check_ca, detect
from ttctl.errors import BadFileError
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from pathlib import Path

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def find(
    folder: Path,
    environ: dict[str, str] | None = None,
    settings: dict[str, Sourced] | None = None,
) -> Site:
    return detect(
        environ or {},
        root=folder / "root",
        home=folder / "home",
        prefix=folder / "venv",
        settings=settings or {},
    )


def pip_conf(folder: Path, *lines: str) -> str:
    file = folder / "root/etc/pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    return str(file)


def test_a_machine_without_any_of_this_has_an_empty_site(tmp_path: Path) -> None:
    assert find(tmp_path) == Site()


@pytest.mark.parametrize(
    ("environ", "field", "expected"),
    [
        pytest.param(
            {"HTTP_PROXY": "http://a.example.org:1"},
            "http_proxy",
            ("http://a.example.org:1", "HTTP_PROXY"),
            id="upper case",
        ),
        pytest.param(
            {"https_proxy": "http://a.example.org:1", "HTTPS_PROXY": "http://b.example.org:1"},
            "https_proxy",
            ("http://a.example.org:1", "https_proxy"),
            id="lower case first",
        ),
        pytest.param(
            {"https_proxy": " ", "HTTPS_PROXY": "http://b.example.org:1"},
            "https_proxy",
            ("http://b.example.org:1", "HTTPS_PROXY"),
            id="empty says nothing",
        ),
        pytest.param(
            {"ALL_PROXY": "http://c.example.org:1"},
            "http_proxy",
            ("http://c.example.org:1", "ALL_PROXY"),
            id="one for all",
        ),
        pytest.param(
            {"HTTP_PROXY": "c.example.org:1"},
            "http_proxy",
            ("http://c.example.org:1", "HTTP_PROXY"),
            id="without a scheme",
        ),
        pytest.param(
            {"NO_PROXY": "localhost,.example.org"},
            "no_proxy",
            ("localhost,.example.org", "NO_PROXY"),
            id="exceptions",
        ),
        pytest.param(
            {"HF_ENDPOINT": "https://hub.example.org"},
            "hub_endpoint",
            ("https://hub.example.org", "HF_ENDPOINT"),
            id="hub",
        ),
        pytest.param(
            {"HF_HUB_OFFLINE": "TRUE"}, "hub_offline", ("1", "HF_HUB_OFFLINE"), id="hub offline"
        ),
        pytest.param({"HF_HUB_OFFLINE": "0"}, "hub_offline", None, id="hub not offline"),
        pytest.param(
            {"HF_HUB_OFFLINE": "1"}, "offline", None, id="an offline hub says nothing of the rest"
        ),
    ],
)
def test_variables_of_the_host_are_honoured(
    tmp_path: Path, environ: dict[str, str], field: str, expected: tuple[str, str] | None
) -> None:
    found = getattr(find(tmp_path, environ), field)
    assert found == (Sourced(value=expected[0], source=expected[1]) if expected else None)


def test_pips_proxy_serves_where_no_variable_does(tmp_path: Path) -> None:
    file = pip_conf(tmp_path, "proxy = p.example.org:3128")
    site = find(tmp_path, {"HTTPS_PROXY": "http://v.example.org:1"})
    assert site.http_proxy == Sourced(value="http://p.example.org:3128", source=file)
    assert site.https_proxy == Sourced(value="http://v.example.org:1", source="HTTPS_PROXY")


def test_the_pip_configuration_becomes_indexes_hosts_and_wheelhouses(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "simple/numpy").mkdir(parents=True)
    file = pip_conf(
        tmp_path,
        "index-url = https://i.example.org/simple",
        f"extra-index-url = {(tmp_path / 'simple').as_uri()} https://e.example.org/simple",
        f"find-links = {tmp_path / 'wheels'} https://w.example.org/",
        "trusted-host = i.example.org e.example.org",
    )
    site = find(tmp_path)
    assert site == Site(
        pip_index_url=Sourced(value="https://i.example.org/simple", source=file),
        pip_extra_index_urls=(Sourced(value="https://e.example.org/simple", source=file),),
        pip_trusted_hosts=(
            Sourced(value="i.example.org", source=file),
            Sourced(value="e.example.org", source=file),
        ),
        wheelhouses=(
            Sourced(value=str(tmp_path / "wheels"), source=file),
            Sourced(value="https://w.example.org/", source=file),
            Sourced(value=str(tmp_path / "simple"), source=file),
        ),
    )


@pytest.mark.parametrize(
    ("extra", "index", "no_index"),
    [
        pytest.param("", None, "1", id="alone: no index is asked"),
        pytest.param(
            "extra-index-url = https://e.example.org",
            "https://e.example.org",
            None,
            id="beside an address: that one is the index",
        ),
    ],
)
def test_a_folder_as_the_index_never_turns_into_the_public_one(
    tmp_path: Path, extra: str, index: str | None, no_index: str | None
) -> None:
    (tmp_path / "simple").mkdir()
    pip_conf(tmp_path, f"index-url = {(tmp_path / 'simple').as_uri()}", extra)
    site = find(tmp_path)
    assert (site.pip_index_url and site.pip_index_url.value) == index
    assert (site.pip_no_index and site.pip_no_index.value) == no_index
    assert site.pip_extra_index_urls == ()
    assert [one.value for one in site.wheelhouses] == [str(tmp_path / "simple")]


@pytest.mark.parametrize(("value", "expected"), [("yes", "1"), ("false", None)])
def test_the_switch_no_index_is_read_in_pips_spellings(
    tmp_path: Path, value: str, expected: str | None
) -> None:
    pip_conf(tmp_path, f"no-index = {value}")
    found = find(tmp_path).pip_no_index
    assert (found and found.value) == expected


def test_the_ca_bundle_is_taken_from_the_first_variable_then_from_pip(tmp_path: Path) -> None:
    for name in ("first", "second", "pip"):
        (tmp_path / f"{name}.pem").write_text(PEM, encoding="utf-8")
    file = pip_conf(tmp_path, f"cert = {tmp_path / 'pip.pem'}")
    assert find(tmp_path).ca_bundle == Sourced(value=str(tmp_path / "pip.pem"), source=file)
    environ = {
        "CURL_CA_BUNDLE": str(tmp_path / "second.pem"),
        "REQUESTS_CA_BUNDLE": str(tmp_path / "first.pem"),
    }
    found = find(tmp_path, environ).ca_bundle
    assert found == Sourced(value=str(tmp_path / "first.pem"), source="REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize(
    "path", ["etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt"]
)
def test_what_the_machine_trusts_serves_where_nothing_else_is_named(
    tmp_path: Path, path: str
) -> None:
    bundle = tmp_path / "root" / path
    bundle.parent.mkdir(parents=True)
    bundle.write_text(PEM, encoding="utf-8")
    assert find(tmp_path).ca_bundle == Sourced(value=str(bundle), source="this machine")
    assert find(tmp_path, {"SSL_CERT_FILE": "/x.pem"}).ca_bundle == Sourced(
        value="/x.pem", source="SSL_CERT_FILE"
    )
    off = {"ca_bundle": Sourced(value="", source="TTCTL_CA_BUNDLE")}
    assert find(tmp_path, {}, off).ca_bundle is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("a key", "no certificate", id="something else"),
        pytest.param("", "no certificate", id="empty"),
    ],
)
def test_a_ca_bundle_without_a_certificate_is_shown_and_refused_where_it_is_used_with_who_named_it(
    tmp_path: Path, content: str | None, found: str
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    found_here = find(tmp_path, {"SSL_CERT_FILE": str(bundle)}).ca_bundle
    assert found_here == Sourced(value=str(bundle), source="SSL_CERT_FILE")
    with pytest.raises(BadFileError, match=r"ca\.pem' cannot be used") as caught:
        check_ca(found_here)
    assert "SSL_CERT_FILE" in caught.value.why
    assert "PEM" in caught.value.evidence
    assert found in caught.value.evidence


def test_what_is_given_wins_over_the_host_and_an_empty_value_switches_it_off(
    tmp_path: Path,
) -> None:
    pip_conf(tmp_path, "index-url = https://i.example.org", "trusted-host = i.example.org")
    environ = {"SSL_CERT_FILE": "/missing.pem", "HTTPS_PROXY": "http://p.example.org:1"}
    settings = {
        "ca_bundle": Sourced(value="", source="TTCTL_CA_BUNDLE"),
        "https_proxy": Sourced(value="q.example.org:2", source="--https-proxy"),
        "registry": Sourced(value="r.example.org/mirror", source="ttctl.toml"),
        "pip_trusted_hosts": Sourced(value="", source="ttctl.toml"),
        "unknown": Sourced(value="x", source="ttctl.toml"),
    }
    site = find(tmp_path, environ, settings)
    assert site.ca_bundle is None
    assert site.https_proxy == Sourced(value="http://q.example.org:2", source="--https-proxy")
    assert site.registry == settings["registry"]
    assert site.pip_trusted_hosts == ()
    assert site.pip_index_url is not None


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        pytest.param("wheelhouses", "/a b:/c", ["/a b", "/c"], id="folders as in PATH"),
        pytest.param("wheelhouses", "/a\n/c\n", ["/a", "/c"], id="folders on lines"),
        pytest.param(
            "wheelhouses",
            "https://w.example.org:8/x\n/c",
            ["https://w.example.org:8/x", "/c"],
            id="an address among them",
        ),
        pytest.param(
            "apt_sources",
            "deb https://m.example.org/debian bookworm main\n",
            ["deb https://m.example.org/debian bookworm main"],
            id="package sources",
        ),
        pytest.param(
            "pip_extra_index_urls",
            "https://a.example.org https://b.example.org",
            ["https://a.example.org", "https://b.example.org"],
            id="indexes",
        ),
    ],
)
def test_a_setting_may_hold_several_values(
    tmp_path: Path, field: str, value: str, expected: list[str]
) -> None:
    site = find(tmp_path, {}, {field: Sourced(value=value, source="s")})
    assert [one.value for one in getattr(site, field)] == expected
