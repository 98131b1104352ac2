# SPDX-License-Identifier: Apache-2.0
"""The certificates of the stacks' gateways: made by OpenSSL, or copied from the user's own.

The gateway mounts `secrets/gateway/tls.pem`, the key with the certificate, as it mounts the hashes
of keys: the container's user reads it, and the folder above is the user's alone. What a client
needs, the certificate without its key, lies beside that folder, and so does the last one of each
kind, with its key: the user's own may be the only copy, and a rollback comes back to it.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters import pem
from ttctl.adapters.files import write_atomically
from ttctl.adapters.key_ring import secrets_in
from ttctl.errors import BadFileError, TtctlError, WaitError
from ttctl.model.tls import GENERATED, OWN, Held
from ttctl.rules.tls import DAYS, name_to_ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ttctl.model.tls import Certificate, Tls

PAIR = "tls.pem"
CERTIFICATE = "certificate.pem"
KEPT = {OWN: "own.pem", GENERATED: "generated.pem"}
MODES = {PAIR: 0o444, CERTIFICATE: 0o644} | dict.fromkeys(KEPT.values(), 0o600)
MAKE_S = 30
PASSED_ON = ("PATH", "LANG", "OPENSSL_CONF", "OPENSSL_MODULES", "LD_LIBRARY_PATH")
NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*\Z")
LONGEST_NAME = 253
CONFIG = """\
[req]
distinguished_name = name
x509_extensions = made
prompt = no
[name]
CN = {subject}
[made]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = {names}
"""
CURVE = "prime256v1"
"""P-256, which every client of TLS 1.2 knows.

Source: Mozilla, https://wiki.mozilla.org/Security/Server_Side_TLS, intermediate compatibility
"""


class CertificateFolders:
    """The certificate of each stack, in its own folder."""

    def __init__(self, home: Callable[[str], Path], environ: Mapping[str, str]) -> None:
        """`home` returns a stack's folder; `environ` is where OpenSSL is found by."""
        self._home = home
        self._environ = {name: value for name, value in environ.items() if name in PASSED_ON}

    def found(self, stack: str) -> Certificate | None:
        """Return what the certificate says that is in use; None where none is whole."""
        try:
            found = pem.read_pair(self._pair(stack))
            beside = self.file(stack).read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        whole = pem.CERTIFICATE.findall(self._pair(stack).read_text(encoding="ascii"))
        return found if found.names and beside == "".join(whole) else None

    def kept(self, stack: str, mode: Tls) -> Certificate | None:
        """Return what the one of a kind says, in use or not; None where none is whole."""
        try:
            found = pem.read_pair(self._kept(stack, mode))
        except (OSError, ValueError):
            return None
        return found if found.names else None

    def use(self, stack: str, mode: Tls) -> None:
        """Put the one of a kind that is kept in its place; its time is looked at by who asks."""
        file = self._kept(stack, mode)
        text = pem.read_text(file, "certificate")
        try:
            chain, key = pem.pair_of(text, text)
        except pem.NoPairError as exc:
            raise _bad(file, file, str(exc)) from None
        self._put(stack, chain, key)

    def held(self, stack: str) -> Held:
        """Return all that is there of a stack, in use or not."""
        # In the order of `_keep` and `_put`: a kill of `put_back` is as one of theirs.
        kept = (self._kept(stack, OWN), self._kept(stack, GENERATED))
        return Held(texts=tuple(_texts((*kept, self._pair(stack), self.file(stack)))))

    def put_back(self, held: Held) -> None:
        """Write again what is another since; what came besides is left alone."""
        for name, text in held.texts:
            if dict(_texts((Path(name),))).get(name) != text:
                write_atomically(Path(name), text, mode=MODES[Path(name).name])

    def file(self, stack: str) -> Path:
        """Return where a stack's certificate lies, without its key: for clients."""
        return self._home(stack) / "secrets" / CERTIFICATE

    def is_trusted(self, stack: str) -> bool:
        """Return whether the authorities that this machine trusts stand for it."""
        found = self.found(stack)
        if found is None:
            return False
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            server.load_cert_chain(self._pair(stack))
            name = name_to_ask(found.names)
            pem.met(ssl.create_default_context(), server, name)
        except (OSError, ValueError):
            return False
        return True

    def names(self, *, everywhere: bool) -> tuple[str, ...]:
        """Return what this machine is called: on itself, and by others where that is asked."""
        host = socket.gethostname()
        own = (host,) if len(host) <= LONGEST_NAME and NAME.match(host) else ()
        # What stands for a stack that only this machine reaches needs no address of its networks.
        further: tuple[str, ...] = ()
        if everywhere:
            from ttctl.adapters.interfaces import addresses  # noqa: PLC0415 - else not needed

            further = addresses()
        return tuple(dict.fromkeys(("localhost", *own, "127.0.0.1", "::1", *further)))

    def read(self, file: str, key_file: str) -> Certificate:
        """Look at a certificate of the user's own; it is checked with its key."""
        return self._read(file, key_file)[0]

    def take(self, stack: str, file: str, key_file: str) -> None:
        """Copy a certificate of the user's own, with its key."""
        _, chain, key = self._read(file, key_file)
        self._keep(stack, OWN, chain, key)

    def make(self, stack: str, names: tuple[str, ...]) -> None:
        """Make a certificate that is signed by itself; its key is in no file but its own."""
        # `status` looks at certificates, too, and starts no program.
        from ttctl.adapters.process import run  # noqa: PLC0415 - see above
        from ttctl.adapters.scratch import scratch  # noqa: PLC0415 - as above

        with scratch("tls") as folder:
            config = folder / "openssl.cnf"
            named = ",".join(map(_alternative, names))
            config.write_text(CONFIG.format(subject=pem.SUBJECT, names=named))
            command = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                f"ec_paramgen_curve:{CURVE}", "-nodes", "-sha256",
                "-days", str(DAYS), "-config", str(config),
                "-keyout", "-", "-out", "-",
            ]  # fmt: skip
            try:
                done = run(command, timeout_s=MAKE_S, environ=self._environ, with_errors=False)
            except WaitError:
                # What it printed has a key in it, perhaps.
                raise _unmade(f"OpenSSL did not end within {MAKE_S} s") from None
        text = "\n".join(done.lines)
        try:
            chain, key = pem.pair_of(text, text)
            pem.told_of(chain, key)
        except pem.NoPairError as exc:
            raise _unmade(f"openssl req ended with {done.returncode}: {exc}") from None
        self._keep(stack, GENERATED, chain, key)

    def _kept(self, stack: str, mode: Tls) -> Path:
        return self._home(stack) / "secrets" / KEPT[mode]

    def _pair(self, stack: str) -> Path:
        return self._home(stack) / "secrets" / "gateway" / PAIR

    def _keep(self, stack: str, mode: Tls, chain: str, key: str) -> None:
        """Keep one of a kind, and use it; a kill between the two is put right by `use`."""
        secrets_in(self._home(stack))
        kept = self._kept(stack, mode)
        write_atomically(kept, key + chain, mode=MODES[kept.name])
        self._put(stack, chain, key)

    def _put(self, stack: str, chain: str, key: str) -> None:
        """Write both files; while only one of them is new, the pair counts as none."""
        secrets_in(self._home(stack))
        pair = self._pair(stack)
        write_atomically(pair, key + chain, mode=MODES[PAIR])
        pair.parent.chmod(0o755)
        write_atomically(self.file(stack), chain, mode=MODES[CERTIFICATE])

    def _read(self, file: str, key_file: str) -> tuple[Certificate, str, str]:
        path, beside = Path(file), Path(key_file or file)
        text = pem.read_text(path, "certificate")
        key = pem.read_text(beside, "key") if key_file else text
        try:
            chain, key = pem.pair_of(text, key)
            found = pem.told_of(chain, key)
        except pem.NoPairError as exc:
            raise _bad(path, beside, str(exc)) from None
        if found.until < time.time():
            raise _bad(path, beside, f"it ended on {found.ends}")
        if not found.names:
            raise _bad(path, beside, "it names no host: it has no subjectAltName")
        return found, chain, key


def _texts(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        with suppress(OSError, UnicodeDecodeError):
            yield str(file), file.read_text(encoding="ascii")


def _alternative(name: str) -> str:
    with suppress(OSError):
        socket.inet_pton(socket.AF_INET6 if ":" in name else socket.AF_INET, name)
        return f"IP:{name}"
    return f"DNS:{name}"


def _bad(path: Path, key: Path, why: str) -> BadFileError:
    return BadFileError(
        f"The certificate {str(path)!r} cannot be used.",
        why="The gateway shows it to whoever asks, and proves by its key that it may.",
        evidence=f"{path}{'' if key == path else f' with {key}'}: {why}. Nothing was changed.",
        next_step=f"openssl x509 -noout -text -in {quote(str(path))}",
    )


def _unmade(evidence: str) -> TtctlError:
    return TtctlError(
        "No certificate could be made.",
        why="OpenSSL makes it and its key, by `openssl req -x509`.",
        evidence=evidence,
        next_step="openssl version",
    )
