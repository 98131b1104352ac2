# SPDX-License-Identifier: Apache-2.0
"""Is it told whether there is a way to an address? Servers and proxies stand on loopback."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.reach import proxy_for, reaches, why_not
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AWAY = "http://hub.example.org/x"
"""A name that no test may ask for: only a proxy answers for it."""


class Server(ThreadingHTTPServer):
    """Answers every question alike and remembers the questions."""

    daemon_threads = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = status
        self.asked: list[str] = []
        self.words: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.words.append(self.headers.get("Proxy-Authorization"))
        self.send_response(self.server.status)
        self.send_header("Location", "http://elsewhere.example.org/")
        self.end_headers()

    def do_CONNECT(self) -> None:
        self.do_HEAD()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def serving(status: int) -> Iterator[Server]:
    with Server(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def at(value: str) -> Sourced:
    return Sourced(value=value, source="test")


def through(proxy: str) -> Site:
    return Site(http_proxy=at(proxy), https_proxy=at(proxy))


@pytest.mark.parametrize("status", [200, 302, 401, 404, 405, 407, 500, 503])
def test_any_answer_of_a_host_counts_and_no_redirect_is_followed(status: int) -> None:
    with serving(status) as server:
        assert reaches(f"{server.url}/v2/", Site())
        assert server.asked == ["HEAD /v2/"]


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        *((status, True) for status in (200, 302, 403, 404, 500)),
        *((status, False) for status in (407, 502, 503, 504)),
    ],
)
def test_what_a_proxy_says_of_itself_does_not_count(status: int, *, reached: bool) -> None:
    with serving(status) as proxy:
        assert reaches(AWAY, through(proxy.url)) is reached
        assert proxy.asked == [f"HEAD {AWAY}"]


def test_a_host_that_wants_a_login_or_refuses_it_is_reached_but_of_no_use() -> None:
    with serving(401) as server:
        assert "wants a name and a password" in why_not(f"{server.url}/simple", Site())
        refused = f"{server.url}/simple".replace("//", "//me:canary@")
        assert reaches(refused, Site())
        assert "is refused" in why_not(refused, Site())
        assert "canary" not in why_not(refused, Site())
        # A registry tells everybody so, and where to get a token.
        assert why_not(f"{server.url}/v2/", Site()) == ""


@pytest.mark.parametrize(
    ("url", "site", "said"),
    [
        pytest.param("hub.example.org", Site(), "no web address", id="no scheme"),
        pytest.param(AWAY, Site(offline=at("1")), "test says so", id="offline"),
        pytest.param("https://127.0.0.1:1/", Site(), "Connection refused", id="nobody"),
        pytest.param(AWAY, through("socks5://127.0.0.1:1"), "its proxy", id="another proxy"),
        pytest.param(
            "http://me:canary@127.0.0.1:x/", Site(), "InvalidURL", id="no port, no password"
        ),
    ],
)
def test_why_nothing_is_reached_is_said_without_the_address(
    url: str, site: Site, said: str
) -> None:
    assert said in why_not(url, site)
    assert "canary" not in why_not(url, site)


def test_what_a_proxy_says_is_told_apart_from_the_host() -> None:
    with serving(407) as proxy:
        assert why_not(AWAY, through(proxy.url)) == "the proxy answered 407"
        assert "407" in why_not("https://hub.example.org/x", through(proxy.url))


def test_a_proxy_that_refuses_the_tunnel_is_no_way() -> None:
    with serving(407) as proxy:
        assert not reaches("https://hub.example.org/x", through(proxy.url))
        assert proxy.asked[0] == "CONNECT hub.example.org:443"


def test_a_proxy_gets_the_name_and_password_of_its_address() -> None:
    with serving(200) as proxy:
        site = through(proxy.url.replace("//", "//me:p%40ss@"))
        assert reaches(AWAY, site)
        word = base64.b64encode(b"me:p@ss").decode()
        assert proxy.words == [f"Basic {word}"]
        assert not reaches("https://hub.example.org", site)
        assert proxy.words[1] == f"Basic {word}"


def test_loopback_is_never_asked_through_a_proxy() -> None:
    with serving(200) as server, serving(503) as proxy:
        assert reaches(server.url, through(proxy.url))
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        pytest.param("http://a.example.org/", "", False, id="no exception"),
        pytest.param("http://a.example.org/", "a.example.org", True, id="the host"),
        pytest.param("http://a.example.org/", "b.test, example.org", True, id="its domain"),
        pytest.param("http://a.example.org/", ".example.org", True, id="with a dot"),
        pytest.param("http://a.example.org/", "*.example.org", True, id="with a star"),
        pytest.param("http://a.example.org/", "ample.org", False, id="not a part of a word"),
        pytest.param("http://a.example.org/", "*", True, id="everything"),
        pytest.param("http://A.example.org:81/", "a.example.org:81", True, id="with a port"),
        pytest.param("http://10.1.2.3/", "10.0.0.0/8", True, id="a network"),
        pytest.param("http://10.1.2.3/", "10.1.2.3", True, id="an address"),
        pytest.param("http://11.1.2.3/", "10.0.0.0/8", False, id="another network"),
        pytest.param("https://localhost:1/", "", True, id="loopback by name"),
        pytest.param("https://[::1]:1/", "", True, id="loopback in version 6"),
        pytest.param("ftp://a.example.org/", "", True, id="another scheme"),
    ],
)
def test_exceptions_from_the_proxy_are_honoured(url: str, no_proxy: str, *, direct: bool) -> None:
    site = Site(http_proxy=at("http://p.test"), https_proxy=at("http://p.test"))
    if no_proxy:
        site = Site(http_proxy=at("http://p.test"), no_proxy=at(no_proxy))
    assert proxy_for(url, site) == (None if direct else "http://p.test")


@pytest.mark.parametrize(
    ("url", "site"),
    [
        pytest.param("", Site(), id="nothing"),
        pytest.param("hub.example.org", Site(), id="no scheme"),
        pytest.param("file:///etc/hostname", Site(), id="a file"),
        pytest.param("http://[bad", Site(), id="no address"),
        pytest.param("http://127.0.0.1:99999/", Site(), id="no port"),
        pytest.param("http://127.0.0.1:1/a b\n", Site(), id="no path"),
        pytest.param("https://127.0.0.1:1/", Site(ca_bundle=at("/missing.pem")), id="no bundle"),
        pytest.param(AWAY, through("socks5://127.0.0.1:1"), id="a proxy of another kind"),
        pytest.param(AWAY, through("http://127.0.0.1:x"), id="no proxy"),
        pytest.param(AWAY, Site(offline=at("1")), id="offline"),
    ],
)
def test_what_cannot_be_asked_is_not_reached_and_nothing_is_raised(url: str, site: Site) -> None:
    assert not reaches(url, site)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_an_encrypted_host_is_reached_with_the_sites_ca_and_not_without(tmp_path: Path) -> None:
    key, bundle = tmp_path / "key.pem", tmp_path / "ca.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=test",
        "-addext",
    ]
    names = ["subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(bundle)]
    subprocess.run(["openssl", *words, *names], check=True, capture_output=True)
    with serving(200) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bundle, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        assert reaches(url, Site(ca_bundle=at(str(bundle))))
        assert not reaches(url, Site())
        assert "the setting ca_bundle is unset" in why_not(url, Site())
        for trusted, reached in (
            ("localhost", True),
            (f"localhost:{server.server_address[1]}", True),
            ("localhost:1", False),
            ("elsewhere.example.org", False),
            ("localhost:x", False),
        ):
            assert reaches(url, Site(pip_trusted_hosts=(at(trusted),))) is reached


def test_a_port_where_nobody_listens_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert not reaches(f"http://127.0.0.1:{port}/", Site())


def test_something_that_speaks_no_http_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        assert not reaches(f"http://127.0.0.1:{server.getsockname()[1]}/", Site())
        thread.join()
