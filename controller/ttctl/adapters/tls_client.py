# SPDX-License-Identifier: Apache-2.0
"""Connections to a gateway on loopback: plain, or to the one that has a pinned certificate.

A pinned certificate is the only one that is trusted, so nobody else can sign for the gateway, be it
an authority that the machine trusts. It has to name what is asked for, and to be in its time.
"""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from ttctl.model.tls import At, Pin

ADDRESS = "127.0.0.1"


def connection_to(at: At, *, timeout_s: float) -> http.client.HTTPConnection:
    """Return a connection that is opened by its first request: nothing is read or sent before."""
    if at.pin is None:
        return http.client.HTTPConnection(ADDRESS, at.port, timeout=timeout_s)
    return _Pinned(at.port, at.pin, timeout_s=timeout_s)


def context_of(pin: Pin) -> ssl.SSLContext:
    """Return what trusts one certificate alone.

    Raises:
        OSError: It cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(pin.file)
    # It is trusted by itself, whoever has signed it.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def wrapped(plain: socket.socket, pin: Pin) -> ssl.SSLSocket:
    """Return an open connection with TLS on it.

    Raises:
        OSError: The certificate cannot be read, or another one is shown.
    """
    return context_of(pin).wrap_socket(plain, server_hostname=pin.name)


class _Pinned(http.client.HTTPConnection):
    """Asks loopback, whatever the certificate's name leads to elsewhere."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, port: int, pin: Pin, *, timeout_s: float) -> None:
        super().__init__(ADDRESS, port, timeout=timeout_s)
        self._pin = pin

    def connect(self) -> None:
        """Open the connection, and ask for the certificate on it."""
        context = context_of(self._pin)
        super().connect()
        # Here before the handshake: whoever ends a connection that takes too long finds it.
        self.sock = context.wrap_socket(
            self.sock, server_hostname=self._pin.name, do_handshake_on_connect=False
        )
        self.sock.do_handshake()
