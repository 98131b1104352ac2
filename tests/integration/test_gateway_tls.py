# SPDX-License-Identifier: Apache-2.0
"""A gateway with TLS: who gets through, who is known, and what a stranger or a neighbour sees."""

from __future__ import annotations

import json
import os
import socket
import ssl
import stat
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.integration.gateway_upstream.door import KEY, Door, door_with, request_bytes, until

from ttctl.adapters.certificates import CertificateFolders
from ttctl.adapters.gateway import StackGateway
from ttctl.adapters.metrics_client import text_at
from ttctl.errors import EngineError
from ttctl.model.tls import At, Pin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

STACK = "tls"
LINE = "GET /v1/models HTTP/1.1"
AUTHORIZED = f"Authorization: Bearer {KEY}"
SILENT = 300
"""Strangers who connect and say nothing."""


def folders(root: Path) -> CertificateFolders:
    return CertificateFolders(lambda stack: root / stack, dict(os.environ))


def kept(root: Path) -> str:
    """Return the certificate and its key as the gateway mounts them."""
    return (root / STACK / "secrets/gateway/tls.pem").read_text()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state folder with a certificate that was made for this machine."""
    root = tmp_path_factory.mktemp("state")
    found = folders(root)
    found.make(STACK, found.names(everywhere=True))
    return root


@pytest.fixture(scope="module")
def shared(
    gateway_image: str, python_image: str, made: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("gateway")
    with door_with(gateway_image, python_image, folder, pair=kept(made)) as door:
        door.start_upstream()
        until(lambda: StackGateway().healthy(at(door, made)))
        yield door


def at(door: Door, root: Path, name: str = "127.0.0.1") -> At:
    return At(port=int(door.port), pin=Pin(file=str(folders(root).file(STACK)), name=name))


@contextmanager
def opened(door: Door, context: ssl.SSLContext, name: str = "localhost") -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", int(door.port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as encrypted,
    ):
        yield encrypted


def trusting(root: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folders(root).file(STACK)))


def asked(door: Door, context: ssl.SSLContext, *headers: str, name: str = "localhost") -> bytes:
    with opened(door, context, name) as connection:
        connection.sendall(request_bytes(LINE, *headers))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_whoever_has_the_certificate_and_the_key_is_answered(shared: Door, made: Path) -> None:
    assert asked(shared, trusting(made), AUTHORIZED).startswith(b"HTTP/1.1 200 ")
    assert asked(shared, trusting(made)).startswith(b"HTTP/1.1 401 ")


def test_our_own_clients_are_answered(shared: Door, made: Path) -> None:
    where = at(shared, made)
    assert StackGateway().healthy(where)
    # The stand-in has no models.
    assert StackGateway().models(where, KEY) == ()
    assert "haproxy_" in text_at(where, KEY, "/gateway/metrics")


def test_our_own_clients_refuse_whoever_shows_another_certificate(
    shared: Door, made: Path, tmp_path: Path
) -> None:
    folders(tmp_path).make(STACK, ("localhost", "127.0.0.1"))
    for where in (at(shared, tmp_path), at(shared, made, name="llm.example.org")):
        assert not StackGateway().healthy(where)
        with pytest.raises(EngineError, match="Nothing answers at https://") as caught:
            StackGateway().models(where, KEY)
        assert "certificate verify failed" in caught.value.evidence
        with pytest.raises(EngineError, match="does not answer"):
            text_at(where, KEY, "/gateway/metrics")


def test_what_is_plain_gets_no_answer_with_or_without_a_key(shared: Door) -> None:
    for headers in ((AUTHORIZED,), ()):
        with socket.create_connection(("127.0.0.1", int(shared.port)), timeout=20) as plain:
            plain.sendall(request_bytes(LINE, *headers))
            try:
                answer = plain.recv(65536)
            except ConnectionResetError:
                answer = b""
        assert b"HTTP/" not in answer
    assert KEY not in shared.log()


@pytest.mark.parametrize(
    ("version", "cipher"),
    [
        (ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"),
    ],
    ids=["TLS 1.0", "TLS 1.1", "CBC"],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_what_is_no_longer_safe_is_refused(
    shared: Door, made: Path, version: ssl.TLSVersion, cipher: str
) -> None:
    context = trusting(made)
    context.set_ciphers(cipher)
    context.minimum_version = context.maximum_version = version
    with pytest.raises(OSError, match=r"alert|EOF|reset|protocol"), opened(shared, context):
        pass


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_is_safe_is_taken_and_http_2_is_not_offered(
    shared: Door, made: Path, version: ssl.TLSVersion
) -> None:
    context = trusting(made)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    with opened(shared, context) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
        assert connection.version() == version.name.replace("_", ".")


def test_the_check_from_inside_works_and_nothing_else_is_plain(shared: Door) -> None:
    assert shared.container.exec_run(["health"]).exit_code == 0
    asks = (
        "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /v1/models HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    )
    assert b" 404 " in shared.container.exec_run(["bash", "-c", asks]).output
    shared.container.reload()
    networks = shared.container.attrs["NetworkSettings"]["Networks"]
    (address,) = [one["IPAddress"] for one in networks.values()]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, 8080), timeout=5)


def test_no_key_is_in_what_docker_shows_and_others_cannot_read_its_file(
    shared: Door, made: Path
) -> None:
    lines = kept(made).splitlines()
    private = lines[1 : lines.index("-----END PRIVATE KEY-----")]
    shown = subprocess.run(
        ["docker", "inspect", shared.container.id], capture_output=True, text=True, check=True
    ).stdout
    assert private
    assert not [line for line in private if line in shown or line in shared.log()]
    secrets = made / STACK / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE((secrets / "gateway/tls.pem").stat().st_mode) == 0o444
    assert "PRIVATE KEY" not in (secrets / "certificate.pem").read_text()


def test_strangers_who_say_nothing_keep_nobody_out_and_are_sent_away(
    shared: Door, made: Path
) -> None:
    with ExitStack() as held:
        silent = [
            held.enter_context(socket.create_connection(("127.0.0.1", int(shared.port))))
            for _ in range(SILENT)
        ]
        started = time.monotonic()
        assert asked(shared, trusting(made), AUTHORIZED).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - started < 5
        silent[0].settimeout(45)
        assert silent[0].recv(1) == b""
    shared.container.reload()
    assert shared.container.status == "running"
    for line in shared.log().splitlines():
        if line.startswith("{"):
            json.loads(line)


def test_a_stranger_who_does_not_encrypt_leaves_no_address_in_the_log(shared: Door) -> None:
    with socket.create_connection(("127.0.0.1", int(shared.port)), timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        mine = plain.getsockname()[1]
        while plain.recv(1024):
            pass
    until(lambda: "handshake" in shared.log())
    told = [json.loads(one) for one in shared.log().splitlines() if "handshake" in one]
    assert all(one["status"] == 0 and not one["key"] for one in told)
    assert f":{mine}" not in shared.log()


def test_an_authoritys_own_certificate_works_for_whoever_trusts_that_and_for_us(
    gateway_image: str, python_image: str, tmp_path: Path
) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("llm.example.org", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    state = tmp_path / "state"
    folders(state).take(STACK, str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    (tmp_path / "gateway").mkdir()
    with door_with(gateway_image, python_image, tmp_path / "gateway", pair=kept(state)) as door:
        door.start_upstream()
        until(lambda: StackGateway().healthy(at(door, state)))
        trusts = ssl.create_default_context()
        authority.configure_trust(trusts)
        answer = asked(door, trusts, AUTHORIZED, name="llm.example.org")
        assert answer.startswith(b"HTTP/1.1 200 ")
        with pytest.raises(ssl.SSLCertVerificationError):
            asked(door, ssl.create_default_context(), name="llm.example.org")
