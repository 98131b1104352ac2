# SPDX-License-Identifier: Apache-2.0
"""Are certificates made as they should be, are the user's own checked, and who can read keys?"""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from ttctl.adapters import pem
from ttctl.adapters.certificates import CertificateFolders
from ttctl.errors import BadFileError, PrivilegeError, ToolMissingError, TtctlError
from ttctl.rules.tls import DAYS

NAMES = ("localhost", "box", "127.0.0.1", "::1")
by_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes it")


def folders(root: Path, **environ: str) -> CertificateFolders:
    return CertificateFolders(lambda stack: root / stack, {**os.environ, **environ})


def issued(folder: Path, *names: str, ends: datetime | None = None, who: str = "") -> Path:
    """Write a certificate of an authority's and its key beside each other."""
    made = trustme.CA().issue_cert(*names, not_after=ends)
    made.cert_chain_pems[0].write_to_path(str(folder / f"{who}cert.pem"))
    made.private_key_pem.write_to_path(str(folder / f"{who}key.pem"))
    return folder / f"{who}cert.pem"


@by_openssl
def test_one_that_is_made_has_the_names_and_the_time_that_it_should(tmp_path: Path) -> None:
    found = folders(tmp_path)
    assert found.found("one") is None
    found.make("one", NAMES)
    made = found.found("one")
    assert made is not None
    assert made.names == NAMES
    left = datetime.fromtimestamp(made.until, UTC) - datetime.now(UTC)
    assert timedelta(days=DAYS - 1) < left <= timedelta(days=DAYS)
    assert made.ends == datetime.fromtimestamp(made.until, UTC).date().isoformat()


@by_openssl
def test_a_key_is_nobodys_but_the_users_and_the_containers(tmp_path: Path) -> None:
    found = folders(tmp_path)
    found.make("one", NAMES)
    secrets = tmp_path / "one" / "secrets"
    modes = {
        path.relative_to(secrets).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (secrets, *secrets.rglob("*"))
    }
    public = {"gateway": 0o755, "gateway/tls.pem": 0o444, "certificate.pem": 0o644}
    assert modes == {".": 0o700, "generated.pem": 0o600, **public}
    assert "PRIVATE KEY" in (secrets / "gateway/tls.pem").read_text()
    assert "PRIVATE KEY" not in found.file("one").read_text()


@pytest.mark.parametrize("part", ["one", "one/secrets"])
def test_none_is_put_where_others_could_read_its_key(tmp_path: Path, part: str) -> None:
    found = folders(tmp_path)
    own = issued(tmp_path, "box")
    found.take("one", str(own), str(tmp_path / "key.pem"))
    pair = tmp_path / "one/secrets/gateway/tls.pem"
    pair.unlink()
    (tmp_path / part).chmod(0o755)
    for put in (
        lambda: found.take("one", str(own), str(tmp_path / "key.pem")),
        lambda: found.use("one", "own"),
    ):
        with pytest.raises(PrivilegeError, match="others of this host") as caught:
            put()
        assert caught.value.next_step == f"chmod 700 {tmp_path / part}"
    assert not pair.exists()


@by_openssl
def test_what_was_held_is_put_back_as_it_was(tmp_path: Path) -> None:
    found = folders(tmp_path)
    found.make("one", NAMES)
    before = {path: content(path) for path in (tmp_path / "one").rglob("*") if path.is_file()}
    held = found.held("one")
    found.make("one", ("localhost",))
    issued(tmp_path, "llm.example.org")
    found.take("one", str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    found.put_back(held)
    assert {path: content(path) for path in before} == before
    whole = found.found("one")
    assert whole is not None
    assert whole.names == NAMES
    assert found.kept("one", "own") is not None
    assert "PRIVATE" not in repr(held)


def test_where_nothing_was_held_nothing_is_put_back(tmp_path: Path) -> None:
    found = folders(tmp_path)
    found.put_back(found.held("one"))
    assert not (tmp_path / "one").exists()


def content(path: Path) -> tuple[str, int, int]:
    seen = path.stat()
    return path.read_text(), stat.S_IMODE(seen.st_mode), seen.st_nlink


@by_openssl
def test_each_one_has_a_key_of_its_own(tmp_path: Path) -> None:
    found = folders(tmp_path)
    for stack in ("one", "two"):
        found.make(stack, NAMES)
    one, two = (found.found(stack) for stack in ("one", "two"))
    assert one is not None
    assert two is not None
    assert one.sha256 != two.sha256


@by_openssl
@pytest.mark.parametrize("name", ["gateway/tls.pem", "certificate.pem"])
@pytest.mark.parametrize("text", ["", "nothing", None])
def test_half_of_it_counts_as_none(tmp_path: Path, name: str, text: str | None) -> None:
    found = folders(tmp_path)
    found.make("one", NAMES)
    path = tmp_path / "one/secrets" / name
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert found.found("one") is None


@by_openssl
def test_strict_clients_take_it(tmp_path: Path) -> None:
    found = folders(tmp_path)
    found.make("one", NAMES)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "one/secrets/gateway/tls.pem")
    client = ssl.create_default_context(cafile=str(found.file("one")))
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    assert pem.met(client, server, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        pem.met(client, server, "llm.example.org")


def test_without_openssl_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="openssl") as caught:
        folders(tmp_path).make("one", NAMES)
    assert "apt-get install openssl" in caught.value.next_step


def test_an_openssl_that_makes_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "openssl"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(TtctlError, match="No certificate could be made") as caught:
        folders(tmp_path).make("one", NAMES)
    assert "ended with 3" in caught.value.evidence
    assert folders(tmp_path).found("one") is None


def test_names_hold_the_machines_own_and_addresses_only_for_other_machines(tmp_path: Path) -> None:
    alone, everywhere = (folders(tmp_path).names(everywhere=one) for one in (False, True))
    assert {"localhost", "127.0.0.1", "::1"} <= set(alone)
    assert everywhere[: len(alone)] == alone
    assert not [one for one in everywhere[len(alone) :] if one.startswith("127.")]


def test_the_users_own_is_copied_with_its_key(tmp_path: Path) -> None:
    file = issued(tmp_path, "llm.example.org", "10.0.0.7")
    found = folders(tmp_path)
    told = found.read(str(file), str(tmp_path / "key.pem"))
    assert told.names == ("llm.example.org", "10.0.0.7")
    found.take("one", str(file), str(tmp_path / "key.pem"))
    assert found.found("one") == told
    assert not found.is_trusted("one")


def test_one_file_with_both_does_as_well(tmp_path: Path) -> None:
    file = issued(tmp_path, "llm.example.org")
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "key.pem").read_text() + "# mine\n" + file.read_text())
    found = folders(tmp_path)
    found.take("one", str(both), "")
    assert found.found("one") == found.read(str(file), str(tmp_path / "key.pem"))
    assert "# mine" not in (tmp_path / "one/secrets/gateway/tls.pem").read_text()


def test_one_that_has_ended_is_refused(tmp_path: Path) -> None:
    file = issued(tmp_path, "a.org", ends=datetime(2020, 1, 2, tzinfo=UTC))
    with pytest.raises(BadFileError) as caught:
        folders(tmp_path).read(str(file), str(tmp_path / "key.pem"))
    assert "it ended on 2020-01-02" in caught.value.evidence


def test_the_key_of_another_is_refused(tmp_path: Path) -> None:
    file = issued(tmp_path, "a.org")
    issued(tmp_path, "b.org", who="other-")
    with pytest.raises(BadFileError) as caught:
        folders(tmp_path).take("one", str(file), str(tmp_path / "other-key.pem"))
    assert "the key belongs to another certificate" in caught.value.evidence
    assert not (tmp_path / "one").exists()


@by_openssl
def test_a_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    file = issued(tmp_path, "a.org")
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", str(tmp_path / "key.pem"), "-aes256"]
    subprocess.run([*command, "-passout", "pass:x", "-out", str(locked)], check=True, timeout=30)
    with pytest.raises(BadFileError) as caught:
        folders(tmp_path).read(str(file), str(locked))
    assert "asks for a password" in caught.value.evidence


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    issued(tmp_path, "a.org")
    (tmp_path / "empty.pem").touch()
    (tmp_path / "der.pem").write_bytes(b"\x30\x82\xff\x00")
    (tmp_path / "broken.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
        + (tmp_path / "key.pem").read_text()
    )
    os.mkfifo(tmp_path / "pipe.pem")
    found = {
        name: _refused(tmp_path, tmp_path / f"{name}.pem")
        for name in ("key", "cert", "empty", "der", "broken", "pipe", "gone")
    }
    assert "no certificate is in it" in found["key"]
    assert "no key is in it" in found["cert"]
    assert "no certificate is in it" in found["empty"]
    assert "not in PEM form" in found["der"]
    assert found["broken"]
    assert "no file" in found["pipe"]
    assert "No such file" in found["gone"]
    assert "it is a folder" in _refused(tmp_path, tmp_path)
    assert "no file" in _refused(tmp_path, Path("/dev/zero"))


def _refused(state: Path, path: Path) -> str:
    with pytest.raises(BadFileError) as caught:
        folders(state).read(str(path), "")
    assert caught.value.next_step
    return caught.value.evidence


@by_openssl
def test_neither_kind_overwrites_the_other_and_each_can_be_put_in_its_place(tmp_path: Path) -> None:
    file, key = issued(tmp_path, "llm.example.org"), tmp_path / "key.pem"
    found, secrets = folders(tmp_path), tmp_path / "one/secrets"
    found.take("one", str(file), str(key))
    own = found.found("one")
    found.make("one", NAMES)
    made = found.found("one")
    assert own != made
    assert (found.kept("one", "own"), found.kept("one", "generated")) == (own, made)
    for mode, meant in (("own", own), ("generated", made)):
        found.use("one", mode)  # type: ignore[arg-type]
        assert found.found("one") == meant
        assert (secrets / "gateway/tls.pem").read_text() == (secrets / f"{mode}.pem").read_text()
    assert stat.S_IMODE((secrets / "own.pem").stat().st_mode) == 0o600


def test_one_that_is_gone_is_not_put_in_its_place(tmp_path: Path) -> None:
    found = folders(tmp_path)
    assert found.kept("one", "own") is None
    with pytest.raises(BadFileError, match=r"own\.pem"):
        found.use("one", "own")
