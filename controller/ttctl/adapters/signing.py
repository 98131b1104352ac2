# SPDX-License-Identifier: Apache-2.0
"""Sign a text with an SSH key, and check such a signature; OpenSSH does both.

Source: https://github.com/openssh/openssh-portable/blob/V_9_2_P1/PROTOCOL.sshsig and ssh-keygen(1);
OpenSSH has `ssh-keygen -Y` since 8.1. Lessons/decisions/0030 says why it is this one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import subprocess
import tempfile
import textwrap
from pathlib import Path
from shlex import quote

from ttctl.adapters.files import make_private
from ttctl.adapters.process import found_program
from ttctl.errors import BadFileError, ToolMissingError, TtctlError, WaitError
from ttctl.model.acceptance import Signed
from ttctl.rules.acceptance_text import NAMESPACE

SIGNER = "ttctl"
"""The name that the list of allowed keys gives the one key; a signature has no name of its own."""
LIMIT_S = 120
"""A key on a token waits for a touch."""
ARMOUR = 70
"""Characters of a line of an armoured signature."""
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"
_KEY = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]{1,60} [A-Za-z0-9+/]{1,4000}={0,2}")


def sign(text: str, *, key: Path) -> Signed:
    """Sign `text` with a private key, or by the agent that has the one of a public key.

    Raises:
        BadFileError: The key is none, or wants a password that nobody is there to type.
        ToolMissingError: OpenSSH is not installed.
        WaitError: It took too long, for example for a touch of a token.
    """
    done = _run(["-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key)], text)
    found = done.stdout.decode(errors="replace")
    if done.returncode or BEGIN not in found:
        raise BadFileError(
            f"The key {str(key)!r} does not sign.",
            why="It is no key of OpenSSH, or has a password: then its agent has to hold it.",
            evidence=_said(done),
            next_step=f"ssh-add {quote(str(key))}",
        )
    signature = "".join(found.partition(BEGIN)[2].partition(END)[0].split())
    return Signed(public_key=_key_in(signature), signature=signature)


def check(text: str, signed: Signed, *, path: Path) -> None:
    """Return when `signed` is the signature of `text`.

    Args:
        text: What was signed.
        signed: Key and signature, as `path` has them.
        path: The file, for the refusal.

    Raises:
        BadFileError: It is not.
        ToolMissingError: OpenSSH is not installed.
    """
    if not _KEY.fullmatch(signed.public_key) or not _is_canonical(signed.signature):
        raise _wrong(path, "The key or the signature is not spelled as OpenSSH does.")
    with tempfile.TemporaryDirectory(prefix="ttctl-") as folder:
        allowed, armoured = Path(folder) / "allowed", Path(folder) / "signature"
        allowed.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {signed.public_key}\n')
        lines = textwrap.wrap(signed.signature, ARMOUR)
        armoured.write_text("\n".join((BEGIN, *lines, END, "")))
        words = ["-Y", "verify", "-q", "-n", NAMESPACE, "-I", SIGNER]
        done = _run([*words, "-f", str(allowed), "-s", str(armoured)], text)
    if done.returncode:
        raise _wrong(path, _said(done).replace(folder, ""))


def fingerprint(public_key: str) -> str:
    """Return a public key's fingerprint as OpenSSH shows it, `SHA256:...`."""
    raw = base64.b64decode(public_key.partition(" ")[2])
    return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def own_key(folder: Path) -> Path:
    """Return the key of this user's own that signs results; it is made at the first call.

    Raises:
        ToolMissingError: OpenSSH is not installed.
        TtctlError: It could not be made.
    """
    key = folder / "key"
    if key.exists():
        return key
    make_private(folder)
    # The comment would hold the names of user and host.
    done = _run(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], "")
    if done.returncode:
        raise TtctlError(
            f"The key {str(key)!r} could not be made.",
            why="ssh-keygen refused.",
            evidence=_said(done),
            next_step=f"ls -ld {quote(str(folder))}",
        )
    key.chmod(0o600)
    return key


def _run(arguments: list[str], text: str) -> subprocess.CompletedProcess[bytes]:
    try:
        program = found_program("ssh-keygen")
    except ToolMissingError as exc:
        raise ToolMissingError(
            exc.message,
            why="It signs results of cards, and checks signatures.",
            evidence=exc.evidence,
            next_step="sudo apt-get install openssh-client   # or your distribution's package",
        ) from exc
    try:
        return subprocess.run(  # noqa: S603 - a list, never a shell
            [program, *arguments],
            input=text.encode(),
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as exc:
        raise WaitError(
            "ssh-keygen did not end.",
            why=f"Its limit is {LIMIT_S} s.",
            next_step="ssh-add -l",
        ) from exc


def _key_in(signature: str) -> str:
    """Return the public key that a signature holds, as a line without a comment."""
    raw = base64.b64decode(signature)
    at = len(MAGIC) + 4
    (size,) = struct.unpack_from(">I", raw, at)
    blob = raw[at + 4 : at + 4 + size]
    (named,) = struct.unpack_from(">I", blob)
    return f"{blob[4 : 4 + named].decode('ascii')} {base64.b64encode(blob).decode()}"


def _is_canonical(text: str) -> bool:
    """Return whether a text is base64 that says its bytes in the one shortest way."""
    try:
        return bool(text) and base64.b64encode(base64.b64decode(text, validate=True)).decode() == (
            text
        )
    except (binascii.Error, ValueError):
        return False


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return (done.stderr + done.stdout).decode(errors="replace").strip()[-400:]


def _wrong(path: Path, why: str) -> BadFileError:
    return BadFileError(
        f"{str(path)!r} is not what was signed.",
        why="The signature does not fit: a byte of the file was changed, or it was signed anew.",
        evidence=f"{path}: {why}",
        next_step=f"git log -p -- {quote(str(path))}",
    )
