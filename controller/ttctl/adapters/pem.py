# SPDX-License-Identifier: Apache-2.0
"""What does a certificate say, and is a key its own? Asked of OpenSSL, by a handshake in memory.

Python reads a certificate only of a peer that it has verified. So a server with the pair, and a
client that trusts this one certificate, meet in memory: what the client then says is also the proof
that such a client gets through. The time is looked at by whoever asks.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import ssl
import time
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ttctl.adapters.tree import bytes_of
from ttctl.errors import BadFileError
from ttctl.model.tls import Certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 1 << 20
"""Of a file; a chain of five certificates has about 10 KiB."""
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME. Source: OpenSSL, include/openssl/x509_vfy.h.in"""
SUBJECT = "ttctl gateway"
"""Of a certificate that ttctl makes: it signs itself."""
ROUNDS = 6
"""Of the handshake: TLS 1.3 needs two."""
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
KEY = re.compile(r"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----.+?-----END \1-----\n?", re.DOTALL)


class NoPairError(ValueError):
    """A text is no certificate with its key; it says why."""


def pair_of(certificate: str, key: str) -> tuple[str, str]:
    """Return the certificates and the key that are in the texts of two files, and nothing else.

    Raises:
        NoPairError: One of them is missing.
    """
    chain = "".join(f"{one.strip()}\n" for one in CERTIFICATE.findall(certificate))
    keys = [found[0] for found in KEY.finditer(key)]
    if not chain:
        raise NoPairError("no certificate is in it: -----BEGIN CERTIFICATE----- is missing")
    if not keys:
        raise NoPairError("no key is in it: -----BEGIN PRIVATE KEY----- is missing")
    return chain, f"{keys[0].strip()}\n"


def read_pair(pem: Path) -> Certificate:
    """Return what a file says that has a key and, first of its certificates, the one it is for.

    Raises:
        NoPairError: The key is another's, or asks for a password; or it is no certificate.
        OSError: It cannot be read.
    """
    chain = "".join(CERTIFICATE.findall(pem.read_text(encoding="ascii")))
    try:
        told = _told(pem, chain)
    except (ssl.SSLError, ValueError) as exc:
        raise NoPairError(_why(exc)) from exc
    named = [str(value) for kind, value in told.get("subjectAltName", ()) if kind == "DNS"]
    addresses = [
        _address(str(value))
        for kind, value in told.get("subjectAltName", ())
        if kind == "IP Address"
    ]
    until = int(ssl.cert_time_to_seconds(str(told["notAfter"])))
    return Certificate(
        names=(*named, *addresses),
        until=until,
        ends=time.strftime("%Y-%m-%d", time.gmtime(until)),
        sha256=hashlib.sha256(chain.encode()).hexdigest(),
    )


def read_text(path: Path, what: str) -> str:
    """Return a file's text that a user named.

    Args:
        path: The file.
        what: What is to be in it.

    Raises:
        BadFileError: It cannot be read, is no file, or does not end.
    """
    text = ""
    try:
        text = bytes_of(path, MOST_BYTES + 1).decode("ascii")
        why = f"it has more than {MOST_BYTES} bytes" if len(text) > MOST_BYTES else ""
    except OSError as exc:
        why = "it is a folder" if exc.errno == errno.EISDIR else (exc.strerror or str(exc))
    except UnicodeDecodeError:
        why = "it is not in PEM form, which is ASCII"
    if not why:
        return text
    raise BadFileError(
        f"The {what} {str(path)!r} cannot be used.",
        why="The gateway shows a certificate to whoever asks, and proves by its key that it may.",
        evidence=f"{path}: {why}. Nothing was changed.",
        next_step=f"ls -l {quote(str(path))}",
    )


def told_of(chain: str, key: str) -> Certificate:
    """Return what a pair says that is not written down yet.

    Raises:
        NoPairError: As `read_pair`.
    """
    # In memory: what is not used in the end was never in a file of ours.
    number = os.memfd_create("tls")
    try:
        os.write(number, (key + chain).encode())
        return read_pair(Path(f"/proc/self/fd/{number}"))
    finally:
        os.close(number)


def _told(pem: Path, chain: str) -> Mapping[str, Any]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, password=_no_password)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(cadata=CERTIFICATE.findall(chain)[0])
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    client.verify_flags = ssl.VerifyFlags(client.verify_flags | NO_CHECK_TIME)
    return met(client, server, None)


def met(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None) -> Mapping[str, Any]:
    """Let both meet in memory; return what the client says of the server's certificate.

    Raises:
        ssl.SSLError: They do not agree.
    """
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(back, there, server_hostname=name)
    shows = server.wrap_bio(there, back, server_side=True)
    for _ in range(ROUNDS):
        for one in (asks, shows):
            with suppress(ssl.SSLWantReadError):
                one.do_handshake()
    return asks.getpeercert() or {}


def _no_password() -> str:
    raise NoPairError("its key asks for a password, which the gateway cannot be asked")


def _address(text: str) -> str:
    """Return an address as it is written elsewhere: OpenSSL writes `0:0:0:0:0:0:0:1`."""
    import ipaddress  # noqa: PLC0415 - `status` has no use for it without TLS

    with suppress(ValueError):
        return str(ipaddress.ip_address(text.strip()))
    return text.strip()


def _why(exc: Exception) -> str:
    """Say what OpenSSL found, in words."""
    reason = getattr(exc, "reason", "") or ""
    said = {
        "KEY_VALUES_MISMATCH": "the key belongs to another certificate",
        "EE_KEY_TOO_SMALL": "its key is too short",
        "CA_MD_TOO_WEAK": "it is signed by a hash that is no longer safe",
        "EE_MD_TOO_WEAK": "it is signed by a hash that is no longer safe",
        "CERTIFICATE_VERIFY_FAILED": getattr(exc, "verify_message", "") or "it is not for servers",
    }
    return said.get(str(reason), str(reason).replace("_", " ").lower() or str(exc))
