# SPDX-License-Identifier: Apache-2.0
"""An authority of a test's own: whoever has its bundle trusts the servers that it names."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """Signs a certificate for any host, at once."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._ca = trustme.CA()
        self.bundle = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.bundle))

    def server(self, *names: str) -> ssl.SSLContext:
        """Return what a server needs to be the host of these names or addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        """Return what a client needs to trust those servers, and no others."""
        return ssl.create_default_context(cafile=str(self.bundle))
